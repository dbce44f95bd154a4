"""What documents say lies in the code does: modules, functions, and keys of config.yaml."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from simhand.config_docs import markdown
from tests.conftest import ROOT
from tests.documents.pages import PAGES, spans

NAMED = sorted({(page, span) for page in PAGES for span in spans(page) if re.fullmatch(r"simhand(\.\w+)+", span)})
KEYS = set(re.findall(r"^\| `([\w.]+)` \|", markdown(), re.MULTILINE))


@pytest.mark.parametrize(("page", "name"), NAMED, ids=[f"{page.name} {name}" for page, name in NAMED])
def test_what_is_named_exists(page: Path, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        assert hasattr(importlib.import_module(module), attribute), f"{page.name} names {name}"


def test_the_method_names_code_in_every_section() -> None:
    method = (ROOT / "docs" / "method.md").read_text()
    entries = re.findall(r"^\*\*(.+?)\*\*(.*?)(?=^\*\*|^## |\Z)", method, re.MULTILINE | re.DOTALL)
    assert len(entries) > 20
    assert [title for title, text in entries if "`simhand." not in text] == []
    equations = {int(number) for number in re.findall(r"Eq\. (\d)", method)}
    assert equations == {1, 2, 3, 4, 5}, "the paper has five equations"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_keys_that_are_named_exist(page: Path) -> None:
    """Of the form `block.key`, or with a name between; `block.key: value` too."""
    blocks = {key.split(".")[0] for key in KEYS}
    generic = {re.sub(r"\.NAME", "", key) for key in KEYS} | {key.rsplit(".", 1)[0] for key in KEYS}
    unknown = []
    for span in spans(page):
        key = re.match(r"([a-z]+)((?:\.[\w{}*-]+)+)(?=:|$)", span)
        if key and key[1] in blocks and not span.endswith((".py", ".md", ".yaml", ".smk", ".json", ".jsonl")):
            parts = key[0].split(".")
            forms = {".".join(parts), ".".join([parts[0], *parts[2:]]), ".".join([parts[0], "NAME", *parts[2:]])}
            if not forms & (KEYS | generic):
                unknown.append(span)
    assert unknown == []
