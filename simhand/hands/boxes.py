"""Boxes and squares: x1, y1, x2, y2 in pixels, x to the right, y down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

Box: TypeAlias = Sequence[float]


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes; 0 where neither has an area."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    intersection = max(width, 0.0) * max(height, 0.0)
    union = _area(a) + _area(b) - intersection
    return intersection / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def square_around(box: Box, scale: float) -> tuple[int, int, int, int]:
    """The square with the box's centre and `scale` times its longer side, on whole pixels, not clipped."""
    side = max(round(scale * max(box[2] - box[0], box[3] - box[1])), 1)
    x1 = round((box[0] + box[2]) / 2 - side / 2)
    y1 = round((box[1] + box[3]) / 2 - side / 2)
    return x1, y1, x1 + side, y1 + side


def clipped_square(box: Box, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The official code's square: truncated to whole pixels and cut off at the frame's border, so not always square.

    Source: spec section 1, crop of the released loader.
    """
    x1, y1, x2, y2 = (int(value) for value in box)
    grow_x = int((int(scale * (x2 - x1)) - (x2 - x1)) / 2)
    grow_y = int((int(scale * (y2 - y1)) - (y2 - y1)) / 2)
    x1, x2, y1, y2 = x1 - grow_x, x2 + grow_x, y1 - grow_y, y2 + grow_y
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    half = max(x2 - x1, y2 - y1) // 2
    return (
        max(0, int(centre_x - half)),
        max(0, int(centre_y - half)),
        min(width, int(centre_x + half)),
        min(height, int(centre_y + half)),
    )


def cut(image: np.ndarray, square: tuple[int, int, int, int]) -> np.ndarray:
    """The part of an image (h, w, 3) inside a square; black beyond the image's border."""
    x1, y1, x2, y2 = square
    height, width = image.shape[:2]
    inside = image[max(y1, 0) : max(min(y2, height), 0), max(x1, 0) : max(min(x2, width), 0)]
    if inside.shape[:2] == (y2 - y1, x2 - x1):
        return inside
    if inside.size == 0:
        return np.zeros((y2 - y1, x2 - x1, 3), image.dtype)
    borders = (max(-y1, 0), max(y2 - height, 0), max(-x1, 0), max(x2 - width, 0))
    return cv2.copyMakeBorder(inside, *borders, cv2.BORDER_CONSTANT)


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """An image as `size` x `size` pixels, averaged where it shrinks."""
    shrinks = min(image.shape[:2]) > size
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
