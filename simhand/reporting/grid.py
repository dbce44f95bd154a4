"""A table of texts, and how it looks as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """Cells of text.

    Args:
        header: names of the columns.
        rows: each as long as the header.
        numbers: columns that are aligned right.
        best: (row, column) of the cells to stress.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    best: frozenset[tuple[int, int]] = frozenset()


def markdown(grid: Grid) -> str:
    """The grid as a Markdown table whose columns line up as plain text too; the best cells are bold."""
    rows = [
        [_bold(text) if (row, column) in grid.best else _escaped(text) for column, text in enumerate(cells)]
        for row, cells in enumerate(grid.rows)
    ]
    widths = [max(map(len, column)) for column in zip(grid.header, *rows, strict=True)]
    rule = ["-" * (width - 1) + ":" if column in grid.numbers else "-" * width for column, width in enumerate(widths)]
    lines = [grid.header, rule, *rows]
    return "".join(f"| {' | '.join(_padded(line, widths, grid.numbers))} |\n" for line in lines)


def _bold(text: str) -> str:
    return f"**{_escaped(text)}**"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _padded(cells: Sequence[str], widths: Sequence[int], numbers: frozenset[int]) -> list[str]:
    return [
        text.rjust(width) if column in numbers else text.ljust(width)
        for column, (text, width) in enumerate(zip(cells, widths, strict=True))
    ]
