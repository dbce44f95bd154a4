"""Reading the numbers that training and evaluation leave behind."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simhand.errors import TableError

_REMAKE = "delete the file and start the workflow again: it will be made anew"


def read_numbers(path: Path | str, names: Sequence[str]) -> dict[str, float]:
    """Reads named numbers from a JSON file.

    Raises:
        TableError: missing or damaged, or a number is missing or not finite.
    """
    return _numbers(_text(path), names, path)


def read_curve(path: Path | str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Reads named numbers from each line of a JSON lines file, as one array a name.

    Raises:
        TableError: missing, damaged or empty, or a number is missing or not finite.
    """
    lines = _text(path).splitlines()
    if not lines:
        raise TableError("metrics without a record", where=path, hint=_REMAKE)
    rows = [_numbers(line, names, f"{path}, line {number}") for number, line in enumerate(lines, 1)]
    return {name: np.array([row[name] for row in rows]) for name in names}


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError("cannot read metrics", where=path, got=error, hint=_REMAKE) from error


def _numbers(text: str, names: Sequence[str], where: object) -> dict[str, float]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise TableError("cannot read metrics", where=where, expected="JSON", got=error, hint=_REMAKE) from error
    if not isinstance(values, Mapping):
        raise TableError("cannot read metrics", where=where, expected="a JSON object", got=text[:80], hint=_REMAKE)
    return {name: _number(values.get(name), name, where) for name in names}


def _number(value: Any, name: str, where: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TableError(
            f"{name} is missing or not a number",
            where=where,
            expected="a finite number",
            got=repr(value),
            hint=_REMAKE,
        )
    return float(value)
