"""A fine-tuned DetNet as a file: its weights and a card that says where they come from."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch
import torchvision

from simhand.errors import WeightsError
from simhand.files import whole_file
from simhand.finetuning.detnet import DetNet

Card = dict[str, Any]  # plain values, as JSON has them


def write_model(model: DetNet, card: Card, path: Path) -> None:
    """Writes {"card": ..., "state_dict": ...}; the card's `encoder` names the ResNet."""
    weights = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    packed = io.BytesIO()  # torch.save to a path would put the temporary name into the file
    torch.save({"card": card, "state_dict": weights}, packed)
    with whole_file(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


def read_model(path: Path) -> tuple[DetNet, Card]:
    """Reads what `write_model` wrote.

    Raises:
        WeightsError: missing, damaged, or something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        model = DetNet(torchvision.models.get_model(content["card"]["encoder"], weights=None))
        model.load_state_dict(content["state_dict"])
    except (OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise WeightsError("cannot read a fine-tuned model", where=path, got=error, hint="fine-tune again") from error
    return model, content["card"]
