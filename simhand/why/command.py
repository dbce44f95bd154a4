"""`simhand why`: says why the workflow would run something again, without running anything."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simhand.errors import InputError

_EPILOG = """Call it where you call snakemake, with the same --configfile, --profile and --sdm. It names what is not as
it was when the files were made (settings, code, videos, files), and what has to run because of that."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `why` to the commands of simhand."""
    about = "say why the workflow would run something again"
    parser = commands.add_parser("why", help=about, description=about, epilog=_EPILOG)
    what = "a file under results/, or a target such as data or table1 (default: all)"
    parser.add_argument("targets", nargs="*", default=["all"], metavar="TARGET", help=what)
    parser.add_argument("--configfile", metavar="FILE", help="in the place of config.yaml")
    parser.add_argument("--profile", metavar="NAME", help="Snakemake's profile, such as slurm")
    parser.add_argument("--sdm", metavar="METHOD", help="Snakemake's way of deploying software, such as conda")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explains.

    Returns:
        0: explained; 1: the workflow cannot be planned, and standard error says why.

    Raises:
        InputError: there is no workflow here.
        ModuleNotFoundError: Snakemake is not installed.
    """
    if not Path("Snakefile").is_file():
        raise InputError("there is no workflow here", where=Path.cwd(), hint="call it in the folder with the Snakefile")
    from simhand.why.explanation import explain  # noqa: PLC0415 - other commands need neither
    from simhand.why.planning import planned_jobs  # noqa: PLC0415

    given = {name: getattr(args, name) for name in ("configfile", "profile", "sdm")}
    options = [part for name, value in given.items() if value for part in (f"--{name}", value)]
    jobs = planned_jobs(options, args.targets)
    if jobs is None:
        return 1
    sys.stdout.write(explain(jobs, args.targets))
    return 0
