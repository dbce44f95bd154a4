"""The published weights: read without running what a pickle holds, and refused in words where they are others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from simhand.errors import WeightsError
from simhand.files import whole_file
from simhand.hands.hundred_doh.network import HundredDohNet
from simhand.hands.hundred_doh.published import EXPECTED, HINT, checked_sha256
from simhand.state_file import read_state

log = logging.getLogger(__name__)
_NAMED = 5  # keys of each kind in a message
_POOLING = "align"


def prepare_weights(own: Path | str, path: Path | str, sha256: str | None) -> None:
    """Checks the authors' file and writes its network alone, without optimiser and counters.

    Raises:
        WeightsError: as of `read_weights`; or the file does not hash to `sha256`, where one is given.
    """
    got = checked_sha256(own, sha256)
    state = read_weights(own)
    log.info("%s: %d tensors, sha256 %s", own, len(state), got)
    with whole_file(path) as temporary:
        torch.save(state, temporary)


def load_network(path: Path | str) -> HundredDohNet:
    """The network with the weights of a file, for evaluation.

    Raises:
        WeightsError: as of `read_weights`.
    """
    with torch.device("meta"):
        network = HundredDohNet()
    network.load_state_dict(read_weights(path), assign=True)
    return network.eval()


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """The tensors of the network out of its authors' checkpoint, or out of a state_dict of its own.

    Counters of batches, which older files lack and nothing reads, may be absent. Numbers of another precision become
    float32.

    Raises:
        WeightsError: the file is missing, damaged, of another network, or holds what is no number.
    """
    path = Path(path)
    if not path.is_file():
        raise _refusal("the hand detector's weights are missing", path, "no such file")
    try:
        state = _network_of(read_state(path))
    except ValueError as error:
        raise _refusal("the hand detector's weights cannot be read", path, error) from error
    with torch.device("meta"):
        expected = HundredDohNet().state_dict()
    counters = {key for key in expected if key.endswith("num_batches_tracked")}
    state = {**{key: torch.zeros((), dtype=torch.int64) for key in counters}, **state}
    if difference := _difference(state, expected):
        raise _refusal("the weights are those of another network", path, difference)
    state = {key: tensor.to(expected[key].dtype) for key, tensor in state.items()}
    if broken := sorted(key for key, tensor in state.items() if not tensor.isfinite().all()):
        raise _refusal("the hand detector's weights hold what is no number", path, _listed(broken))
    return state


def _network_of(content: Any) -> dict[str, Tensor]:
    """Of a checkpoint (session, epoch, model, optimizer, pooling_mode, class_agnostic) the model.

    Raises:
        ValueError: there is none, or it is one of another pooling.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f"it holds no weights by name, but {type(content).__name__}")
    if (pooling := content.get("pooling_mode", _POOLING)) != _POOLING:
        raise ValueError(f"its network pools regions by {pooling!r}, not by {_POOLING!r}")
    state = content.get("model", content)
    if not isinstance(state, Mapping) or not all(map(_is_plain, state.values())):
        raise ValueError("what it holds by name are not tensors of numbers alone")
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _is_plain(value: Any) -> bool:
    """Not sparse, quantised, complex, nor a tensor without values."""
    dense = isinstance(value, Tensor) and value.layout is torch.strided and not value.is_meta
    return dense and (value.is_floating_point() or value.dtype is torch.int64)


def _difference(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """How the keys and shapes of a file differ from the network's, in words; empty where they do not."""
    shapes = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in expected.items()
        if key in state and state[key].shape != tensor.shape
    ]
    parts = {
        "lacks": sorted(expected.keys() - state.keys()),
        "has besides": sorted(state.keys() - expected.keys()),
        "has another shape of": shapes,
    }
    words = [f"{what} {len(keys)} ({_listed(keys)})" for what, keys in parts.items() if keys]
    return f"of {len(expected)} tensors it " + "; ".join(words) if words else ""


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:_NAMED]) + (", ..." if len(keys) > _NAMED else "")


def _refusal(what: str, path: Path, got: object) -> WeightsError:
    return WeightsError(what, where=path, expected=EXPECTED, got=got, hint=HINT)
