"""Evaluation against numbers recorded from the official code (e_eval.npz): every one that is a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.lib.npyio import NpzFile

from simhand.evaluation.alignment import align_root_and_bone, procrustes
from simhand.evaluation.freihand_challenge import align_as_freihand, freihand_scores
from simhand.evaluation.keypoints import heatmap_accuracy
from simhand.evaluation.metrics import (
    joint_errors,
    median_error,
    mpjpe,
    mpjpe_per_joint,
    pck_auc,
    pck_curve,
    peclr_auc,
    pooled_median,
)

F32 = 1e-5  # recorded in float32, or computed in it
F64 = 1e-9
HEATMAP_CELLS = 32
GIVEN = {"gt_xyz_m", "pred_xyz_norm", "vis", "fh_pred_m", "hm_pred_uv", "hm_target_uv", "hm_mask"}

Found: TypeAlias = dict[str, "np.ndarray | float"]


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("e_eval")


@pytest.fixture(scope="module")
def found(data: NpzFile) -> Found:
    """All results, recomputed, by the names of the recording."""
    true_m = data["gt_xyz_m"].astype(np.float64)
    return {**paper(data, true_m), **freihand(data, true_m), **peclr(data, true_m), **heatmaps(data)}


def paper(data: NpzFile, true_m: np.ndarray) -> Found:
    aligned_m = align_root_and_bone(data["pred_xyz_norm"].astype(np.float64), true_m)
    errors_mm = 1000 * joint_errors(aligned_m, true_m)
    seen = np.ma.array(errors_mm, mask=~data["vis"])
    marks = [name for name in data.files if name.startswith("pck_at_")]
    few, many = len(data["pck_curve_20_50"]), len(data["pck_curve_0_50"])
    return {
        "aligned_pred_m": aligned_m,
        "mpjpe_mm": mpjpe(errors_mm),
        "epe_per_joint_mm": mpjpe_per_joint(errors_mm),
        "epe_median_mm": median_error(errors_mm),
        "thresholds_20_50": np.linspace(20, 50, few),
        "pck_curve_20_50": pck_curve(errors_mm, np.linspace(20, 50, few)),
        "auc_20_50": pck_auc(errors_mm, 20, 50, few),
        "pck_curve_0_50": pck_curve(errors_mm, np.linspace(0, 50, many)),
        "auc_0_50": pck_auc(errors_mm, 0, 50, many),
        **{name: pck_curve(errors_mm, np.array([float(name.removeprefix("pck_at_"))]))[0] for name in marks},
        "vis_mpjpe_mm": mpjpe(seen),
        "vis_median_mm": median_error(seen),
        "vis_auc_20_50": pck_auc(seen, 20, 50, few),
    }


def freihand(data: NpzFile, true_m: np.ndarray) -> Found:
    """FreiHAND's script: hands as they lie, and after an alignment that may mirror them."""
    aligned_m = align_as_freihand(data["fh_pred_m"], true_m)
    scores = freihand_scores(data["fh_pred_m"], true_m)
    return {
        "fh_mean3d_m": scores["xyz_mean3d"] / 100,
        "fh_median3d_m": median_error(joint_errors(data["fh_pred_m"], true_m)),
        "fh_auc": scores["xyz_auc3d"],
        "fh_al_mean3d_m": scores["xyz_al_mean3d"] / 100,
        "fh_al_median_m": median_error(joint_errors(aligned_m, true_m)),
        "fh_al_auc": scores["xyz_al_auc3d"],
        "fh_aligned_pred_m": aligned_m,
    }


def peclr(data: NpzFile, true_m: np.ndarray) -> Found:
    """PeCLR's evaluation: hands as they lie, and after an alignment by proper rotations."""
    errors_m = joint_errors(data["fh_pred_m"], true_m)
    similarity = procrustes(data["fh_pred_m"], true_m)
    aligned_m = similarity(data["fh_pred_m"])
    return {
        "peclr_epe_mean": mpjpe(errors_m),
        "peclr_epe_median": pooled_median(errors_m),
        "peclr_auc_joints": peclr_auc(errors_m),
        "peclr_pa_pred": aligned_m,
        "peclr_pa_rot": similarity.rotation,
        "peclr_pa_scale": similarity.scale,
        "peclr_pa_trans": similarity.shift,
        "peclr_pa_epe_mean": mpjpe(joint_errors(aligned_m, true_m)),
        "peclr_pa_auc": float(peclr_auc(joint_errors(aligned_m, true_m)).mean()),
    }


def heatmaps(data: NpzFile) -> Found:
    accuracy = heatmap_accuracy(data["hm_pred_uv"], data["hm_target_uv"], HEATMAP_CELLS, data["hm_mask"] > 0)
    return {"hm_acc_joint": np.ma.filled(accuracy, -1.0), "hm_acc_avg": float(accuracy.mean())}


def test_every_result_is_recomputed(data: NpzFile, found: Found) -> None:
    assert set(data.files) - GIVEN == set(found)


def test_results(data: NpzFile, found: Found) -> None:
    for name, value in found.items():
        recorded = data[name]
        tolerance = F32 if recorded.dtype == np.float32 or name == "peclr_auc_joints" else F64
        atol = tolerance * np.abs(recorded).max()
        np.testing.assert_allclose(value, recorded, rtol=tolerance, atol=atol, err_msg=name)


def test_shares_are_exact(data: NpzFile, found: Found) -> None:
    """A joint on the wrong side of a threshold would be seen: shares differ by nothing but rounding."""
    for name in ("pck_curve_20_50", "pck_curve_0_50"):
        np.testing.assert_allclose(found[name], data[name], rtol=0, atol=1e-12)


def test_one_hand_is_mirrored_by_freihand_alone(data: NpzFile) -> None:
    true_m = data["gt_xyz_m"].astype(np.float64)
    turned = [procrustes(data["fh_pred_m"], true_m, reflections=mirror).rotation for mirror in (True, False)]
    assert np.linalg.det(turned[0][0]) == pytest.approx(-1)
    np.testing.assert_allclose(np.linalg.det(turned[1]), 1)
