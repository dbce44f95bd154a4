"""Loads a pre-trained hand encoder through torch.hub, with torch and torchvision alone.

encoder = torch.hub.load("/path/to/simhand", "hand_encoder", source="local", weights="results/pretraining/simhand")
features = encoder(images)

takes images (n, 3, h, w) to features (n, 512 or 2048).
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import torch
import torchvision

dependencies = ["torch", "torchvision"]

_ENCODERS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def hand_encoder(weights: str | Path, encoder: str | None = None) -> torchvision.models.ResNet:
    """A pre-trained hand encoder: torchvision's ResNet with fc = Identity, on the CPU, in eval mode.

    It takes RGB images (n, 3, h, w), float32, whose values from 0 to 1 were normalised with ImageNet's mean
    (0.485, 0.456, 0.406) and deviation (0.229, 0.224, 0.225), best of the size that card.json gives, and gives features
    (n, 512) with resnet18 and resnet34, else (n, 2048).

    Args:
        weights: encoder.pt of a pre-training run, or the run's folder (results/pretraining/simhand).
        encoder: the ResNet's name, resnet50 say; if not given, it is read from card.json beside the weights.

    Raises:
        FileNotFoundError: there are no such weights, or no card that names the ResNet.
        ValueError: the file holds no weights, or another network's.
    """
    path = Path(weights)
    path = path / "encoder.pt" if path.is_dir() else path
    state = _state(path)
    name = encoder or _named_by_card(path)
    if name not in _ENCODERS:
        raise ValueError(f"no encoder {name!r}: expected one of {', '.join(_ENCODERS)}")
    resnet = torchvision.models.get_model(name, weights=None)
    resnet.fc = torch.nn.Identity()
    try:
        resnet.load_state_dict(state)
    except RuntimeError as error:
        hint = "give encoder.pt of a pre-training run, and as `encoder` the ResNet that it was trained with"
        raise ValueError(f"{path} does not hold the weights of a {name}: {hint}") from error
    return resnet.eval()


def _state(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"no weights in {path}: give encoder.pt of a pre-training run, or the run's folder")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged, or no file of weights: {error}") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, no state_dict: give encoder.pt of a pre-training run")
    return state


def _named_by_card(path: Path) -> str:
    card = path.with_name("card.json")
    if not card.is_file():
        raise FileNotFoundError(f"no card.json beside {path}: name the ResNet, encoder='resnet50' say")
    try:
        return json.loads(card.read_text())["settings"]["encoder"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{card} does not name the ResNet: name it, encoder='resnet50' say") from error
