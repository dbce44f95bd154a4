"""In what two values of a rule's params differ, in words."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

_LONGEST = 60  # characters of a value that is shown
_COMPARED = 2000  # characters of two values that are likened
_ABSENT = object()


def differences(before: Any, now: Any, key: str = "") -> Iterator[str]:
    """How one value became another: `key: before -> now` for each innermost key; of lists, what came or went.

    Args:
        before: the old value; plain lists, tuples, dicts, texts and numbers.
        now: the new value.
        key: what the value is called.
    """
    if before == now:  # paired by what they are, of which several may be alike
        return
    if now is _ABSENT or before is _ABSENT:
        yield f"{key} {'removed' if now is _ABSENT else 'added'}"
    elif isinstance(before, tuple) and isinstance(now, tuple):  # a record: its parts have no names
        yield f"{key} changed"
    elif isinstance(before, dict) and isinstance(now, dict):
        yield from _of_parts(before, now, f"{key}." if key else "")
    elif isinstance(before, list) and isinstance(now, list):
        yield from _of_parts(*_named(before, now), f"{key}: " if key else "")
    else:
        yield f"{key}: {_short(before)} -> {_short(now)}"


def _of_parts(before: dict[Any, Any], now: dict[Any, Any], prefix: str) -> Iterator[str]:
    for name in [*now, *(name for name in before if name not in now)]:
        old, new = before.get(name, _ABSENT), now.get(name, _ABSENT)
        if old != new:
            yield from differences(old, new, f"{prefix}{name}")


def paired(before: Iterable[str], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each new value with the old one that it most likely took the place of, since old ones are kept without names.

    Args:
        before: old values, as Python writes them.
        now: new values by name.

    Yields:
        the name, the old value (or None, where there is none of its kind), and the new value.
    """
    left = [_plain(_read(text)) for text in before]
    for name, value in now.items():
        new = _plain(value)
        best = max(left, key=lambda old: _likeness(old, new), default=None)
        if best is None or not _likeness(best, new):
            yield name, None, new
        else:
            left.remove(best)
            yield name, best, new


def _read(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):  # NaN, say
        return text


def _plain(value: Any) -> Any:
    """Settings that are handed on as JSON are a dict again."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _likeness(old: Any, new: Any) -> float:
    """How much two values look like one param's; 0: they cannot be."""
    if isinstance(old, dict) and isinstance(new, dict):
        return len(old.keys() & new.keys()) / max(1, len(old.keys() | new.keys()))
    if isinstance(old, dict | list | tuple) or isinstance(new, dict | list | tuple):
        alike = type(old) is type(new)
    else:
        alike = True  # numbers, texts and None take each other's place
    return 0.01 + SequenceMatcher(None, repr(old)[:_COMPARED], repr(new)[:_COMPARED]).quick_ratio() if alike else 0.0


def _named(before: list[Any], now: list[Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The parts of two lists by their first values, where those tell them apart, or else by all that they are."""
    old, new = ({_first(part): part for part in parts} for parts in (before, now))
    if (len(old), len(new)) == (len(before), len(now)):
        return old, new
    return {str(part): part for part in before}, {str(part): part for part in now}


def _first(part: Any) -> Any:
    """The name of a list's part: its first value, or itself."""
    if isinstance(part, dict) and part:
        part = next(iter(part.values()))
    elif isinstance(part, list | tuple) and part:
        part = part[0]
    return part if isinstance(part, str | int | float) else str(part)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
