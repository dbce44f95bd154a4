"""The files of a folder of frames, and the number of each frame in its video."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_DIGITS = re.compile(r"(\d+)")
_LARGEST = 2**31 - 1  # the tables' frame_index has 32 bits; what is larger is a date, say


def is_image(name: str) -> bool:
    """Whether a file counts as a frame."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def frame_numbers(names: Iterable[str]) -> dict[str, int]:
    """The number of each image among the names, in ascending order.

    That is the last number in its name (before the suffix), as in frame_0000120.jpg. If some name has none, or two have
    the same, the images are counted from 0 in their natural order instead (2 before 10).
    """
    images = sorted((name for name in names if is_image(name)), key=_natural)
    numbers = {name: int(found[-1]) for name in images if (found := _DIGITS.findall(name.rpartition(".")[0]))}
    if len(set(numbers.values())) < len(images) or max(numbers.values(), default=0) > _LARGEST:
        return dict(zip(images, count(), strict=False))
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    parts = _DIGITS.split(name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)], name
