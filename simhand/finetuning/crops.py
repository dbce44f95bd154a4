"""Cutting a square around a hand: one affine map for image and keypoints.

Coordinates are continuous, in pixels: pixel i covers i to i + 1, so its centre lies at i + 0.5.
"""

from __future__ import annotations

import numpy as np


def crop_affine(center_px: np.ndarray, side_px: float, rotation_rad: float, size: int) -> np.ndarray:
    """The map (2, 3) from a square of an image, turned, to a crop of `size` x `size` pixels (spec: section 10).

    Args:
        center_px: (2,) of the square.
        side_px: of the square.
        rotation_rad: turns x towards y, that is clockwise as seen on a screen.
        size: pixels of the crop's side.
    """
    turn = (size / side_px) * rotation(rotation_rad)
    return np.column_stack([turn, size / 2 - turn @ center_px])


def rotation(angle_rad: float) -> np.ndarray:
    """The matrix (2, 2) that turns x towards y."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def move(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Points (..., 2) under a map (2, 3)."""
    return points @ affine[:, :2].T + affine[:, 2]
