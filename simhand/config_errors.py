"""What is wrong with a configuration, in words."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simhand.errors import ConfigError

_KINDS = {  # what a value of the wrong kind should have been, by pydantic's names of the errors
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "keys with values"),
    "string_type": "a text",
    "path_type": "a path",
}


def readable(error: ValidationError, model: type[BaseModel], where: Path | str) -> ConfigError:
    """The first thing that is wrong in full, and the keys of all others.

    Args:
        error: what the model found.
        model: of the whole configuration.
        where: the file.
    """
    first, *others = error.errors()
    key, kind = _key(first), first["type"]
    more = f" (wrong too: {', '.join(_key(other) for other in others)})" if others else ""
    if kind == "extra_forbidden":
        known = _known_keys(first, model)
        hint = did_you_mean(str(first["loc"][-1]), known)
        return ConfigError(f"unknown key {key}{more}", where=where, expected=", ".join(known), hint=hint)
    if kind == "missing":
        return ConfigError(f"key {key} is missing{more}", where=where)
    if kind == "value_error":  # of our own, which names what it got
        return ConfigError(f"wrong value of {key}{more}", where=where, got=first["msg"].removeprefix("Value error, "))
    expected = _KINDS.get(kind, first["msg"].removeprefix("Input should be "))
    return ConfigError(f"wrong value of {key}{more}", where=where, expected=expected, got=repr(first["input"]))


def did_you_mean(key: str, known: list[str]) -> str | None:
    """A hint at the known key that is spelt most like one that is not."""
    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else None


def _key(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"]) or "the file"


def _known_keys(error: ErrorDetails, model: Any) -> list[str]:
    """The keys that would be right where an unknown one stands."""
    for part in error["loc"][:-1]:
        fields = getattr(model, "model_fields", {})
        annotation = fields[part].annotation if part in fields else model
        arguments = getattr(annotation, "__args__", ())
        model = arguments[-1] if arguments else annotation
    return sorted(getattr(model, "model_fields", {}))
