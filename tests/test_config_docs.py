from __future__ import annotations

from simhand.config import Config
from simhand.config_docs import markdown, schema
from tests.conftest import ROOT


def test_the_documents_are_those_of_the_code() -> None:
    """`make docs` mends it."""
    assert (ROOT / "docs" / "configuration.md").read_text() == markdown()
    assert (ROOT / "docs" / "config.schema.json").read_text() == schema()


def test_every_key_is_explained() -> None:
    def unexplained(model: type, prefix: str = "") -> list[str]:
        return [f"{prefix}{name}" for name, field in model.model_fields.items() if not field.description]

    assert unexplained(Config) == []
    assert "None" not in [row.split("|")[-2].strip() for row in markdown().splitlines() if row.startswith("| `")]
