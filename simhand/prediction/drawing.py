"""One frame as it is shown: the picture with its hands, and beside it each hand in space, from two sides."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from simhand.joints import MIDDLE_BASE, WRIST
from simhand.prediction.hands import FoundHand
from simhand.prediction.lettering import Colour, text_width, write_text
from simhand.prediction.skeleton import RIM, WHITE, draw_flat, draw_in_space

_HEIGHTS_PX = (600, 1080)  # a drawing is at least and at most so high
_WIDEST_PX = 1920  # nor is its picture wider
_PAPER: Colour = (250, 249, 246)
_GRID: Colour = (228, 226, 220)
_GREY: Colour = (110, 110, 110)
_GRID_MM = 50.0
_REACH = 1.4  # from a view's middle, the middle finger's base, to its border, in lengths of the bone from the wrist
_FROM_ITS_SIDE = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # z to the right, large x is near
_VIEWS = (("from the camera", np.eye(3)), ("from the side, camera to the left", _FROM_ITS_SIDE))


def draw_frame(rgb: np.ndarray, hands: Sequence[FoundHand], bone_mm: float, places: int) -> np.ndarray:
    """A frame with its hands, and two views of each hand in space beside it.

    Args:
        rgb: uint8 (h, w, 3).
        hands: of the frame.
        bone_mm: the assumed length that millimetres rest on.
        places: for so many hands there is room beside the picture; more share it. All frames of a video need the same
            number, to have one size; 0: no room.

    Returns:
        uint8 (H, W, 3), H and W even, for video.
    """
    picture, scale = _resized(rgb)
    for hand in hands:
        draw_flat(picture, (hand.keypoints_px + 0.5) * scale - 0.5)
    if len(hands) > 1:
        for number, hand in enumerate(hands, start=1):
            _draw_badge(picture, (hand.keypoints_px[WRIST] + 0.5) * scale - 0.5, str(number))
    return np.hstack([picture, _panel(picture.shape[0], hands, bone_mm, places)]) if places else picture


def _resized(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame as large as it is drawn, to be drawn on, and by how much (2,) larger that is."""
    height, width = rgb.shape[:2]
    scale = float(np.clip(height, *_HEIGHTS_PX)) / height
    scale = min(scale, max(_WIDEST_PX / width, 2 / height))
    size = [max(2 * round(scale * length / 2), 2) for length in (width, height)]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = rgb.copy() if size == [width, height] else cv2.resize(rgb, size, interpolation=way)
    return resized, np.array(size) / [width, height]


def _draw_badge(picture: np.ndarray, place: np.ndarray, text: str) -> None:
    """A number at the wrist, which the views refer to."""
    height = max(14, picture.shape[0] // 36)
    x, y = (int(value) for value in np.rint(place))
    for radius, colour in ((0.85, RIM), (0.72, WHITE)):
        cv2.circle(picture, (x, y), round(radius * height), colour, cv2.FILLED, cv2.LINE_AA)
    write_text(picture, text, (x - text_width(text, height) / 2 + 1, y - 0.68 * height), height, RIM)


def _panel(height: int, hands: Sequence[FoundHand], bone_mm: float, places: int) -> np.ndarray:
    """All hands in space: uint8 (height, width, 3), the width even."""
    width = height // 4 * 2 if places == 1 else height // places * 2
    panel = np.full((height, width, 3), _PAPER, np.uint8)
    letters = round(height / 48)
    room = height - 2 * letters
    for place, number in _placed(hands, places):
        rows = max(places, len(hands))
        card = panel[room * place // rows : room * (place + 1) // rows]
        title = f"{hands[number].side} hand"
        _draw_card(card, hands[number], bone_mm, f"{number + 1}  {title}" if len(hands) > 1 else title, letters)
    note = f"grid: {_GRID_MM:g} mm, assuming a palm of {bone_mm:g} mm"
    write_text(panel, note, (letters / 2, room + letters / 3), _fitting(note, letters, width - letters), _GREY)
    return panel


def _placed(hands: Sequence[FoundHand], places: int) -> list[tuple[int, int]]:
    """(place, number of the hand): left hands from the top, others from the bottom, where a video keeps them."""
    lefts = [number for number, hand in enumerate(hands) if hand.side == "left"]
    others = [number for number, hand in enumerate(hands) if hand.side != "left"]
    rows = max(places, len(hands))
    return [*enumerate(lefts), *zip(range(rows - len(others), rows), others, strict=True)]


def _fitting(text: str, height_px: int, width_px: int) -> int:
    """The greatest size of letters, up to height_px, with which a line takes at most so many pixels."""
    return max(6, min(height_px, height_px * width_px // max(text_width(text, height_px), 1)))


def _draw_card(card: np.ndarray, hand: FoundHand, bone_mm: float, title: str, letters: int) -> None:
    """A hand's title and its views, beside each other or, in a high card, one over the other."""
    head = round(1.6 * letters)
    write_text(card, title, (letters / 2, letters / 3), round(1.2 * letters), RIM)
    height, width = card.shape[0] - head, card.shape[1]
    stacked = height > width
    side = min(height // 2, width) if stacked else min(height, width // 2)
    for place, (name, turn) in enumerate(_VIEWS):
        left = (width - side) // 2 if stacked else width // 2 * place + (width // 2 - side) // 2
        top = head + (place * (height // 2) if stacked else 0)
        _draw_view(card[top : top + side, left : left + side], hand.joints_mm @ turn.T, bone_mm, name, letters)


def _draw_view(view: np.ndarray, joints_mm: np.ndarray, bone_mm: float, name: str, letters: int) -> None:
    """One hand in space, over squares; its middle is the middle finger's base."""
    margin = max(2, view.shape[0] // 60)
    inner = view[margin:-margin, margin:-margin]
    reach_mm = _REACH * bone_mm
    px_per_mm = inner.shape[0] / (2 * reach_mm)
    middle = (inner.shape[0] - 1) / 2
    for step in range(-int(reach_mm // _GRID_MM), int(reach_mm // _GRID_MM) + 1):
        line = round(middle + step * _GRID_MM * px_per_mm)
        inner[line : line + 1] = inner[:, line : line + 1] = _GRID
    cv2.rectangle(inner, (0, 0), (inner.shape[1] - 1, inner.shape[0] - 1), _GRID)
    draw_in_space(inner, joints_mm - joints_mm[MIDDLE_BASE], px_per_mm, reach_mm, _PAPER)
    write_text(inner, name, (letters / 2, letters / 4), _fitting(name, letters, inner.shape[1] - letters), _GREY)
