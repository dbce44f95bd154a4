"""The command line of simhand: what a user calls outside of the workflow."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from types import FrameType

from simhand.doctor.command import add_command as add_doctor
from simhand.errors import SimhandError
from simhand.export.command import add_command as add_export
from simhand.prediction.command import add_command as add_predict
from simhand.start.command import add_command as add_init
from simhand.status.command import add_command as add_status
from simhand.why.command import add_command as add_why

TRACEBACK = "SIMHAND_TRACEBACK"  # a variable of the environment, as --traceback
_DATA = "'simhand[data]'"
_PACKAGES = {"snakemake": "'simhand[workflow]'", "safetensors": "safetensors"}  # by the module that is missing
_EPILOG = """
Call init, doctor, status, why and export where you call snakemake, which runs the workflow itself; predict needs
no workflow. `simhand COMMAND --help` has examples and exit statuses.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0: all went well; 1: not all of it; 128 + the signal's number: interrupted, and no half file left.
    """
    args, unknown = _parser().parse_known_args(arguments)
    if unknown:  # told with the command's own usage; argparse would show that of simhand
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    signal.signal(signal.SIGTERM, _end)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        sys.stderr.write("simhand: interrupted\n")
        return 128 + signal.SIGINT
    except BrokenPipeError:  # its reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if args.traceback or os.environ.get(TRACEBACK, "0") not in {"", "0"}:
            traceback.print_exc()
        sys.stderr.write(f"simhand: {_plain(error)}\n")
        return 1


def _plain(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, SimhandError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"{error}\n  hint:     pip install {_PACKAGES.get((error.name or '').split('.')[0], _DATA)}"
    if isinstance(error, OSError):  # a full disk, say, which names itself
        return str(error)
    hint = "a fault of simhand: please report it with what `simhand --traceback COMMAND` prints"
    return f"this should not have happened: {type(error).__name__}: {error}\n  hint:     {hint}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simhand",
        description="From videos of hands to a pre-trained encoder and 3D hand poses.",
        epilog=_EPILOG,
    )
    where = f"show where in the code an error arose; also {TRACEBACK}=1 in the environment"
    parser.add_argument("--traceback", action="store_true", help=where)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_init(commands)
    add_doctor(commands)
    add_status(commands)
    add_why(commands)
    add_export(commands)
    add_predict(commands)
    return parser


def _end(number: int, frame: FrameType | None) -> None:
    """Ends like Ctrl-C, so that files are cleared away."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
