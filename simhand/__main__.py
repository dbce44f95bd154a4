"""The command line of simhand: what a user calls outside of the workflow."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from simhand.errors import SimhandError
from simhand.prediction.command import add_command as add_predict
from simhand.why.command import add_command as add_why


def main(arguments: list[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0: all went well; 1: not all of it; 128 + the signal's number: interrupted, and no half file left.
    """
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    try:
        return int(args.run(args))
    except SimhandError as error:
        sys.stderr.write(f"simhand: {error}\n")
        return 1
    except ModuleNotFoundError as error:
        extra = "workflow" if (error.name or "").startswith("snakemake") else "data"
        sys.stderr.write(f"simhand: {error}\n  hint:     pip install 'simhand[{extra}]'\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("simhand: interrupted\n")
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simhand", description="3D hands in images and videos")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_predict(commands)
    add_why(commands)
    return parser


def _end(number: int, frame: FrameType | None) -> None:
    """Ends like Ctrl-C, so that files are cleared away."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
