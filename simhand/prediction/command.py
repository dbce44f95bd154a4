"""`simhand predict`: draws 2D and 3D hands on your own images and videos, and writes their joints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from simhand.command_help import Commands, command_parser
from simhand.errors import ConfigError
from simhand.finetuning.settings import FinetuningSettings, Format
from simhand.hands.settings import MediaPipeSettings
from simhand.own_words import own_words
from simhand.prediction.settings import PredictionSettings

_SETTINGS = {"bone_mm": "MM", "focal_px": "PX", "square": "FACTOR", "fps": "FPS"}
_DETECTION = {"score_threshold": ("SCORE", float), "max_hands": ("COUNT", int)}
_EXPLAINED = """Per input, a drawing: the picture with its hands, and each hand in space from two sides. Of all inputs,
joints.json and joints.parquet: 21 joints a hand, in pixels and in millimetres; after an interruption those of the
inputs that were done, and joints.json names the missing. No image tells how large a hand is, or what its camera was:
--bone-mm and --focal-px say what is assumed."""
_EXAMPLES = """
simhand predict photo.jpg clip.mp4 holiday/ --model results/finetuning/freihand/simhand/100/0/model.pt --out drawn
simhand predict clip.mp4 --model model.pt --out drawn --fps 2       two frames of each second
"""
_STATUSES = {0: "all inputs were read", 1: "some were not, or not to their end, or nothing could be predicted"}
_HEADS = get_args(FinetuningSettings.model_fields["head"].annotation)
_MODEL = f"""model.pt that fine-tuning wrote, of any head ({", ".join(_HEADS)}) and encoder, trained on any format of
labelled sets ({", ".join(get_args(Format))}); no other file, such as an encoder or a checkpoint of the official code"""


def add_command(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds `predict` to the commands of simhand."""
    about = "draw 2D and 3D hands on images and videos, and write their joints"
    parser = command_parser(commands, "predict", about, explained=_EXPLAINED, examples=_EXAMPLES, statuses=_STATUSES)
    parser.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help="images, videos, or folders of them")
    parser.add_argument("--model", type=Path, required=True, help=_MODEL)
    parser.add_argument("--out", type=Path, required=True, help="folder for drawings and joints")
    for name, unit in _SETTINGS.items():
        field = PredictionSettings.model_fields[name]
        known = "" if field.default is None else f" (default: {field.default:g})"
        parser.add_argument(_option(name), type=float, metavar=unit, help=f"{field.description}{known}")
    for name, (unit, kind) in _DETECTION.items():
        detection = MediaPipeSettings.model_fields[name]
        text = f"{detection.description} (default: {detection.default})"
        parser.add_argument(_option(name), type=kind, metavar=unit, help=text)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU if there is one")
    parser.set_defaults(run=run)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def run(args: argparse.Namespace) -> int:
    """Predicts.

    Returns:
        0: all inputs were read; 1: some were not, or not to their end.

    Raises:
        SimhandError: nothing can be predicted.
    """
    settings = _settings(args)
    from simhand.prediction.predict import predict  # noqa: PLC0415 - takes seconds, which --help need not wait for

    with own_words():
        outcomes = predict(args.inputs, args.model, args.out, settings)
    return int(any(outcome.problem for outcome in outcomes))


def _settings(args: argparse.Namespace) -> PredictionSettings:
    given = {name: value for name in _SETTINGS if (value := getattr(args, name)) is not None}
    detection = {name: value for name in _DETECTION if (value := getattr(args, name)) is not None}
    try:
        return PredictionSettings.model_validate({**given, "detection": detection, "device": args.device})
    except ValidationError as error:
        first = error.errors()[0]
        where = _option(str(first["loc"][-1]))
        raise ConfigError(
            "an option has a wrong value",
            where=where,
            expected=first["msg"].removeprefix("Input should be "),
            got=first["input"],
        ) from None
