"""From a table of predictions to metrics.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simhand.evaluation.alignment import align_procrustes, align_root, align_root_and_bone
from simhand.evaluation.conditions import errors_by_bin, hidden_bins, side_bins, viewing_angles
from simhand.evaluation.keypoints import hand_extents
from simhand.evaluation.metrics import (
    joint_errors,
    median_error,
    mpjpe,
    mpjpe_per_finger,
    mpjpe_per_joint,
    pck_auc,
    pck_curve,
    peclr_auc,
    pooled_median,
)
from simhand.evaluation.predictions import Predictions, aligned_errors, read_predictions
from simhand.files import write_json
from simhand.unit_hands import mean_locations

KEYPOINT_THRESHOLDS = (0.05, 0.1, 0.2)  # of the hand's extent in the image
_MM = 1000.0  # millimetres in a metre


def evaluate(predictions_path: Path | str, metrics_path: Path | str) -> None:
    """Reads simhand.tables.PREDICTIONS and writes `all_metrics` as JSON.

    Raises:
        TableError: the table is missing, damaged or empty, or a joint is not finite.
    """
    write_json(all_metrics(read_predictions(predictions_path)), metrics_path)


def all_metrics(predictions: Predictions) -> dict[str, Any]:
    """All that is reported about predicted hands; joints that are not seen count nowhere.

    Returns:
        what `hand_metrics` returns; mean_pose_mpjpe_mm, the mpjpe_mm of answering every image with the mean pose of the
        training hands, which a model must beat to have learnt anything; by_hidden, by_view and by_side, see
        `metrics_by_condition`; keypoints, see `keypoint_metrics`; and absolute, see `absolute_metrics`.
    """
    true_mm, seen = predictions.true_mm.astype(float), predictions.seen
    mean_mm = align_root_and_bone(predictions.mean_mm.astype(float), true_mm)
    return {
        **hand_metrics(predictions.predicted_mm, true_mm, seen),
        "mean_pose_mpjpe_mm": mpjpe(_judged(mean_mm, true_mm, seen)),
        **metrics_by_condition(predictions),
        "keypoints": keypoint_metrics(predictions.predicted_px, predictions.true_px, predictions.seen),
        "absolute": absolute_metrics(predictions.absolute_mm, predictions.true_mm, predictions.seen),
    }


def hand_metrics(predicted_mm: np.ndarray, true_mm: np.ndarray, seen: np.ndarray | None = None) -> dict[str, Any]:
    """Errors that leave out place and size.

    Args:
        predicted_mm: (N, 21, 3).
        true_mm: (N, 21, 3); joints that are not seen may be NaN.
        seen: (N, 21) bool, the joints that are judged; None: all.

    Returns:
        n_images and n_joints, how many are judged; after aligning wrist and bone length mpjpe_mm, median_mm,
        per_joint_mm, per_finger_mm, pck_20_50 and pck_0_50 (shares of joints within 15 or 100 thresholds) and their
        areas pck_auc_20_50 (as in the paper, there times 100) and pck_auc_0_50; after Procrustes alignment with proper
        rotations pa_mpjpe_mm, pa_median_mm and pa_pck_auc_0_50; and own_mean_pose_mpjpe_mm, the mpjpe_mm of answering
        every image with the mean of these very hands' true poses, which no model can know.
    """
    predicted, true = predicted_mm.astype(float), true_mm.astype(float)
    seen = np.ones(true.shape[:2], dtype=bool) if seen is None else seen
    errors_mm = _judged(align_root_and_bone(predicted, true), true, seen)
    pa_errors_mm = _judged(align_procrustes(predicted, true, seen), true, seen)
    return {
        "n_images": len(true),
        "n_joints": int(seen.sum()),
        **_aligned_metrics(errors_mm),
        "pa_mpjpe_mm": mpjpe(pa_errors_mm),
        "pa_median_mm": median_error(pa_errors_mm),
        "pa_pck_auc_0_50": pck_auc(pa_errors_mm, 0, 50, 100),
        "own_mean_pose_mpjpe_mm": mpjpe(_judged(mean_pose(true, seen), true, seen)),
    }


def _aligned_metrics(errors_mm: np.ndarray) -> dict[str, Any]:
    return {
        "mpjpe_mm": mpjpe(errors_mm),
        "median_mm": median_error(errors_mm),
        "per_joint_mm": mpjpe_per_joint(errors_mm).tolist(),  # None for a joint that is never judged
        "per_finger_mm": mpjpe_per_finger(errors_mm),
        "pck_20_50": pck_curve(errors_mm, np.linspace(20, 50, 15)).tolist(),
        "pck_0_50": pck_curve(errors_mm, np.linspace(0, 50, 100)).tolist(),
        "pck_auc_20_50": pck_auc(errors_mm, 20, 50, 15),
        "pck_auc_0_50": pck_auc(errors_mm, 0, 50, 100),
    }


def _judged(predicted: np.ndarray, true: np.ndarray, seen: np.ndarray) -> np.ma.MaskedArray:
    """Errors (N, J), masked where not seen."""
    return np.ma.masked_array(joint_errors(predicted, true), mask=~seen)


def mean_pose(true_mm: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
    """The mean of hands (N, 21, 3) of unit size, at the place and of the size of each of them: (N, 21, 3).

    Each joint's mean is over the hands of which it is seen (N, 21); one that never is lies at the wrist.
    """
    seen = np.ones(true_mm.shape[:2], dtype=bool) if seen is None else seen
    mean = mean_locations(true_mm, seen)
    return align_root_and_bone(np.broadcast_to(mean, true_mm.shape), true_mm)


def metrics_by_condition(predictions: Predictions) -> dict[str, Any]:
    """MPJPE, root and bone aligned, and count of hands.

    Returns:
        by_hidden: by the share of joints that something hides; by_view: by the camera; by_side: by the side of the hand
        that is seen, told by the palm's true joints. Each without the hands of which the labels do not tell.
    """
    errors_mm = aligned_errors(predictions)
    return {
        "by_hidden": errors_by_bin(errors_mm, hidden_bins(predictions.hidden)),
        "by_view": errors_by_bin(errors_mm, predictions.views),
        "by_side": errors_by_bin(errors_mm, side_bins(viewing_angles(predictions.true_mm))),
    }


def keypoint_metrics(predicted_px: np.ndarray, true_px: np.ndarray, seen: np.ndarray) -> dict[str, Any] | None:
    """Errors in the image.

    Args:
        predicted_px: (N, 21, 2) in pixels; a hand with NaN is left out.
        true_px: (N, 21, 2).
        seen: (N, 21) bool.

    Returns:
        n_images; mean_error_px and median_error_px in pixels of the image; and pck, the shares of keypoints within
        parts of the hand's extent (the greater side of the box around its true keypoints). None if no hand is left.
    """
    known = _finite(predicted_px + true_px, seen)
    if not known.any():
        return None
    predicted, true, seen = predicted_px[known].astype(float), true_px[known].astype(float), seen[known]
    errors_px = _judged(predicted, true, seen)
    errors = errors_px / hand_extents(true, seen)[:, None]
    shares = pck_curve(errors, np.array(KEYPOINT_THRESHOLDS))
    return {
        "n_images": len(true),
        "mean_error_px": mpjpe(errors_px),
        "median_error_px": median_error(errors_px),
        "pck": {f"{part:g}": float(share) for part, share in zip(KEYPOINT_THRESHOLDS, shares, strict=True)},
    }


def _finite(joints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Whether all joints (N, J, D) of a hand that are seen (N, J) are finite: (N,)."""
    return (np.isfinite(joints).all(axis=2) | ~seen).all(axis=1)


def absolute_metrics(absolute_mm: np.ndarray, true_mm: np.ndarray, seen: np.ndarray) -> dict[str, Any] | None:
    """Errors of hands where the model sees them and as large as it sees them, as FreiHAND's challenge measures.

    Args:
        absolute_mm: (N, 21, 3) in the camera frame; a hand with NaN is left out.
        true_mm: (N, 21, 3).
        seen: (N, 21) bool.

    Returns:
        n_images; nothing aligned, mpjpe_mm, median_mm and pck_auc_0_50; the wrist aligned, root_mpjpe_mm; and after
        Procrustes alignment that may mirror, as FreiHAND's does, aligned_mpjpe_mm, aligned_median_mm and
        aligned_pck_auc_0_50. In millimetres: the challenge and PeCLR's table have centimetres. Then PeCLR's own
        evaluation: peclr_auc up to 495 mm and peclr_median_mm over all joints, nothing aligned, and peclr_pa_auc after
        proper rotations. None if no hand is left.
    """
    known = _finite(absolute_mm, seen)
    if not known.any():
        return None
    absolute, true, seen = absolute_mm[known].astype(float), true_mm[known].astype(float), seen[known]
    errors_mm = _judged(absolute, true, seen)
    aligned_mm = _judged(align_procrustes(absolute, true, seen, reflections=True), true, seen)
    pa_errors_mm = _judged(align_procrustes(absolute, true, seen), true, seen)
    return {
        "n_images": len(true),
        **_absolute(errors_mm, ""),
        "root_mpjpe_mm": mpjpe(_judged(align_root(absolute, true), true, seen)),
        **_absolute(aligned_mm, "aligned_"),
        "peclr_auc": float(peclr_auc(errors_mm / _MM).mean()),
        "peclr_median_mm": pooled_median(errors_mm),
        "peclr_pa_auc": float(peclr_auc(pa_errors_mm / _MM).mean()),
    }


def _absolute(errors_mm: np.ndarray, prefix: str) -> dict[str, float]:
    return {
        f"{prefix}mpjpe_mm": mpjpe(errors_mm),
        f"{prefix}median_mm": median_error(errors_mm),
        f"{prefix}pck_auc_0_50": pck_auc(errors_mm, 0, 50, 100),
    }
