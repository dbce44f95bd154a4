"""Files of weights."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

# What torch.load raises for files that it cannot read: a text file is a KeyError, for one.
UNREADABLE = (OSError, EOFError, RuntimeError, KeyError, ValueError, IndexError, TypeError, pickle.UnpicklingError)


def read_state(path: Path) -> Any:
    """What `torch.save` wrote, on the CPU; tensors and plain values only.

    Raises:
        ValueError: the file is missing or damaged, or holds other things.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
