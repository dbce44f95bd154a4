"""Evaluation against numbers recorded from the official code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.lib.npyio import NpzFile

from simhand.evaluation.alignment import align_procrustes, align_root_and_bone
from simhand.evaluation.metrics import joint_errors, mpjpe, mpjpe_per_joint, pck_auc, pck_curve

F32 = 1e-5  # relative: recorded in float32
F64 = 1e-9


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("e_eval")


@pytest.fixture(scope="module")
def true_m(data: NpzFile) -> np.ndarray:
    return data["gt_xyz_m"].astype(np.float64)


@pytest.fixture(scope="module")
def aligned_m(data: NpzFile, true_m: np.ndarray) -> np.ndarray:
    return align_root_and_bone(data["pred_xyz_norm"].astype(np.float64), true_m)


@pytest.fixture(scope="module")
def errors_mm(aligned_m: np.ndarray, true_m: np.ndarray) -> np.ndarray:
    return 1000 * joint_errors(aligned_m, true_m)


def test_aligned_hands(data: NpzFile, aligned_m: np.ndarray) -> None:
    np.testing.assert_allclose(aligned_m, data["aligned_pred_m"], atol=2e-7)


def test_mpjpe(data: NpzFile, errors_mm: np.ndarray) -> None:
    assert mpjpe(errors_mm) == pytest.approx(float(data["mpjpe_mm"]), rel=F32)
    np.testing.assert_allclose(mpjpe_per_joint(errors_mm), data["epe_per_joint_mm"], rtol=F32)


def test_pck_and_auc(data: NpzFile, errors_mm: np.ndarray) -> None:
    np.testing.assert_allclose(pck_curve(errors_mm, data["thresholds_20_50"]), data["pck_curve_20_50"], rtol=F64)
    np.testing.assert_allclose(pck_curve(errors_mm, np.linspace(0, 50, 100)), data["pck_curve_0_50"], rtol=F64)
    assert pck_auc(errors_mm, 20, 50, 15) == pytest.approx(float(data["auc_20_50"]), rel=F64)
    assert pck_auc(errors_mm, 0, 50, 100) == pytest.approx(float(data["auc_0_50"]), rel=F64)
    for threshold in (20, 30, 50):
        expected = data[f"pck_at_{threshold}"]
        np.testing.assert_allclose(pck_curve(errors_mm, np.array([threshold])), [expected], rtol=F64)


def test_unseen_joints(data: NpzFile, errors_mm: np.ndarray) -> None:
    seen = np.ma.array(errors_mm, mask=~data["vis"])
    assert mpjpe(seen) == pytest.approx(float(data["vis_mpjpe_mm"]), rel=F32)
    assert pck_auc(seen, 20, 50, 15) == pytest.approx(float(data["vis_auc_20_50"]), rel=F64)


def test_freihand_absolute(data: NpzFile, true_m: np.ndarray) -> None:
    errors_m = joint_errors(data["fh_pred_m"], true_m)
    assert mpjpe(errors_m) == pytest.approx(float(data["fh_mean3d_m"]), rel=F64)
    assert pck_auc(errors_m, 0, 0.05, 100) == pytest.approx(float(data["fh_auc"]), rel=F64)


def test_freihand_aligned_with_reflections(data: NpzFile, true_m: np.ndarray) -> None:
    aligned_m = align_procrustes(data["fh_pred_m"], true_m, reflections=True)
    errors_m = joint_errors(aligned_m, true_m)
    # the script adds 1e-8 to the sizes that it divides by
    np.testing.assert_allclose(aligned_m, data["fh_aligned_pred_m"], atol=2e-8)
    assert mpjpe(errors_m) == pytest.approx(float(data["fh_al_mean3d_m"]), rel=F64)
    assert pck_auc(errors_m, 0, 0.05, 100) == pytest.approx(float(data["fh_al_auc"]), rel=F64)


def test_peclr_procrustes(data: NpzFile, true_m: np.ndarray) -> None:
    aligned_m = align_procrustes(data["fh_pred_m"], true_m)
    np.testing.assert_allclose(aligned_m, data["peclr_pa_pred"], atol=1e-12)
    assert mpjpe(joint_errors(aligned_m, true_m)) == pytest.approx(float(data["peclr_pa_epe_mean"]), rel=F64)


def test_peclr_error(data: NpzFile, true_m: np.ndarray) -> None:
    errors_m = joint_errors(data["fh_pred_m"], true_m)
    assert mpjpe(errors_m) == pytest.approx(float(data["peclr_epe_mean"]), rel=F64)
