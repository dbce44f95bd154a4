"""The paper's tables as files: a page, Markdown, CSV, and Figure 4's picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import fill

import pandas as pd

from simhand.paper.tables import PaperTable
from simhand.reporting.grid import markdown
from simhand.reporting.inputs import PaperErrors
from simhand.reporting.label_shares import label_shares
from simhand.reporting.page import Section, page
from simhand.reporting.paper_table import paper_errors, paper_grid
from simhand.reporting.table import DIFFERENCE, interval_note
from simhand.reporting.text_files import write_csv, write_text

_MEASURES = (
    "MPJPE: wrist and length of one bone aligned. PCK-AUC: from 20 to 50 mm, in percent. With several seeds, mean ± "
    "standard deviation. Our best of each group stands out."
)
_AGAINST = (
    "Against without: by how much our MPJPE is greater than without pre-training, and its 95 % interval by a bootstrap "
    "over recordings and seeds (the images of FreiHAND, which names no recordings)."
)
_FIGURE = "figure4"
_COLUMNS = 110  # of a line of text


def write_paper_table(errors: PaperErrors, folder: Path) -> None:
    """Writes one of the paper's tables as {name}.html, .md and .csv; Figure 4 as .png too.

    Raises:
        TableError: as `paper_errors`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, rows = errors.table, paper_errors(errors)
    section = paper_section(table, rows)
    if table.name == _FIGURE:
        label_shares(table, rows, folder / f"{table.name}.png")
        section = replace(section, pictures=[(table.title, folder / f"{table.name}.png")])
    write_csv(rows, folder / f"{table.name}.csv")
    write_text(paper_markdown(section), folder / f"{table.name}.md")
    write_text(page(table.title, "The paper's figures beside ours.", [section]), folder / f"{table.name}.html")


def paper_section(table: PaperTable, rows: pd.DataFrame) -> Section:
    """One of the paper's tables, of which the rows are its `paper_errors`, as a part of a page."""
    against = _AGAINST if rows[DIFFERENCE[0]].notna().any() else ""
    text = " ".join(filter(None, (table.note, _MEASURES, against, interval_note(rows))))
    return Section(table.title, text, [paper_grid(table, rows)])


def paper_markdown(section: Section) -> str:
    """A section of one table as Markdown, its text in lines that a terminal shows."""
    return f"{section.heading}\n\n{''.join(map(markdown, section.tables))}\n{fill(section.text, _COLUMNS)}\n"
