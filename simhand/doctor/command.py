"""`simhand doctor`: checks that all is there, and estimates what a run will cost."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simhand.command_help import Commands, command_parser

_EXPLAINED = """Checks versions, decoder, models, weights, GPUs, Slurm, the configuration and its sources, and says what
to do about what is missing. Then it runs the stages on a few videos, drawn at random, long ones more likely, and tells
how many hands, how much disk and how many hours to expect of all of them, with a range. That takes time and disk for
the few; what is written is removed again, but for the list of the videos in results/videos. Of long videos hands are
looked for in 400 frames (hundred_doh: 20)."""
_EXAMPLES = """
simhand doctor                                       checks config.yaml, and estimates from 12 videos
simhand doctor --configfile my.yaml --sample 50      a narrower range, in four times the time
simhand doctor --sample 0                            checks alone
"""
_STATUSES = {0: "no problem was found, perhaps warnings", 1: "a problem was found"}


def add_command(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds `doctor` to the commands of simhand."""
    about = "check that all is there, and estimate what a run will cost"
    parser = command_parser(commands, "doctor", about, explained=_EXPLAINED, examples=_EXAMPLES, statuses=_STATUSES)
    parser.add_argument(
        "--configfile", type=Path, default=Path("config.yaml"), metavar="FILE", help="(default: %(default)s)"
    )
    count = "videos that the estimate is made from; 0: none (default: %(default)s)"
    parser.add_argument("--sample", type=int, default=12, metavar="COUNT", help=count)
    parser.add_argument("--seed", type=int, default=0, help="another one draws other videos (default: %(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Checks and estimates.

    Returns:
        0: no problem was found; 1: one was.

    Raises:
        SimhandError: a stage cannot work on the videos that were drawn.
        ModuleNotFoundError: a package is missing that the checks themselves need.
    """
    from simhand.doctor.examination import examine  # noqa: PLC0415 - takes seconds, which --help need not wait for

    return int(examine(args.configfile, args.sample, args.seed, sys.stdout))
