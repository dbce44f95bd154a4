"""The workflow that a command asks about, and the options of snakemake that say which."""

from __future__ import annotations

import argparse
from pathlib import Path

import simhand
from simhand.errors import InputError

_OPTIONS = ("configfile", "profile", "sdm")


def add_workflow_options(parser: argparse.ArgumentParser) -> None:
    """Targets, and those options of snakemake on which it depends what would run."""
    what = "a file under results/, or a target such as data or table1 (default: all)"
    parser.add_argument("targets", nargs="*", default=["all"], metavar="TARGET", help=what)
    parser.add_argument("--configfile", metavar="FILE", help="in the place of config.yaml")
    parser.add_argument("--profile", metavar="NAME", help="Snakemake's profile, such as slurm")
    parser.add_argument("--sdm", metavar="METHOD", help="Snakemake's way of deploying software, such as conda")


def snakemake_options(args: argparse.Namespace) -> list[str]:
    """What snakemake is called with, of what was given.

    Raises:
        InputError: there is no workflow here, or that of another checkout than this command.
        ConfigError: the configuration is not there, or wrong; Snakemake would tell with a traceback.
    """
    _check_folder(Path.cwd())
    from simhand.config_file import read_config  # noqa: PLC0415 - --help needs none of it

    if args.configfile or not args.profile:  # a profile may name a configuration
        read_config(Path(args.configfile or "config.yaml"))
    given = {name: getattr(args, name) for name in _OPTIONS}
    return [part for name, value in given.items() if value for part in (f"--{name}", value)]


def _check_folder(here: Path) -> None:
    if not (here / "Snakefile").is_file():
        raise InputError("there is no workflow here", where=here, hint="call it in the folder with the Snakefile")
    own = Path(simhand.__file__).resolve().parents[1]
    # An installed package has no Snakefile beside it, and is what the workflow here imports too. Of two checkouts, what
    # jobs recorded of their code would not compare.
    if (here / "simhand").is_dir() and (own / "Snakefile").is_file() and own != here.resolve():
        hint = "python -m simhand takes the one here"
        raise InputError("this command is of another checkout than the workflow here", where=here, got=own, hint=hint)
