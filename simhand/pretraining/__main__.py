"""The command line of contrastive pre-training; `train` says how to call it.

A run of several processes starts itself anew through `torchrun`, unless that has started it already.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Event
from typing import NoReturn

from tqdm.contrib.logging import logging_redirect_tqdm

from simhand.errors import SimhandError
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs, train


def main(arguments: list[str] | None = None) -> int:
    """Trains; a signal to end makes it write a checkpoint first.

    Returns:
        0: finished; 1: failed; 128 + the signal's number: interrupted, and to be started again.
    """
    args = _parser().parse_args(arguments)
    if args.settings.processes > 1 and "WORLD_SIZE" not in os.environ:
        _start_processes(args.settings.processes, sys.argv[1:] if arguments is None else arguments)
    process = os.environ.get("RANK", "0")
    told = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=told if process == "0" else f"process {process}: {told}")
    stop, received = Event(), []

    def end(number: int, frame: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    outputs = Outputs(args.encoder, args.metrics, args.checkpoints)
    inputs = (args.members, args.neighbours, args.crops)
    try:
        with logging_redirect_tqdm():
            finished = train(args.settings, *inputs, outputs, initial=args.initial, stop=stop)
    except SimhandError as error:
        logging.error("%s: %s", type(error).__name__, error)
        return 1
    return 0 if finished else 128 + (received or [signal.SIGTERM])[0]  # or another process was told to end


def _start_processes(count: int, arguments: list[str]) -> NoReturn:
    """Becomes torchrun, which starts this module so many times."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    os.execv(sys.executable, [sys.executable, *launcher, "-m", "simhand.pretraining", *arguments])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simhand.pretraining", description=__doc__)
    settings = PretrainingSettings.model_validate_json
    parser.add_argument("--settings", type=settings, required=True, help="PretrainingSettings as JSON")
    parser.add_argument("--members", type=Path, required=True, help="members.parquet of the pool")
    parser.add_argument("--neighbours", type=Path, nargs="*", default=[], help="its neighbour tables (simhand only)")
    parser.add_argument("--crops", type=Path, required=True, help="folder of {source}/{shard}.arrow")
    parser.add_argument("--initial", type=Path, help="weights to start from, where the settings name another run")
    parser.add_argument("--encoder", type=Path, required=True, help="the encoder to write")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics to write, JSON lines")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the checkpoints of this run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
