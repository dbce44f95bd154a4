"""The command line of fine-tuning; `train` says how to call it."""

from __future__ import annotations

import argparse
from pathlib import Path

from simhand.finetuning.formats import READERS
from simhand.finetuning.settings import NO_PRETRAINING, FinetuningSettings
from simhand.finetuning.train import Outputs, Start, finetune
from simhand.logs import job_log


def main(arguments: list[str] | None = None) -> None:
    """Fine-tunes and predicts."""
    args = _parser().parse_args(arguments)
    start = Start(args.labelled, args.format, args.initial_encoder, args.fraction, args.seed)
    outputs = Outputs(args.model, args.metrics, args.predictions, args.checkpoints)
    with job_log():
        finetune(args.settings, start, outputs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simhand.finetuning", description=__doc__)
    settings = FinetuningSettings.model_validate_json
    parser.add_argument("--settings", type=settings, required=True, help="FinetuningSettings as JSON")
    parser.add_argument("--labelled", type=Path, required=True, help="folder of the labelled set")
    parser.add_argument("--format", choices=sorted(READERS), required=True, help="its layout")
    parser.add_argument(
        "--initial-encoder", type=_encoder, required=True, help="encoder.pt of a pre-training run, or none"
    )
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
    main()
