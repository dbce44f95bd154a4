"""From a table of predictions to metrics.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simhand.errors import TableError
from simhand.evaluation.alignment import align_procrustes, align_root_and_bone
from simhand.evaluation.metrics import joint_errors, mpjpe, mpjpe_per_joint, pck_auc
from simhand.files import keypoints_array, read_parquet, write_json
from simhand.joints import MIDDLE_BASE
from simhand.tables import PREDICTIONS


def evaluate(predictions_path: Path | str, metrics_path: Path | str) -> None:
    """Reads simhand.tables.PREDICTIONS and writes `hand_metrics` as JSON.

    Raises:
        TableError: the table is missing, damaged or empty, or a joint is not finite.
    """
    table = read_parquet(predictions_path, PREDICTIONS)
    if len(table) == 0:
        raise TableError("no predictions to judge", where=predictions_path)
    predicted_mm, true_mm = (keypoints_array(table[name]).astype(float) for name in ("predicted_mm", "true_mm"))
    broken = ~np.isfinite(predicted_mm + true_mm).all(axis=(1, 2))  # (N,)
    if broken.any():
        image = table["image"][int(broken.argmax())]
        raise TableError("a joint is not finite", where=f"{predictions_path}, {image}", hint="fine-tune again")
    write_json(hand_metrics(predicted_mm, true_mm), metrics_path)


def hand_metrics(predicted_mm: np.ndarray, true_mm: np.ndarray) -> dict[str, Any]:
    """All that is reported about predicted hands.

    Args:
        predicted_mm: (N, 21, 3).
        true_mm: (N, 21, 3).

    Returns:
        n_images; mpjpe_mm, per_joint_mm and the areas pck_auc_20_50 (as in the paper, there times 100) and pck_auc_0_50
        after aligning wrist and bone length; pa_mpjpe_mm and pa_pck_auc_0_50 after Procrustes alignment; and
        mean_pose_mpjpe_mm, the mpjpe_mm of answering every image with the mean of the true poses.
    """
    errors_mm = joint_errors(align_root_and_bone(predicted_mm, true_mm), true_mm)
    pa_errors_mm = joint_errors(align_procrustes(predicted_mm, true_mm), true_mm)
    mean_pose_errors_mm = joint_errors(mean_pose(true_mm), true_mm)
    return {
        "n_images": len(true_mm),
        "mpjpe_mm": mpjpe(errors_mm),
        "per_joint_mm": mpjpe_per_joint(errors_mm).tolist(),
        "pck_auc_20_50": pck_auc(errors_mm, 20, 50, 15),
        "pck_auc_0_50": pck_auc(errors_mm, 0, 50, 100),
        "pa_mpjpe_mm": mpjpe(pa_errors_mm),
        "pa_pck_auc_0_50": pck_auc(pa_errors_mm, 0, 50, 100),
        "mean_pose_mpjpe_mm": mpjpe(mean_pose_errors_mm),
    }


def mean_pose(true_mm: np.ndarray) -> np.ndarray:
    """The mean of hands (N, 21, 3) of unit size, at the place and of the size of each of them: (N, 21, 3)."""
    unit = np.zeros_like(true_mm)
    unit[:, MIDDLE_BASE, 2] = 1.0
    alike = align_root_and_bone(true_mm, unit)  # wrists at the origin, bones of length one
    return align_root_and_bone(np.broadcast_to(alike.mean(axis=0), true_mm.shape), true_mm)
