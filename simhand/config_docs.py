"""Writes docs/configuration.md and docs/config.schema.json out of the models of config.yaml.

python -m simhand.config_docs docs
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simhand.config import Config

_HEAD = """\
# config.yaml

Every key, its type, its default and what it means. This page is made from `simhand/config.py` and the `settings.py` of
each stage (`make docs`); a test fails when they differ. Editors that know JSON Schema can check your file against
`config.schema.json`.
"""


def markdown() -> str:
    """The reference of all keys, one table a block."""
    return "\n".join([_HEAD, *_blocks(Config, "")])


def _blocks(model: type[BaseModel], prefix: str) -> Iterator[str]:
    leaves, nested = [], []
    for name, field in model.model_fields.items():
        inner = _model_in(field)
        key = f"{prefix}{name}"
        if inner is None:
            leaves.append(f"| `{key}` | {_type(field)} | {_default(field)} | {field.description} |")
        else:
            named = ".NAME" if "dict" in str(field.annotation) else ""
            nested.append((f"{key}{named}.", field.description, inner))
    if leaves:
        yield "\n".join(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *leaves, ""])
    for inner_prefix, description, inner in nested:
        yield f"## `{inner_prefix.rstrip('.')}`\n\n{description}. {inner.__doc__}\n"
        yield from _blocks(inner, inner_prefix)


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _type(field: FieldInfo) -> str:
    text = field.annotation.__name__ if isinstance(field.annotation, type) else str(field.annotation)
    for noise in ("typing.", "pathlib.", "<class '", "'>"):
        text = text.replace(noise, "")
    return f"`{text.split('[Annotated')[0]}`".replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    return "empty" if default is None else f"`{json.dumps(default)}`"


def schema() -> str:
    """The JSON schema of config.yaml."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


def main(folder: str) -> None:
    """Writes both files into a folder."""
    Path(folder, "configuration.md").write_text(markdown())
    Path(folder, "config.schema.json").write_text(schema())


if __name__ == "__main__":
    main(sys.argv[1])
