"""One page that holds the whole report: no other file, no network, no script."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p.lead { color: #555; margin-top: 0 } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right } img { max-width: 100%; height: auto; }
strong { color: #00507d }
"""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, a sentence, and tables or pictures."""

    heading: str
    text: str
    parts: Sequence[pd.DataFrame | Path]


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The page as HTML; pictures (PNG) are embedded, all text is escaped."""
    body = "".join(_section(section) for section in sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1><p class='lead'>{escape(lead)}</p>\n"
        f"{body}</body></html>\n"
    )


def _section(section: Section) -> str:
    parts = "".join(_table(part) if isinstance(part, pd.DataFrame) else _image(part) for part in section.parts)
    return f"<h2>{escape(section.heading)}</h2><p>{escape(section.text)}</p>{parts}\n"


def _image(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>'


def _table(table: pd.DataFrame) -> str:
    numeric = [pd.api.types.is_numeric_dtype(table[name]) for name in table.columns]
    head = "".join(_cell("th", name, number) for name, number in zip(table.columns, numeric, strict=True))
    rows = (
        "".join(_cell("td", value, number) for value, number in zip(row, numeric, strict=True))
        for row in table.itertuples(index=False)
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _cell(tag: str, value: object, number: bool) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return f"<{tag}{' class=number' if number else ''}>{escape(text)}</{tag}>"
