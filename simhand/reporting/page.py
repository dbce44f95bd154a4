"""One page that holds the whole report: no other file, no network, no script."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from simhand.reporting.grid import Grid

_STYLE = """
:root { --ink: #22262b; --soft: #5d6670; --line: #dde1e5; --accent: #0072b2; }
body { font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: var(--ink);
       max-width: 74rem; margin: 2.5rem auto 4rem; padding: 0 1.25rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.8rem 0 .3rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: .4rem 0 .9rem; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; }
th { font-weight: 600; border-bottom: 2px solid var(--line); vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); vertical-align: top; }
th, td { padding: .32rem 1.2rem .32rem 0; text-align: left; }
th.number, td.number { text-align: right; }
td.number { white-space: nowrap; }
tbody tr:hover { background: #f5f7f9; }
nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
a { color: var(--accent); }
strong { color: var(--accent); }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
@media (max-width: 40rem) { figure { overflow-x: auto; } img { max-width: none; width: 48rem; } }
"""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, a sentence, tables, pictures (PNG, by what they show) and links (text, where)."""

    heading: str
    text: str
    tables: Sequence[Grid] = ()
    pictures: Sequence[tuple[str, Path]] = ()
    links: Sequence[tuple[str, str]] = ()

    @property
    def anchor(self) -> str:
        """Its name inside the page."""
        return re.sub(r"\W+", "-", self.heading)


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The page as HTML; pictures are embedded, all text is escaped."""
    body = "".join(_section(section) for section in sections)
    contents = "".join(f'<li><a href="#{section.anchor}">{escape(section.heading)}</a></li>' for section in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{escape(lead)}</p>\n<nav><ul>{contents}</ul></nav>\n{body}</body></html>\n"
    )


def _section(section: Section) -> str:
    tables = "".join(_table(grid) for grid in section.tables)
    pictures = "".join(_picture(shows, path) for shows, path in section.pictures)
    links = "".join(f'<p><a href="{escape(where)}">{escape(text)}</a></p>\n' for text, where in section.links)
    heading = f'<h2 id="{section.anchor}">{escape(section.heading)}</h2>'
    return f"{heading}<p>{escape(section.text)}</p>\n{tables}{pictures}{links}"


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
