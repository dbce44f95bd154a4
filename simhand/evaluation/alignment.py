"""Taking out of a predicted hand what it is not judged by: its place, its size, or its orientation too."""

from __future__ import annotations

import numpy as np

from simhand.joints import MIDDLE_BASE, WRIST

_SMALLEST = 1e-9  # a length in place of zero, so that a collapsed hand has a finite error


def align_root_and_bone(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Moves and scales hands so that wrist and bone length are the true ones; no rotation (spec: section 11).

    This is what the paper's MPJPE and PCK-AUC are measured after.

    Args:
        predicted: (N, 21, 3), in any unit.
        true: (N, 21, 3).

    Returns:
        (N, 21, 3), in the unit of `true`.
    """
    bones = [hands[:, MIDDLE_BASE] - hands[:, WRIST] for hands in (true, predicted)]  # (N, 3) each
    true_length, length = (np.linalg.norm(bone, axis=1) for bone in bones)  # (N,)
    scale = true_length / np.maximum(length, _SMALLEST)
    return true[:, [WRIST]] + scale[:, None, None] * (predicted - predicted[:, [WRIST]])


def align_procrustes(predicted: np.ndarray, true: np.ndarray, *, reflections: bool = False) -> np.ndarray:
    """Moves, scales and rotates hands to lie as near as can be to the true ones in the sense of least squares.

    Args:
        predicted: (N, J, 3), in any unit.
        true: (N, J, 3).
        reflections: whether a hand may be mirrored too, which turns a left hand into a right one.

    Returns:
        (N, J, 3), in the unit of `true`.
    """
    true_center, center = (hands.mean(axis=1, keepdims=True) for hands in (true, predicted))
    target, source = true - true_center, predicted - center  # (N, J, 3)
    left, stretch, right = np.linalg.svd(source.transpose(0, 2, 1) @ target)  # (N, 3, 3), (N, 3), (N, 3, 3)
    if not reflections:
        mirrored = np.linalg.det(left @ right) < 0  # (N,)
        left[mirrored, :, -1] *= -1
        stretch[mirrored, -1] *= -1
    spread = np.maximum((source**2).sum(axis=(1, 2)), _SMALLEST**2)  # (N,)
    scale = stretch.sum(axis=1) / spread
    return true_center + scale[:, None, None] * (source @ left @ right)
