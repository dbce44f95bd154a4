"""The command line of contrastive pre-training; `train` says how to call it.

A run of several processes starts them itself, as `torchrun` would, unless torchrun has started this one already. On
several nodes `srun` calls it once on each.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from simhand.pretraining.launch import launch
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs, train


def main(arguments: list[str] | None = None) -> int:
    """Trains; a signal to end makes it write a checkpoint first. The result is `launch`'s."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(arguments)
    settings = _settings(args)
    outputs = Outputs(args.encoder, args.metrics, args.checkpoints)
    run = partial(train, settings, args.members, args.neighbours, args.crops, outputs, initial=args.initial)
    processes, nodes = settings.processes, settings.nodes
    return launch("simhand.pretraining", processes, arguments, lambda stop: run(stop=stop), nodes=nodes)


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
