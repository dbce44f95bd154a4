"""Files of weights."""

from __future__ import annotations

import pickle
import re
import struct
from pathlib import Path
from typing import Any

import torch

# What torch.load raises for files that it cannot read: a text file is a KeyError, one that was cut a struct.error.
UNREADABLE = (
    *(OSError, EOFError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, AssertionError),
    *(pickle.UnpicklingError, struct.error),
)


def read_state(path: Path) -> Any:
    """What `torch.save` wrote, on the CPU; tensors and plain values only.

    Raises:
        ValueError: the file is missing or damaged, or holds other things.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(_reason(error)) from None  # the original advises to let the file run what it likes
    except UNREADABLE as error:
        raise ValueError(why_unread(error)) from error


def why_unread(error: Exception) -> str:
    """In a line what torch.load says of a file; it goes on with guesses and advice, or says nothing."""
    return re.split(r"\. |\n", f"{type(error).__name__}: {error}")[0].removesuffix(": ")


def _reason(error: pickle.UnpicklingError) -> str:
    other = re.search(r"GLOBAL ([\w.]+)", str(error))
    if other is None:
        return "it is damaged, or torch.save did not write it"
    return f"it holds {other[1]}, and only tensors and plain values are read"
