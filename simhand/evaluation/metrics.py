"""Errors of hands, as numbers: functions of arrays alone.

Errors are (N, J), in mm if nothing else is said. Where joints are not to be judged, give a masked array: every mean is
then over the others. Means are taken over images for each joint, and over joints then, as in the official evaluation
(spec: section 11); a joint that is never judged does not count.
"""

from __future__ import annotations

import numpy as np

from simhand.joints import JOINTS_OF

PECLR_THRESHOLDS_M = np.arange(100) * 0.005
"""PeCLR's evaluation: 0 to 0.495 m (spec: section 11). They are to be undershot, see `pck_curve`."""


def joint_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distances (N, J) between joints (N, J, 3), in their unit; of keypoints (N, J, 2) too."""
    return np.linalg.norm(predicted - true, axis=2)


def mpjpe_per_joint(errors: np.ndarray) -> np.ndarray:
    """Mean error of each joint over images: (J,), masked where never judged."""
    return errors.mean(axis=0)


def mpjpe(errors: np.ndarray) -> float:
    """Mean per joint position error."""
    return float(mpjpe_per_joint(errors).mean())


def mpjpe_per_finger(errors: np.ndarray) -> dict[str, float | None]:
    """Mean of the errors (N, 21) of each finger's joints, by its name; None where none is ever judged."""
    per_joint: np.ma.MaskedArray = np.ma.asarray(mpjpe_per_joint(errors))  # (21,)
    means = {finger: per_joint[list(joints)].mean() for finger, joints in JOINTS_OF.items()}
    return {finger: None if mean is np.ma.masked else float(mean) for finger, mean in means.items()}


def median_error(errors: np.ndarray) -> float:
    """The median over images for each joint, and the mean of that over joints."""
    return float(np.ma.median(errors, axis=0).mean())


def pooled_median(errors: np.ndarray) -> float:
    """The median of all joints of all images, the lower of two in the middle, as PeCLR's evaluation has it."""
    judged = np.sort(np.ma.compressed(errors))
    return float(judged[(len(judged) - 1) // 2])


def pck_curves(errors: np.ndarray, thresholds: np.ndarray, *, strict: bool = False) -> np.ndarray:
    """Share of each joint's errors up to each threshold, (T, J), masked where the joint is never judged.

    Args:
        errors: (N, J).
        thresholds: (T,), ascending.
        strict: whether errors must lie below a threshold, rather than below it or at it.
    """
    judged = ~np.ma.getmaskarray(errors)  # (N, J)
    # the first threshold that each error does not exceed; counted by joint, so that no (T, N, J) is ever made
    reached = np.searchsorted(thresholds, np.ma.getdata(errors), side="right" if strict else "left")  # (N, J)
    steps, joints = len(thresholds), errors.shape[1]
    places = reached + (steps + 1) * np.arange(joints)  # T + 1 bins a joint: the last is beyond all thresholds
    found = np.bincount(places[judged], minlength=(steps + 1) * joints).reshape(joints, steps + 1)
    counts = np.ma.masked_equal(judged.sum(axis=0), 0)  # (J,)
    return found[:, :-1].cumsum(axis=1).T / counts


def pck_curve(errors: np.ndarray, thresholds: np.ndarray, *, strict: bool = False) -> np.ndarray:
    """Share of errors up to and including each threshold, mean over joints: (T,); arguments as of `pck_curves`."""
    return np.asarray(pck_curves(errors, thresholds, strict=strict).mean(axis=1))


def pck_auc(errors: np.ndarray, low: float, high: float, steps: int) -> float:
    """Area under the PCK curve between two thresholds, divided by their distance, so that it lies in 0..1.

    Args:
        errors: (N, J).
        low: least threshold, in the unit of the errors; 20 mm in the paper.
        high: greatest threshold; 50 mm in the paper.
        steps: thresholds in all, evenly spaced; 15 in the official code. Between them the curve counts as straight.
    """
    return float(_area(pck_curve(errors, np.linspace(low, high, steps))))


def peclr_auc(errors_m: np.ndarray) -> np.ndarray:
    """PeCLR's area under each joint's PCK curve, (J,): 0 to 0.495 m, ten times as far as others measure.

    Args:
        errors_m: (N, J), in metres.
    """
    return _area(pck_curves(errors_m, PECLR_THRESHOLDS_M, strict=True))


def _area(curves: np.ndarray) -> np.ndarray:
    """Under curves (T, ...) of evenly spaced thresholds, as a share of what it could be: (...)."""
    return (curves[1:] + curves[:-1]).mean(axis=0) / 2
