"""The command line of fine-tuning; `train` says how to call it.

A run of several processes starts them itself, as `torchrun` would, unless torchrun has started this one already. On
several nodes `srun` calls it once on each.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from simhand.finetuning.formats import READERS
from simhand.finetuning.settings import NO_PRETRAINING, FinetuningSettings, ReadSettings
from simhand.finetuning.train import Outputs, Start, finetune
from simhand.pretraining.launch import launch
from simhand.settings import Settings

_S = TypeVar("_S", bound=Settings)


def main(arguments: list[str] | None = None) -> int:
    """Fine-tunes and predicts; a signal to end makes it write a checkpoint first. The result is `launch`'s."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(arguments)
    settings = _checked(FinetuningSettings, {**args.settings, **args.execution})
    read = _checked(ReadSettings, args.read)
    start = Start(args.labelled, args.format, args.initial_encoder, args.fraction, args.seed, read)
    outputs = Outputs(args.model, args.metrics, args.predictions, args.checkpoints)
    return launch(
        "simhand.finetuning",
        settings.processes,
        arguments,
        lambda stop: finetune(settings, start, outputs, stop=stop),
        nodes=settings.nodes,
    )


def _checked(kind: type[_S], values: dict[str, object]) -> _S:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        _parser().error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simhand.finetuning", description=__doc__)
    parser.add_argument("--settings", type=json.loads, required=True, help="FinetuningSettings as JSON")
    parser.add_argument(
        "--execution", type=json.loads, default={}, help="more of them: those that say how the run goes"
    )
    parser.add_argument("--labelled", type=Path, required=True, help="folder of the labelled set")
    parser.add_argument("--format", choices=sorted(READERS), required=True, help="its layout")
    parser.add_argument("--read", type=json.loads, default={}, help="ReadSettings as JSON: how the set is read")
    encoders = "encoder.pt of a pre-training run, torchvision's state_dict, the official checkpoint, or none"
    parser.add_argument("--initial-encoder", type=_encoder, required=True, help=encoders)
    parser.add_argument("--fraction", type=_percent, default=100, help="percent of the training labels")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order, views and the choice of labels")
    parser.add_argument("--model", type=Path, required=True, help="the model to write")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics to write, JSON lines")
    parser.add_argument("--predictions", type=Path, required=True, help="the predictions to write, Parquet")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the checkpoints of this run")
    return parser


def _percent(text: str) -> int:
    if not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 100")
    return int(text)


def _encoder(text: str) -> Path | None:
    return None if text == NO_PRETRAINING else Path(text)


if __name__ == "__main__":
    sys.exit(main())
