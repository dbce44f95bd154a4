"""What documents say lies in the code does: modules, functions, and keys of config.yaml."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from simhand.config_docs import markdown
from simhand.fingerprint import module_path
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


METHOD = (ROOT / "docs" / "method.md").read_text()
ENTRIES = re.findall(r"^\*\*(.+?)\*\*(.*?)(?=^\*\*|^## |\Z)", METHOD, re.MULTILINE | re.DOTALL)


def test_the_method_names_code_in_every_entry() -> None:
    assert len(ENTRIES) > 20
    assert [title for title, text in ENTRIES if "`simhand." not in text] == []


def test_each_equation_of_the_paper_stands_in_the_code_that_is_named() -> None:
    """The paper has five; a module that computes one says which."""
    found = {number: text for title, text in ENTRIES for number in re.findall(r"Eq\. (\d)", title)}
    assert sorted(found) == ["1", "2", "3", "4", "5"]
    for number, text in found.items():
        modules = {name.rpartition(".")[0] for name in re.findall(r"`(simhand\.[\w.]+)`", text)}
        sources = [module_path(module).read_text() for module in modules]
        assert any(re.search(rf"Eq\. {number}\b", source) for source in sources), number


def named_keys(page: Path) -> set[str]:
    """What is written like a key: `block.key`, `block.name.key`, and the same with a value."""
    blocks = {key.split(".")[0] for key in KEYS}
    found = {re.match(r"([a-z]+)(?:\.[\w-]+)+(?=:|$)", span) for span in spans(page)}
    return {key[0] for key in found if key and key[1] in blocks and not key[0].endswith((".py", ".md", ".pt"))}


def is_key(text: str) -> bool:
    """Whether config.yaml knows a key, or a block; where keys have a name in between, with one or without."""
    blocks = {key.rpartition(".")[0] for key in KEYS}
    block, *rest = text.split(".")
    with_name = {".".join([block, "NAME", *rest]), ".".join([block, "NAME", *rest[1:]])} - {f"{block}.NAME"}
    return bool({text, *with_name} & (KEYS | blocks))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_keys_that_are_named_exist(page: Path) -> None:
    assert {key for key in named_keys(page) if not is_key(key)} == set()


def test_what_is_no_key_is_told() -> None:
    right = ("sampling.fps", "pools.demo.components", "pools.components", "experiment.paper", "sources.demo.videos")
    wrong = ("sampling.fpss", "pools.demo.component", "experiment.papers", "pretraining.loss", "pools.NAME.x")
    assert [key for key in right if not is_key(key)] == []
    assert [key for key in wrong if is_key(key)] == []
