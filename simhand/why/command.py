"""`simhand why`: says why the workflow would run something again, without running anything."""

from __future__ import annotations

import argparse
import sys

from simhand.command_help import Commands, command_parser
from simhand.why.options import add_workflow_options, snakemake_options

_EXPLAINED = """Call it where you call snakemake, with the same --configfile, --profile and --sdm. It names what is not
as it was when the files were made (settings, code, videos, files), and what has to run because of that."""
_EXAMPLES = """
simhand why                                   why `snakemake all` would run anything
simhand why data --configfile my.yaml         the same for other targets and another configuration
simhand why results/report/index.html         or for one file
"""
_STATUSES = {0: "explained", 1: "the workflow cannot be planned; what is wrong is said"}


def add_command(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds `why` to the commands of simhand."""
    about = "say why the workflow would run something again"
    parser = command_parser(commands, "why", about, explained=_EXPLAINED, examples=_EXAMPLES, statuses=_STATUSES)
    add_workflow_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explains.

    Returns:
        0: explained; 1: the workflow cannot be planned, and standard error says why.

    Raises:
        InputError: there is no workflow here.
        ModuleNotFoundError: Snakemake is not installed.
    """
    options = snakemake_options(args)
    from simhand.why.explanation import explain  # noqa: PLC0415 - other commands need neither
    from simhand.why.planning import planned_jobs  # noqa: PLC0415

    jobs = planned_jobs(options, args.targets)
    if jobs is None:
        return 1
    sys.stdout.write(explain(jobs, args.targets))
    return 0
