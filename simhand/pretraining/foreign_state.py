"""Tensors out of checkpoints that hold other things too: Lightning keeps settings of a run as objects of any class."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from simhand.state_file import UNREADABLE, why_unread

_TRUSTED = {
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch", "Size"),
    ("builtins", "set"),
    ("__builtin__", "set"),  # the same, as older protocols name it
}


class Unread:
    """Stands for an object of a class that is not trusted: none of its code runs, and nothing of it is kept."""

    def __new__(cls, *arguments: Any, **named: Any) -> Unread:
        """Whatever it was made of."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """As of a list."""

    def extend(self, values: Any) -> None:
        """As of a list."""

    def add(self, value: Any) -> None:
        """As of a set."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        is_storage = module == "torch" and name.endswith("Storage")
        if is_storage or (module, name) in _TRUSTED:
            return super().find_class(module, name)
        return Unread


def _load(file: Any, **options: Any) -> Any:
    return _Unpickler(file, **options).load()


_PICKLE = ModuleType("trusting_tensors_alone")  # as torch.load wants it
_PICKLE.Unpickler, _PICKLE.load = _Unpickler, _load  # type: ignore[attr-defined]


def read_foreign_state(path: Path) -> Any:
    """What `torch.save` wrote, on the CPU: tensors and plain values; objects of other classes are `Unread`.

    Unlike torch.load(weights_only=True) it does not refuse them; as there, no code of theirs runs.

    Raises:
        ValueError: the file is missing or damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_PICKLE)
    except UNREADABLE as error:
        raise ValueError(why_unread(error)) from error
