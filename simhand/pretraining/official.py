"""The layout of the official code's checkpoints, and torchvision's, one into the other.

The official encoder is `features = Sequential(conv1, bn1, relu, maxpool, layer1, ..., layer4, avgpool)`: each of its
weights has the name of torchvision's with the module's place in `features` for the module's name (spec section 4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_PLACES = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
_NAMES = {place: name for name, place in _PLACES.items()}
_KEY = re.compile(r"(?:encoder\.)?features\.(\d+)\.(.+)")
_FINAL_WIDTH = 64  # of the official encoder's `final_layer`, which nothing uses


def official_state(encoder: Mapping[str, Tensor], projection: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A model under the names, and in the order, of the official checkpoint's `state_dict` (spec section 4).

    `encoder.final_layer` is there, all zeros, for strict loading: the official code neither trains nor uses it. The
    order matters, as the official `port_model` copies the entries of `features` by position (spec section 8).

    Args:
        encoder: torchvision's state_dict without `fc`, in its order.
        projection: of the head Sequential(Linear, BatchNorm1d, ReLU, Linear).
    """
    width = projection["0.weight"].shape[1]
    final = {"weight": torch.zeros(_FINAL_WIDTH, width), "bias": torch.zeros(_FINAL_WIDTH)}
    return {
        **{f"encoder.features.{_placed(key)}": value for key, value in encoder.items()},
        **{f"encoder.final_layer.0.{key}": value for key, value in final.items()},
        **{f"projection_head.{key}": value for key, value in projection.items()},
    }


def is_official(state: Mapping[str, object]) -> bool:
    """Whether a state_dict names an encoder's weights as the official code does."""
    return any(_KEY.fullmatch(key) for key in state)


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder of an official state_dict under torchvision's names, without `fc`.

    Args:
        state: with `encoder.features.{place}.*`, or `features.{place}.*` as the encoder alone has it. What lies outside
            of `features` (projection head, `final_layer`) is left out, as are places that have no weights officially.
    """
    matches = ((_KEY.fullmatch(key), value) for key, value in state.items())
    found = [(int(match[1]), match[2], value) for match, value in matches if match]
    return {f"{_NAMES[place]}.{rest}": value for place, rest, value in found if place in _NAMES}


def _placed(key: str) -> str:
    name, rest = key.split(".", 1)
    return f"{_PLACES[name]}.{rest}"
