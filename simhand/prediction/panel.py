"""Hands in space: each from the camera and from its side, in rows below each other."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from simhand.joints import MIDDLE_BASE
from simhand.prediction.hands import FoundHand
from simhand.prediction.lettering import Colour, text_width, write_text
from simhand.prediction.skeleton import RIM, draw_in_space

_PAPER: Colour = (250, 249, 246)
_GRID: Colour = (228, 226, 220)
_GREY: Colour = (110, 110, 110)
_GRID_MM = 50.0
_REACH = 1.4  # from a view's middle, the middle finger's base, to its border, in lengths of the bone from the wrist
_FROM_ITS_SIDE = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # z to the right, large x is near
_VIEWS = (("from the camera", np.eye(3)), ("from the side, camera to the left", _FROM_ITS_SIDE))


def draw_panel(height: int, hands: Sequence[FoundHand], bone_mm: float, places: int) -> np.ndarray:
    """Draws hands in space, two views each; a place without a hand stays empty.

    Args:
        height: of the panel, px.
        hands: to draw.
        bone_mm: the assumed length that millimetres rest on.
        places: rows, unless there are more hands; the panel's width depends on nothing else.

    Returns:
        uint8 (height, W, 3), W even.
    """
    width = height // 4 * 2 if places == 1 else height // places * 2
    panel = np.full((height, width, 3), _PAPER, np.uint8)
    letters = round(height / 48)
    room, rows = height - 2 * letters, max(places, len(hands))
    numbers = numbers_by_place(hands, rows)
    for place in range(rows):
        row = panel[room * place // rows : room * (place + 1) // rows]
        _draw_row(row, hands, numbers.get(place), bone_mm, letters)
    note = f"grid: {_GRID_MM:g} mm, assuming a palm of {bone_mm:g} mm"
    _write_fitting(panel, note, room + letters / 3, letters)
    return panel


def numbers_by_place(hands: Sequence[FoundHand], rows: int) -> dict[int, int]:
    """Which hand has which row: left hands from the top, others from the bottom, so that in videos they stay there."""
    lefts = [number for number, hand in enumerate(hands) if hand.side == "left"]
    others = [number for number, hand in enumerate(hands) if hand.side != "left"]
    return dict([*enumerate(lefts), *zip(range(rows - len(others), rows), others, strict=True)])


def _draw_row(row: np.ndarray, hands: Sequence[FoundHand], number: int | None, bone_mm: float, letters: int) -> None:
    """A hand's side, its number where it is not the only one, and its views."""
    hand = None if number is None else hands[number]
    if hand is not None and number is not None:
        counted = f"{number + 1}  " if len(hands) > 1 else ""
        write_text(row, f"{counted}{hand.side} hand", (letters / 2, letters / 3), round(1.2 * letters), RIM)
    for view, (name, turn) in zip(_squares(row[round(1.6 * letters) :]), _VIEWS, strict=True):
        _draw_view(view, None if hand is None else hand.joints_mm @ turn.T, bone_mm)
        _write_fitting(view, name, letters / 4, letters)


def _squares(area: np.ndarray) -> list[np.ndarray]:
    """The parts of an area for two square views: one over the other if it is higher than wide, else side by side."""
    height, width = area.shape[:2]
    down, right = (height // 2, 0) if height > width else (0, width // 2)
    cell_height, cell_width = (down or height), (right or width)
    side = min(cell_height, cell_width)
    margin = max(2, side // 60)
    left = (cell_width - side) // 2
    corners = [(margin, left + margin), (down + margin, left + right + margin)]
    return [area[y : y + side - 2 * margin, x : x + side - 2 * margin] for y, x in corners]


def _draw_view(view: np.ndarray, joints_mm: np.ndarray | None, bone_mm: float) -> None:
    """One hand in space, over a grid; its middle is the middle finger's base."""
    reach_mm = _REACH * bone_mm
    px_per_mm = view.shape[0] / (2 * reach_mm)
    steps = int(reach_mm // _GRID_MM)
    for step in range(-steps, steps + 1):
        line = round((view.shape[0] - 1) / 2 + step * _GRID_MM * px_per_mm)
        view[line : line + 1] = view[:, line : line + 1] = _GRID
    cv2.rectangle(view, (0, 0), (view.shape[1] - 1, view.shape[0] - 1), _GRID)
    if joints_mm is not None:
        draw_in_space(view, joints_mm - joints_mm[MIDDLE_BASE], px_per_mm, reach_mm, _PAPER)


def _write_fitting(picture: np.ndarray, text: str, top: float, letters: int) -> None:
    """Writes a line of grey text in letters that are small enough for it to fit."""
    room = picture.shape[1] - letters
    height_px = max(6, min(letters, letters * room // max(text_width(text, letters), 1)))
    write_text(picture, text, (letters / 2, top), height_px, _GREY)
