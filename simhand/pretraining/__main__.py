"""The command line of contrastive pre-training; `train` says how to call it.

A run of several processes starts them itself, as `torchrun` would, unless torchrun has started this one already.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Event

from pydantic import ValidationError
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from tqdm.contrib.logging import logging_redirect_tqdm

from simhand.errors import SimhandError
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs, train
from simhand.videos.lifetime import end_with_parent

_STARTER = "SIMHAND_STARTER"  # tells the processes of a run which one started them


def main(arguments: list[str] | None = None) -> int:
    """Trains; a signal to end makes it write a checkpoint first.

    Returns:
        0: finished; 1: failed; 128 + the signal's number: interrupted, and to be started again.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    processes = _settings(_parser().parse_args(arguments)).processes
    return _several(processes, arguments) if processes > 1 and "WORLD_SIZE" not in os.environ else _one(arguments)


def _several(count: int, arguments: list[str]) -> int:
    """Starts so many processes and waits for them; where one fails, the others are ended."""
    cores = len(os.sched_getaffinity(0))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // count)))  # or each would take all cores
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "300")  # seconds to end a step and write a checkpoint
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes say why they fail
    os.environ[_STARTER] = str(os.getpid())
    config = LaunchConfig(
        1, 1, count, run_id="simhand", rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0
    )
    try:
        elastic_launch(config, sys.executable)("-m", "simhand.pretraining", *arguments)
    except SignalException as ended:
        return 128 + ended.sigval
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        logging.error("process %d of %d ended with code %d", rank, count, failure.exitcode)
        return 128 - failure.exitcode if failure.exitcode < 0 else failure.exitcode
    return 0


def _one(arguments: list[str]) -> int:
    args = _parser().parse_args(arguments)
    process = os.environ.get("RANK", "0")
    told = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=told if process == "0" else f"process {process}: {told}")
    stop, received = Event(), []

    def end(number: int, frame: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if _STARTER in os.environ:
        end_with_parent(int(os.environ[_STARTER]), signal.SIGTERM)
    outputs = Outputs(args.encoder, args.metrics, args.checkpoints)
    inputs = (args.members, args.neighbours, args.crops)
    try:
        with logging_redirect_tqdm():
            finished = train(_settings(args), *inputs, outputs, initial=args.initial, stop=stop)
    except SimhandError as error:
        logging.error("%s: %s", type(error).__name__, error)
        return 1
    return 0 if finished else 128 + (received or [signal.SIGTERM])[0]  # or another process was told to end


def _settings(args: argparse.Namespace) -> PretrainingSettings:
    try:
        return PretrainingSettings.model_validate({**args.settings, **args.execution})
    except ValidationError as error:
        _parser().error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simhand.pretraining", description=__doc__)
    parser.add_argument("--settings", type=json.loads, required=True, help="PretrainingSettings as JSON")
    parser.add_argument(
        "--execution", type=json.loads, default={}, help="more of them: those that say how the run goes"
    )
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
