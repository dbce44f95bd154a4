"""Errors of hands, as numbers: functions of arrays alone.

Errors are (N, 21), in mm. Where joints are not to be judged, give a masked array: every mean is then over the others.
Means are taken over images for each joint, and over joints then, as in the official evaluation (spec: section 11).
"""

from __future__ import annotations

import numpy as np


def joint_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distances (N, J) between joints (N, J, 3), in their unit."""
    return np.linalg.norm(predicted - true, axis=2)


def mpjpe_per_joint(errors: np.ndarray) -> np.ndarray:
    """Mean error of each joint over images: (J,)."""
    return errors.mean(axis=0)


def mpjpe(errors: np.ndarray) -> float:
    """Mean per joint position error."""
    return float(mpjpe_per_joint(errors).mean())


def pck_curve(errors: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Share of errors up to and including each threshold, (T,), for thresholds (T,)."""
    right = errors[None] <= thresholds[:, None, None]  # (T, N, J)
    return np.asarray(right.mean(axis=1).mean(axis=1))


def pck_auc(errors: np.ndarray, low: float, high: float, steps: int) -> float:
    """Area under the PCK curve between two thresholds, divided by their distance, so that it lies in 0..1.

    Args:
        errors: (N, J).
        low: least threshold, in the unit of the errors; 20 mm in the paper.
        high: greatest threshold; 50 mm in the paper.
        steps: thresholds in all, evenly spaced; 15 in the official code. Between them the curve counts as straight.
    """
    curve = pck_curve(errors, np.linspace(low, high, steps))
    return float((curve[1:] + curve[:-1]).mean() / 2)
