"""A sheet of predicted hands over evaluation images, with and without pre-training (paper: Figure 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simhand.errors import LabelledSetError, TableError
from simhand.evaluation.alignment import align_root_and_bone
from simhand.evaluation.predictions import Predictions, aligned_errors, read_predictions
from simhand.finetuning.settings import NO_PRETRAINING
from simhand.reporting.figures import FAINT, GREY, save_png, styled
from simhand.reporting.records import read_numbers
from simhand.reporting.skeleton import draw_skeleton
from simhand.reporting.table import MPJPE, run_label

_TILE_INCHES = 1.75
_GAP = 0.05  # between tiles, in tiles
_LINE = 1.17  # from one line of the sheet to the next, in tiles: tiles, and their errors below
_LEFT, _TOP = 0.25, 0.45  # margins, in tiles: names of the lines; title and headings of one line
_HEADING_LINE = 0.09  # what each further line of the headings needs, in tiles
_LETTERS = 21  # of a heading that are as wide as a tile
_IMAGE_ROOM = 1.5  # the window, in units of the true hand's greater extent
_SIDE_ROOM = 1.2  # the same, of all hands together
_WINDOW_PX = 320  # a window of an image is drawn with so many pixels


@dataclass(frozen=True)
class Drawn:
    """A fine-tuned model whose predictions can be drawn."""

    run: str  # of pre-training, or NO_PRETRAINING
    seed: int
    metrics: Path
    predictions: Path


@styled
def hands_sheet(models: Sequence[Drawn], folder: Path, cases: int, title: str, path: Path) -> None:
    """Draws the evaluation images on which the best pre-trained model errs most, and least, one a recording (PNG).

    A line an image: the true hand, the hand without pre-training and with it; then both from the side, before the true
    one in grey, wrist and length of one bone aligned. Left hands are mirrored, as they are used. Where all models are
    pre-trained, or none is, there is one hand beside the true one, and the images are chosen by it.

    Args:
        models: of one labelled set and share of its labels, one at least.
        folder: the labelled set.
        cases: how many images of each kind.
        title: above the sheet, on the left.
        path: the PNG to write.

    Raises:
        TableError: metrics or predictions are missing or damaged, or not of the same images.
        LabelledSetError: an image is missing or damaged.
    """
    shown = shown_models(models)
    tables = [read_predictions(model.predictions) for model in shown]
    if not np.array_equal(tables[0].names, tables[-1].names):
        raise TableError("predictions for other images", where=shown[-1].predictions, hint="fine-tune again")
    errors_mm = np.stack([aligned_errors(table).mean(axis=1).data for table in tables])  # (models, N)
    lines = [
        (name, _case(tables, row, folder), errors_mm[:, row])
        for name, rows in extreme_cases(errors_mm[-1], tables[0].sequences, cases).items()
        for row in rows
    ]
    save_png(_draw_sheet(lines, [run_label(model.run) for model in shown], title), path)


def shown_models(models: Sequence[Drawn]) -> list[Drawn]:
    """The model without pre-training and the best pre-trained one, as far as there are such; of each the first seed."""
    runs = [NO_PRETRAINING] * any(model.run == NO_PRETRAINING for model in models)
    pretrained = [model for model in models if model.run != NO_PRETRAINING]
    if pretrained:
        runs.append(best_run(pretrained))
    return [min((one for one in models if one.run == run), key=lambda one: one.seed) for run in runs]


def best_run(models: Sequence[Drawn]) -> str:
    """The run with the least MPJPE, the mean over its seeds."""
    errors: dict[str, list[float]] = {}
    for model in models:
        errors.setdefault(model.run, []).append(read_numbers(model.metrics, [MPJPE.key])[MPJPE.key])
    return min(errors, key=lambda run: sum(errors[run]) / len(errors[run]))


def extreme_cases(errors_mm: np.ndarray, sequences: np.ndarray, cases: int) -> dict[str, list[int]]:
    """Rows with the greatest errors, greatest first, and with the least, least first.

    Neighbouring images of a recording are alike: of each recording there is one row at the most.

    Args:
        errors_mm: (N,).
        sequences: (N,), rows with the same number come from one recording.
        cases: how many of each; fewer where there are not twice as many recordings, one of the worst at the least.
    """
    order = np.argsort(errors_mm, kind="stable")
    count = min(cases, len(np.unique(sequences)) // 2) or 1
    worst = _of_each_recording(order[::-1], sequences)[:count]
    left = order[~np.isin(sequences[order], sequences[worst])]
    return {"worst": worst, "best": _of_each_recording(left, sequences)[:count]}


def _of_each_recording(rows: np.ndarray, sequences: np.ndarray) -> list[int]:
    """The first of the rows in each recording, in their order."""
    first = np.unique(sequences[rows], return_index=True)[1]
    return [int(row) for row in rows[np.sort(first)]]


@dataclass(frozen=True)
class Case:
    """An image, its true hand and those of one or two models, in units of a window; (0, 0) is its upper left corner."""

    image: np.ndarray  # uint8 (s, s, 3)
    true: np.ndarray  # (21, 2)
    predicted: Sequence[np.ndarray]  # (21, 2) each
    side_true: np.ndarray  # (21, 2), seen from the side: the camera is on the left
    side_predicted: Sequence[np.ndarray]  # (21, 2) each


def _case(tables: Sequence[Predictions], row: int, folder: Path) -> Case:
    first = tables[0]
    true_px = np.where(first.seen[row, :, None], first.true_px[row], np.nan)
    corner, side = window_around(true_px, _IMAGE_ROOM)
    true_mm = first.true_mm[row]
    depth_first = [2, 1]  # z to the right, y down
    hands = [align_root_and_bone(table.predicted_mm[[row]], first.true_mm[[row]])[0] for table in tables]
    side_corner, side_side = window_around(np.concatenate([true_mm, *hands])[:, depth_first], _SIDE_ROOM)
    return Case(
        _cut(read_image(folder / str(first.images[row]), flipped=bool(first.flipped[row])), corner, side),
        (true_px - corner) / side,
        [(table.predicted_px[row] - corner) / side for table in tables],
        (true_mm[:, depth_first] - side_corner) / side_side,
        [(hand[:, depth_first] - side_corner) / side_side for hand in hands],
    )


def window_around(points: np.ndarray, room: float) -> tuple[np.ndarray, float]:
    """The upper left corner (2,) and the side of a square around points (n, 2), those that are NaN left out."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    side = room * float((high - low).max())
    return (low + high - side) / 2, side


def read_image(path: Path, *, flipped: bool) -> np.ndarray:
    """An image file as uint8 (h, w, 3) RGB, mirrored if `flipped`.

    Raises:
        LabelledSetError: missing or damaged.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        raise LabelledSetError("cannot read an image of a labelled set", where=path, hint="copy the labelled set anew")
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(rgb[:, ::-1]) if flipped else rgb


def _cut(image: np.ndarray, corner: np.ndarray, side: float) -> np.ndarray:
    """A square window of an image, the centre of whose first pixel is (0, 0); what lies outside of it is grey."""
    scale = _WINDOW_PX / side
    affine = np.array([[scale, 0, -scale * corner[0] - 0.5], [0, scale, -scale * corner[1] - 0.5]])
    size, grey = (_WINDOW_PX, _WINDOW_PX), (224, 224, 224)
    return cv2.warpAffine(image, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=grey)


def _draw_sheet(lines: Sequence[tuple[str, Case, np.ndarray]], labels: Sequence[str], title: str) -> Figure:
    """All tiles on one pair of axes, whose unit is a tile."""
    headings = [wrap(heading, _LETTERS) for heading in ("true", *labels, *(f"{label}, side" for label in labels))]
    width, height = len(headings) * (1 + _GAP) - _GAP, _LINE * len(lines)
    top = _TOP + _HEADING_LINE * (max(map(len, headings)) - 1)
    figure = Figure(figsize=((width + _LEFT) * _TILE_INCHES, (height + top) * _TILE_INCHES))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-_LEFT, width), ylim=(height, -top))
    axes.axis("off")
    looks: dict[str, Any] = {"ha": "center", "fontsize": 9, "color": GREY, "parse_math": False}
    for column, heading in enumerate(headings):
        axes.text(_left(column) + 0.5, -0.1, "\n".join(heading), **looks)
    for place, (name, case, errors_mm) in enumerate(lines):
        _draw_line(axes, case, errors_mm, _LINE * place)
        axes.text(-_LEFT / 2, _LINE * place + 0.5, name, rotation=90, va="center", **looks)
    axes.text(0, 0.15 - top, title, fontsize=10, fontweight="bold", parse_math=False)
    return figure


def _left(column: int) -> float:
    return column * (1 + _GAP)


def _draw_line(axes: Axes, case: Case, errors_mm: np.ndarray, top: float) -> None:
    for column, keypoints in enumerate((case.true, *case.predicted)):
        axes.imshow(case.image, extent=(_left(column), _left(column) + 1, top + 1, top), aspect="auto")
        _draw_hand(axes, keypoints, column, top)
    for column, error_mm in enumerate(errors_mm, 1):
        axes.text(_left(column) + 0.5, top + 1.11, f"{error_mm:.1f} mm", ha="center", fontsize=8, color=GREY)
    for column, keypoints in enumerate(case.side_predicted, 1 + len(case.predicted)):
        axes.add_patch(Rectangle((_left(column), top), 1, 1, facecolor="white", edgecolor=FAINT))
        _draw_hand(axes, case.side_true, column, top, GREY)
        _draw_hand(axes, keypoints, column, top)


def _draw_hand(axes: Axes, keypoints: np.ndarray, column: int, top: float, colour: str | None = None) -> None:
    corner = np.array([_left(column), top])
    draw_skeleton(axes, keypoints + corner, Rectangle((corner[0], top), 1, 1, transform=axes.transData), colour)
