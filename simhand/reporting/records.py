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
    return numbers_of(read_record(path), names, path)


def read_record(path: Path | str) -> Mapping[str, Any]:
    """Reads a JSON object.

    Raises:
        TableError: missing or damaged.
    """
    return _record(_text(path), path)


def numbers_of(record: Any, names: Sequence[str], where: object) -> dict[str, float]:
    """Named numbers of a JSON object that was read from somewhere.

    Raises:
        TableError: it is none, or a number is missing or not finite.
    """
    return {name: _number(_object(record, where).get(name), name, where) for name in names}


def read_curve(path: Path | str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Reads named numbers from each line of a JSON lines file, as one array a name.

    Raises:
        TableError: missing, damaged or empty, or a number is missing or not finite.
    """
    lines = _text(path).splitlines()
    if not lines:
        raise TableError("metrics without a record", where=path, hint=_REMAKE)
    places = [f"{path}, line {number}" for number, _ in enumerate(lines, 1)]
    rows = [numbers_of(_record(line, place), names, place) for line, place in zip(lines, places, strict=True)]
    return {name: np.array([row[name] for row in rows]) for name in names}


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError("cannot read metrics", where=path, got=error, hint=_REMAKE) from error


def _record(text: str, where: object) -> Mapping[str, Any]:
    try:
        return _object(json.loads(text), where)
    except json.JSONDecodeError as error:
        raise TableError("cannot read metrics", where=where, expected="JSON", got=error, hint=_REMAKE) from error


def _object(value: Any, where: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        got = repr(value)[:80]
        raise TableError("cannot read metrics", where=where, expected="a JSON object", got=got, hint=_REMAKE)
    return value


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
