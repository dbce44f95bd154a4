"""One page that holds the whole report: no other file, no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from simhand.reporting.grid import Grid
from simhand.reporting.page_files import page_file


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, a sentence, tables, pictures (PNG, by what they show), and further HTML.

    A chapter is what the table of contents gathers sections under; empty: none.
    """

    heading: str
    text: str
    tables: Sequence[Grid] = ()
    pictures: Sequence[tuple[str, Path]] = ()
    note: str = ""  # below them
    html: str = ""  # what needs to be escaped in it is
    chapter: str = ""

    @property
    def anchor(self) -> str:
        """Its name inside the page."""
        return re.sub(r"\W+", "-", self.heading)


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The page as HTML; pictures are embedded, all text is escaped."""
    body = "".join(f'<h2 id="{each.anchor}">{escape(each.heading)}</h2>{section_body(each)}' for each in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>\n{page_file('page.css')}</style></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{escape(lead)}</p>\n{_contents(sections)}\n{body}</body></html>\n"
    )


def _contents(sections: Sequence[Section]) -> str:
    """The table of contents: a list a chapter."""
    lists = []
    for chapter, members in groupby(sections, key=lambda section: section.chapter):
        items = "".join(f'<li><a href="#{each.anchor}">{escape(each.heading)}</a></li>' for each in members)
        title = f"<b>{escape(chapter)}</b>" if chapter else ""
        lists.append(f"<div>{title}<ul>{items}</ul></div>")
    return f"<nav>{''.join(lists)}</nav>"


def section_body(section: Section) -> str:
    """A section as HTML, without its heading."""
    text = f"<p>{escape(section.text)}</p>\n" if section.text else ""
    tables = "".join(_table(grid) for grid in section.tables)
    pictures = "".join(_picture(shows, path) for shows, path in section.pictures)
    note = f'<p class="note">{escape(section.note)}</p>\n' if section.note else ""
    return f"{text}{tables}{pictures}{note}{section.html}"


def folded(title: str, grid: Grid) -> str:
    """A table that a click unfolds, as HTML."""
    return f"<details><summary>{escape(title)}</summary>{_table(grid)}</details>\n"


def _picture(shows: str, path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<figure><img alt="{escape(shows)}" src="data:image/png;base64,{data}"></figure>\n'


def _table(grid: Grid) -> str:
    head = "".join(_cell("th", name, column in grid.numbers) for column, name in enumerate(grid.header))
    rows = "".join(
        "<tr>"
        + "".join(
            _cell("td", text, column in grid.numbers, best=(row, column) in grid.best)
            for column, text in enumerate(cells)
        )
        + "</tr>\n"
        for row, cells in enumerate(grid.rows)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n'


def _cell(tag: str, text: str, number: bool, *, best: bool = False) -> str:
    shown = f"<strong>{escape(text)}</strong>" if best else escape(text)
    return f"<{tag} class='number'>{shown}</{tag}>" if number else f"<{tag}>{shown}</{tag}>"
