"""One of the paper's tables as it is made here, as plain values: whose errors stand in which line, and the paper's."""

from __future__ import annotations

from typing import NamedTuple

from simhand.settings import Settings


class Cell(NamedTuple):
    """What is fine-tuned for one number of a table, once a seed."""

    labelled: str
    run: str
    percent: int


class Line(Settings):
    """A run in a table."""

    words: tuple[str, ...]
    run: str
    published: tuple[tuple[float, float] | None, ...]  # a column: the paper's MPJPE in mm and PCK-AUC in percent


class Column(Settings):
    """A labelled set in a table, with the percentage of its labels that is trained on."""

    heading: str  # the paper's name
    labelled: str  # the name here
    percent: int

    def cell(self, line: Line) -> Cell:
        """What stands in this column of a line."""
        return Cell(self.labelled, line.run, self.percent)


class PaperTable(Settings):
    """Which runs are compared on which labelled sets."""

    name: str  # of the target
    title: str
    note: str
    headings: tuple[str, ...]  # above the words of the lines
    columns_heading: str  # what the columns are
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def cells(self) -> list[Cell]:
        """All that is fine-tuned for it, each once: a run can stand in two lines."""
        return list(dict.fromkeys(column.cell(line) for column in self.columns for line in self.lines))

    def runs(self) -> list[str]:
        """The runs of its lines, each once."""
        return list(dict.fromkeys(line.run for line in self.lines))
