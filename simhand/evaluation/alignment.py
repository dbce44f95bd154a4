"""Taking out of a predicted hand what it is not judged by: its place, its size, or its orientation too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simhand.joints import MIDDLE_BASE, WRIST

_SMALLEST = 1e-9  # a length in place of zero, so that a collapsed hand has a finite error


def align_root(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Moves hands (N, 21, 3) so that the wrist is the true one; the size stays the predicted one."""
    return predicted - predicted[:, [WRIST]] + true[:, [WRIST]]


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


class Similarity(NamedTuple):
    """What moves N hands: hands (N, J, 3) become scale * hands @ rotation + shift."""

    rotation: np.ndarray  # (N, 3, 3), orthogonal
    scale: np.ndarray  # (N, 1, 1)
    shift: np.ndarray  # (N, 1, 3)

    def __call__(self, hands: np.ndarray) -> np.ndarray:
        """Moves hands (N, J, 3)."""
        return self.scale * (hands @ self.rotation) + self.shift


def procrustes(
    predicted: np.ndarray,
    true: np.ndarray,
    seen: np.ndarray | None = None,
    *,
    reflections: bool = False,
    added_size: float = 0.0,
) -> Similarity:
    """What lays each predicted hand as near as can be to the true one, in the sense of least squares.

    Args:
        predicted: (N, J, 3), in any unit.
        true: (N, J, 3); joints that are not seen may have any value, NaN too.
        seen: (N, J) bool, the joints that count; None: all.
        reflections: whether a hand may be mirrored too, which turns a left hand into a right one.
        added_size: what to add to the predicted hand's size (the norm of its centred joints) before dividing by it;
            1e-8 m in FreiHAND's script.
    """
    counts = np.ones(true.shape[:2]) if seen is None else seen.astype(float)  # (N, J)
    (source, center), (target, true_center) = (_centred(hands, counts) for hands in (predicted, true))
    left, stretch, right = np.linalg.svd(source.transpose(0, 2, 1) @ target)  # (N, 3, 3), (N, 3), (N, 3, 3)
    if not reflections:
        mirrored = np.linalg.det(left @ right) < 0  # (N,)
        left[mirrored, :, -1] *= -1
        stretch[mirrored, -1] *= -1
    size = np.maximum(np.sqrt((source**2).sum(axis=(1, 2))) + added_size, _SMALLEST)  # (N,)
    rotation, scale = left @ right, (stretch.sum(axis=1) / size**2)[:, None, None]
    return Similarity(rotation, scale, true_center - scale * (center @ rotation))


def _centred(hands: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, J, 3) less the mean of those that count, zero where they do not, and that mean (N, 1, 3)."""
    weights = counts[..., None]  # (N, J, 1)
    known = np.where(weights > 0, hands, 0.0)
    center = known.sum(axis=1, keepdims=True) / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return weights * (known - center), center


def align_procrustes(
    predicted: np.ndarray, true: np.ndarray, seen: np.ndarray | None = None, *, reflections: bool = False
) -> np.ndarray:
    """Moves, scales and rotates hands to lie as near as can be to the true ones: arguments as of `procrustes`.

    Returns:
        (N, J, 3), in the unit of `true`; of joints that are not seen too.
    """
    return procrustes(predicted, true, seen, reflections=reflections)(predicted)
