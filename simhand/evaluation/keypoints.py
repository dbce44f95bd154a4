"""How well hands are found in the image: metrics of keypoints, in two dimensions."""

from __future__ import annotations

import numpy as np

from simhand.evaluation.metrics import joint_errors


def hand_extents(true_px: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The greater side of the box around each hand's seen keypoints.

    Args:
        true_px: (N, J, 2).
        seen: (N, J) bool; of each hand at least one.

    Returns:
        (N,), in pixels.
    """
    hidden = ~seen[..., None]  # (N, J, 1)
    high, low = (np.where(hidden, beyond, true_px) for beyond in (-np.inf, np.inf))
    return (high.max(axis=1) - low.min(axis=1)).max(axis=1)


def heatmap_accuracy(predicted: np.ndarray, true: np.ndarray, size: int, seen: np.ndarray) -> np.ndarray:
    """The share of heat maps whose maximum lies within a twentieth of their side of the true one (spec: section 11).

    The official training prints it. No metric is made of it: it is here to be held against the official code's.

    Args:
        predicted: (N, J, 2), places of the maxima, x and y in cells.
        true: (N, J, 2); one in the first column or row does not count, as officially.
        size: cells on a side, 32 in DetNet.
        seen: (N, J) bool, the joints that count.

    Returns:
        (J,), masked where a joint never counts; the official mean is over the others.
    """
    counted = seen & (true >= 1).all(axis=2)
    near = joint_errors(predicted, true) < 0.5 * size / 10
    return np.ma.masked_array(near, mask=~counted).mean(axis=0)
