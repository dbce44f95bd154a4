"""A sheet of augmented pairs: what a pre-training run saw in its first step."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simhand.errors import TableError
from simhand.reporting.figures import GREY, save_png, styled
from simhand.reporting.skeleton import draw_skeleton

_TILE_INCHES = 1.15
_GAP = 0.05  # between views, in tiles
_LEFT, _TOP, _BOTTOM = 0.2, 0.3, 0.22  # margins, in tiles: names of the rows, title, rows of the pool
_NAMES = ("hand", "positive")
_BEHIND: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9, "color": GREY, "parse_math": False}


@styled
def pairs_sheet(pairs: Path, title: str, note: str, path: Path) -> None:
    """Draws each pair as a column, the hand's view above its positive's, with the keypoints (PNG).

    Args:
        pairs: as `simhand.pretraining.pair_sample` writes them.
        title: above the sheet, on the left.
        note: behind it, in grey.
        path: the PNG to write.

    Raises:
        TableError: the file of pairs is missing or damaged.
    """
    images, keypoints_px, rows = _read(pairs)
    width, height = len(images) * (1 + _GAP), 2 + _GAP
    figure = Figure(figsize=((width + _LEFT) * _TILE_INCHES, (height + _TOP + _BOTTOM) * _TILE_INCHES))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-_LEFT, width), ylim=(height + _BOTTOM, -_TOP))
    axes.axis("off")
    _write_names(axes, title, note)
    for column, row in enumerate(rows):
        left = column * (1 + _GAP)
        for line in range(2):
            _draw_view(axes, images[column, line], keypoints_px[column, line], left, line * (1 + _GAP))
        axes.text(left + 0.5, height + 0.13, f"row {row:,}", ha="center", fontsize=6.5, color=GREY)
    save_png(figure, path)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images uint8 (k, 2, s, s, 3), keypoints in px (k, 2, 21, 2), rows of the pool (k,)."""
    try:
        with np.load(path) as file:
            return file["images"], file["keypoints_px"], file["rows"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        hint = "delete the file and start the workflow again: the run will be made anew"
        raise TableError("cannot read a sample of pairs", where=path, got=error, hint=hint) from error


def _write_names(axes: Axes, title: str, note: str) -> None:
    shown = axes.text(0, -0.1, title, fontsize=10, fontweight="bold", parse_math=False)
    axes.annotate(note, (1, 0), (8, 0), xycoords=shown, va="bottom", **_BEHIND)
    for line, name in enumerate(_NAMES):
        middle = line * (1 + _GAP) + 0.5
        axes.text(-_LEFT / 2, middle, name, rotation=90, ha="center", va="center", fontsize=9, color=GREY)


def _draw_view(axes: Axes, image: np.ndarray, keypoints_px: np.ndarray, left: float, top: float) -> None:
    axes.imshow(image, extent=(left, left + 1, top + 1, top), aspect="auto", interpolation="antialiased")
    window = Rectangle((left, top), 1, 1, transform=axes.transData)
    draw_skeleton(axes, keypoints_px / len(image) + np.array([left, top]), window)
