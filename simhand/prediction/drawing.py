"""One frame as it is shown: the picture with its hands, and each of them in space beside it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from simhand.joints import WRIST
from simhand.prediction.hands import FoundHand
from simhand.prediction.lettering import text_width, write_text
from simhand.prediction.panel import draw_panel
from simhand.prediction.skeleton import RIM, WHITE, draw_flat

_HEIGHTS_PX = (600, 1080)  # a drawing is at least and at most so high
_WIDEST_PX = 1920  # nor is its picture wider
_LOWEST_PX = 300  # of a picture that is so made lower there is black below


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
    return np.hstack([picture, draw_panel(picture.shape[0], hands, bone_mm, places)]) if places else picture


def _resized(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame in the size in which it is drawn, to be drawn on, and by how much (2,) it was made larger."""
    height, width = rgb.shape[:2]
    scale = float(np.clip(height, *_HEIGHTS_PX)) / height
    scale = min(scale, max(_WIDEST_PX / width, 2 / height))
    size = [max(2 * round(scale * length / 2), 2) for length in (width, height)]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = rgb.copy() if size == [width, height] else cv2.resize(rgb, size, interpolation=way)
    below = max(_LOWEST_PX - size[1], 0)
    return np.pad(resized, ((0, below), (0, 0), (0, 0))), np.array(size) / [width, height]


def _draw_badge(picture: np.ndarray, place: np.ndarray, text: str) -> None:
    """A number at the wrist, which the views refer to."""
    height = max(14, picture.shape[0] // 36)
    x, y = (int(value) for value in np.rint(place))
    for radius, colour in ((0.85, RIM), (0.72, WHITE)):
        cv2.circle(picture, (x, y), round(radius * height), colour, cv2.FILLED, cv2.LINE_AA)
    write_text(picture, text, (x - text_width(text, height) / 2 + 1, y - 0.68 * height), height, RIM)
