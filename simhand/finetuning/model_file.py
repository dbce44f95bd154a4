"""A fine-tuned model as a file: its weights and a card that says where they come from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from simhand.errors import WeightsError
from simhand.files import file_sha256, whole_file
from simhand.finetuning.heads import HEADS
from simhand.finetuning.labelled import LabelledSet
from simhand.finetuning.settings import EXECUTION, FinetuningSettings, Format
from simhand.state_file import read_state

Card = dict[str, Any]  # plain values, as JSON has them


@dataclass(frozen=True)
class Labels:
    """What a run is trained on."""

    hands: LabelledSet
    format: Format  # of the whole set
    percent: int  # that was taken of it
    seed: int  # of what was taken, and of the run


def run_card(settings: FinetuningSettings, labels: Labels, encoder: Path | None) -> Card:
    """What makes a run this run.

    Raises:
        WeightsError: the encoder cannot be read.
    """
    try:
        digest = encoder and file_sha256(encoder)
    except OSError as error:
        raise WeightsError("cannot read initial weights", where=encoder, got=error) from error
    return {
        **settings.model_dump(mode="json", exclude=EXECUTION),
        "seed": labels.seed,
        "label_percent": labels.percent,
        "format": labels.format,
        "sha256 of the initial encoder": digest,
        "content of the training labels": labels.hands.fingerprint(),
    }


def write_model(model: nn.Module, card: Card, path: Path) -> None:
    """Writes {"card": ..., "state_dict": ...}."""
    weights = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    packed = io.BytesIO()  # torch.save to a path would put the temporary name into the file
    torch.save({"card": card, "state_dict": weights}, packed)
    with whole_file(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


def read_model(path: Path) -> tuple[nn.Module, FinetuningSettings, Card]:
    """Reads what `write_model` wrote: the model, ready to predict, with the settings of its run.

    Raises:
        WeightsError: missing, damaged, or something else.
    """
    content = _content(path)
    try:
        card = content["card"]
        settings = FinetuningSettings(**{name: card[name] for name in FinetuningSettings.model_fields if name in card})
        model = HEADS[settings.head].build(settings)
        model.load_state_dict(content["state_dict"])
    except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError("cannot read a fine-tuned model", where=path, got=error, hint="fine-tune again") from error
    return model.eval(), settings, card


def _content(path: Path) -> Card:
    try:
        content = read_state(path)
    except ValueError as error:
        hint = "copy it again, whole, or fine-tune again"
        raise WeightsError("cannot read a fine-tuned model", where=path, got=error, hint=hint) from error
    if not (isinstance(content, dict) and content.keys() >= {"card", "state_dict"}):
        expected = "model.pt of fine-tuning, as results/finetuning/{labelled}/{run}/{percent}/{seed}/model.pt"
        raise WeightsError("this is no fine-tuned model", where=path, expected=expected, got="other content")
    return content
