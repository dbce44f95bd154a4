"""Rotations about coordinate axes."""

from __future__ import annotations

import numpy as np

X, Y, Z = 0, 1, 2


def turn(axis: int, angle_rad: np.ndarray | float) -> np.ndarray:
    """Rotation matrices (..., 3, 3) about one axis, right-handed, for angles (...)."""
    angle = np.asarray(angle_rad, dtype=float)
    matrix = np.zeros((*angle.shape, 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., i, i] = matrix[..., j, j] = np.cos(angle)
    matrix[..., j, i] = np.sin(angle)
    matrix[..., i, j] = -matrix[..., j, i]
    return matrix
