"""The paper's tables as files: a page, Markdown, CSV, and Figure 4's picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import fill

from simhand.reporting.grid import markdown
from simhand.reporting.inputs import PaperErrors
from simhand.reporting.label_shares import label_shares
from simhand.reporting.page import Section, page
from simhand.reporting.paper_table import paper_errors, paper_grid
from simhand.reporting.text_files import write_csv, write_text

_MEASURES = (
    "MPJPE: wrist and length of one bone aligned. PCK-AUC: from 20 to 50 mm, in percent. With several seeds, mean ± "
    "standard deviation. Our best of each labelled set stands out."
)
_FIGURE = "figure4"
_COLUMNS = 110  # of a line of text


def write_paper_table(errors: PaperErrors, folder: Path) -> None:
    """Writes one of the paper's tables as {name}.html, .md and .csv; Figure 4 as .png too.

    Raises:
        TableError: a file of metrics is missing, damaged or lacks a measure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = errors.table
    section = paper_section(errors)
    if table.name == _FIGURE:
        label_shares(errors, folder / f"{table.name}.png")
        section = replace(section, pictures=[(table.title, folder / f"{table.name}.png")])
    write_csv(paper_errors(errors), folder / f"{table.name}.csv")
    write_text(paper_markdown(section), folder / f"{table.name}.md")
    write_text(page(table.title, "The paper's figures beside ours.", [section]), folder / f"{table.name}.html")


def paper_section(errors: PaperErrors) -> Section:
    """One of the paper's tables as a part of a page."""
    table = errors.table
    return Section(table.title, f"{table.note} {_MEASURES}", [paper_grid(errors)])


def paper_markdown(section: Section) -> str:
    """A section of one table as Markdown, its text in lines that a terminal shows."""
    return f"{section.heading}\n\n{''.join(map(markdown, section.tables))}\n{fill(section.text, _COLUMNS)}\n"
