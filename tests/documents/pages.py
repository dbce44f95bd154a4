"""The project's documents, taken apart: links, headings, blocks of code, and the commands in them."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "config/*.md", "benchmarks/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
)
PROGRAMS = ("simhand", "snakemake", "make", "python -m")

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?:    .*\n|\n(?=    ))+")
_SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)")
_PROMPT = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?")


@dataclass(frozen=True)
class Command:
    """A command in a document; `whole` where it stands in a block, to be typed as it is."""

    page: Path
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {shlex.join(self.words)}"


@cache
def blocks(page: Path) -> tuple[tuple[str, str], ...]:
    """Language (often none) and text of each block of code."""
    text = page.read_text()
    fenced = [(found[2], textwrap.dedent(found[3])) for found in _FENCE.finditer(text)]
    return (*fenced, *(("", textwrap.dedent(found[0])) for found in _INDENTED.finditer(_FENCE.sub("", text))))


@cache
def prose(page: Path) -> str:
    """A document without its blocks of code."""
    return _INDENTED.sub("", _FENCE.sub("", page.read_text()))


def links(page: Path) -> list[str]:
    """Where the links of a document lead."""
    return _LINK.findall(prose(page))


def spans(page: Path) -> list[str]:
    """What stands between single backquotes."""
    return [" ".join(span.split()) for span in _SPAN.findall(prose(page))]


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that a page of GitHub has for the headings of a document."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ +(.+?) *#*$", prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading).lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return frozenset(slug if again == 0 else f"{slug}-{n}" for slug, again in found.items() for n in range(again + 1))


def commands(page: Path) -> Iterator[Command]:
    """The commands of the programs above, in blocks and in the text."""
    for language, block in blocks(page):
        if language in {"", "sh", "bash", "console"}:
            for line in re.sub(r"\\\n", " ", block).splitlines():
                yield from _command(page, line, whole=True)
    for span in spans(page):
        yield from _command(page, span, whole=False)


def _command(page: Path, line: str, *, whole: bool) -> Iterator[Command]:
    line = _PROMPT.sub("", line)
    if line.startswith(tuple(f"{program} " for program in PROGRAMS)):
        yield Command(page, tuple(shlex.split(line, comments=True)), whole)
