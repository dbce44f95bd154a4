"""The square of the official loader, and keypoints in units of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simhand.hands.boxes import Box, clipped_square

SCALE = 1.3  # of the official loader; the keypoints are in units of this square


def official_square(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of the frame that the official loader shows of a hand: cut off at the border, so not always square."""
    return clipped_square(box, SCALE, width, height)


def has_area(square: Sequence[float]) -> bool:
    """Whether a square holds any pixel."""
    return square[2] > square[0] and square[3] > square[1]


def mirrored(keypoints: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Keypoints (n, 21, 3) in units of a crop, x to 1 - x for the hands that are `flipped`, bool (n,)."""
    result = keypoints.copy()
    result[flipped, :, 0] = 1 - result[flipped, :, 0]
    return result


def change_units(keypoints: np.ndarray, squares: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The same points of the frame in units of other squares; z, like x, is measured in the square's width.

    Args:
        keypoints: (n, 21, 3), in units of `squares`, not mirrored.
        squares: (n, 4), x1, y1, x2, y2 in pixels of the frame.
        others: (n, 4), the squares whose units are wanted.

    Returns:
        float64 (n, 21, 3).
    """
    pixels = keypoints.astype(np.float64) * _sides(squares) + _corners(squares)
    return (pixels - _corners(others)) / _sides(others)


def _corners(squares: np.ndarray) -> np.ndarray:
    corners = np.asarray(squares, np.float64)[:, None, [0, 1, 0]]
    return corners * [1, 1, 0]  # z has no origin but the wrist


def _sides(squares: np.ndarray) -> np.ndarray:
    squares = np.asarray(squares, np.float64)
    return (squares[:, 2:] - squares[:, :2])[:, None, [0, 1, 0]]
