"""The files of a folder of frames, and the number of each frame in its video."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import count

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_DIGITS = re.compile(r"(\d+)")
_LONGEST = 1000  # digits: what is longer is no number, and Python refuses to read it
_LARGEST = 2**31 - 1  # the tables' frame_index has 32 bits; what is larger is a date, say


def is_image(name: str) -> bool:
    """Whether a file counts as a frame."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def frame_numbers(names: Iterable[str]) -> dict[str, int]:
    """The number of each image among the names, in ascending order.

    That is the last number in its name (before the suffix), as in frame_0000120.jpg; images without one, a cover.jpg
    say, are none of the video's. If none has one, or two have the same, the images are counted from 0 in their natural
    order instead (2 before 10).
    """
    images = sorted((name for name in names if is_image(name)), key=_natural)
    numbers = {name: number for name in images if (number := last_number(name)) is not None}
    if len(set(numbers.values())) < len(numbers) or max(numbers.values(), default=_LARGEST + 1) > _LARGEST:
        return dict(zip(images, count(), strict=False))
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def numbering_note(images: Collection[str], numbers: Mapping[str, int]) -> str:
    """What is not plain about the `numbers` of these images; empty if each has the number in its name."""
    if len(numbers) < len(images):
        first = min(set(images) - set(numbers))
        return f"{len(images) - len(numbers)} images without a number, {first} for one, are passed over"
    odd = [name for name, number in numbers.items() if last_number(name) != number]
    return f"counted, since the names hold no clear numbers: {odd[0]} is {numbers[odd[0]]}" if odd else ""


def last_number(name: str) -> int | None:
    """The last number in the name of a file, before the suffix; None if there is none."""
    found = _DIGITS.findall(name.rpartition(".")[0])
    return int(found[-1][-_LONGEST:]) if found else None


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    parts = _DIGITS.split(name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)], name
