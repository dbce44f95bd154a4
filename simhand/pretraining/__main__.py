"""The command line of contrastive pre-training; `train` says how to call it."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from threading import Event

from simhand.errors import SimhandError
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs, train


def main(arguments: list[str] | None = None) -> int:
    """Trains; a signal to end makes it write a checkpoint first.

    Returns:
        0: finished; 1: failed; 128 + the signal's number: interrupted, and to be started again.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    args = _parser().parse_args(arguments)
    stop, received = Event(), []

    def end(number: int, frame: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    outputs = Outputs(args.encoder, args.metrics, args.checkpoints)
    try:
        finished = train(args.settings, args.members, args.neighbours, args.crops, outputs, stop=stop)
    except SimhandError as error:
        logging.error("%s: %s", type(error).__name__, error)
        return 1
    return 0 if finished else 128 + received[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simhand.pretraining", description=__doc__)
    settings = PretrainingSettings.model_validate_json
    parser.add_argument("--settings", type=settings, required=True, help="PretrainingSettings as JSON")
    parser.add_argument("--members", type=Path, required=True, help="members.parquet of the pool")
    parser.add_argument("--neighbours", type=Path, nargs="*", default=[], help="its neighbour tables (simhand only)")
    parser.add_argument("--crops", type=Path, required=True, help="folder of {source}/{shard}.arrow")
    parser.add_argument("--encoder", type=Path, required=True, help="the encoder to write")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics to write, JSON lines")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the checkpoints of this run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
