"""Links from one document to another, to a heading in it, or to a file of the repository lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.documents.pages import PAGES, anchors, links, spans


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if re.match(r"https?:|mailto:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_repository_that_are_named_are_there(page: Path) -> None:
    """In the text, `simhand/files.py`; not what the workflow makes, nor what an example adds."""
    added = {
        name
        for patch in (ROOT / "docs" / "examples").glob("*.patch")
        for name in re.findall(r"^--- /dev/null\n\+\+\+ b/(.+)$", patch.read_text(), re.MULTILINE)
    }
    top = {path.name for path in ROOT.iterdir()} - {"results", "demo"}
    named = {span.rstrip("/") for span in spans(page) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", span)}
    named -= added
    assert {name for name in named if name.split("/")[0] in top and not (ROOT / name).exists()} == set()


def test_every_document_can_be_found_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert {path for path in index.parent.glob("*.md") if path != index} <= linked
