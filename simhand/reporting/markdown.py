"""Markdown tables that are readable as plain text too."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with aligned columns; those after the first are aligned to the right where every cell is a number."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    right = [i > 0 and all(_is_number(row[i]) for row in cells) for i in range(len(header))]
    rule = ["-" * (width - 1) + ":" if end else "-" * width for width, end in zip(widths, right, strict=True)]
    lines = [_line(header, widths, right), "| " + " | ".join(rule) + " |"]
    return "\n".join([*lines, *(_line(row, widths, right) for row in cells)]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = (
        cell.rjust(width) if end else cell.ljust(width) for cell, width, end in zip(cells, widths, right, strict=True)
    )
    return "| " + " | ".join(aligned) + " |"


def _is_number(cell: str) -> bool:
    return cell.strip("* %").split(" ± ")[0].replace(".", "", 1).replace(",", "").lstrip("-").isdigit()
