"""`simhand status`: says how far the workflow is, also while it runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simhand.command_help import Commands, command_parser
from simhand.why.options import add_workflow_options, snakemake_options

_EXPLAINED = """A line a rule: how many of its jobs are done, and in what state the others are; then what running jobs
last logged, and the last lines of failed jobs' logs. Call it where you call snakemake, with the same --configfile,
--profile and --sdm, also while that runs: nothing is locked. Done is what snakemake would not run again; `simhand why`
tells why it would. A job runs if Slurm says so, or if a snakemake that works here, on this machine, has begun with it;
it has failed if its last try did, by the log of the snakemake that works here, or of the last 20
that did."""
_EXAMPLES = """
simhand status                                       how far `snakemake all` is
simhand status table1 --configfile my.yaml           the same for another target and configuration
watch -n 60 simhand status --profile slurm           each minute, on a cluster
"""
_STATUSES = {0: "no job has failed", 1: "a job has failed, or the workflow cannot be planned"}


def add_command(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds `status` to the commands of simhand."""
    about = "say how far the workflow is: what is done, runs, failed and why"
    parser = command_parser(commands, "status", about, explained=_EXPLAINED, examples=_EXAMPLES, statuses=_STATUSES)
    add_workflow_options(parser)
    parser.add_argument(
        "--lines", type=_lines, default=10, metavar="COUNT", help="of each failed job's log (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def _lines(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Tells how far it is.

    Returns:
        0: no job has failed; 1: one has, or the workflow cannot be planned, and standard error says why.

    Raises:
        InputError: there is no workflow here.
        ModuleNotFoundError: Snakemake is not installed.
    """
    options = snakemake_options(args)
    from simhand.status.failures import newest_logs, read_logs  # noqa: PLC0415 - other commands need none of these
    from simhand.status.running import look  # noqa: PLC0415
    from simhand.status.states import State, states  # noqa: PLC0415
    from simhand.status.summary import summary  # noqa: PLC0415
    from simhand.why.planning import chain_jobs  # noqa: PLC0415

    at_work = look(Path.cwd())
    failed = list(read_logs(last_only=at_work.is_alive))  # before the plan: what ends meanwhile counts as done
    jobs = chain_jobs(options, args.targets)
    if jobs is None:
        return 1
    found = states(jobs, failed, at_work)
    log = next(iter(newest_logs()), None)
    sys.stdout.write(summary(found, failed, at_work, log=log, lines=args.lines))
    return int(State.FAILED in found.values())
