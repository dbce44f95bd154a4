"""Metrics, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simhand.evaluation.metrics import joint_errors, mpjpe, mpjpe_per_joint, pck_auc, pck_curve

ERRORS = arrays(np.float64, (5, 3), elements=st.floats(0, 100))


def test_joint_errors_by_hand() -> None:
    true = np.zeros((1, 2, 3))
    predicted = np.array([[[3.0, 4.0, 0.0], [1.0, 2.0, -2.0]]])
    np.testing.assert_array_equal(joint_errors(predicted, true), [[5.0, 3.0]])


def test_means_by_hand() -> None:
    errors = np.array([[1.0, 10.0], [3.0, 30.0]])
    np.testing.assert_array_equal(mpjpe_per_joint(errors), [2.0, 20.0])
    assert mpjpe(errors) == 11.0


def test_masked_joints_do_not_count() -> None:
    errors = np.ma.array([[1.0, 10.0], [3.0, 999.0]], mask=[[0, 0], [0, 1]])
    assert mpjpe(errors) == 6.0  # (2 + 10) / 2
    np.testing.assert_array_equal(pck_curve(errors, np.array([2.0, 10.0])), [0.25, 1.0])


def test_a_joint_that_is_never_judged_does_not_count() -> None:
    errors = np.ma.array([[1.0, 10.0], [3.0, 30.0]], mask=[[0, 1], [0, 1]])
    assert mpjpe(errors) == 2.0
    np.testing.assert_array_equal(pck_curve(errors, np.array([1.0])), [0.5])


def test_pck_counts_the_threshold_itself() -> None:
    np.testing.assert_array_equal(pck_curve(np.array([[20.0, 30.0]]), np.array([19.9, 20.0, 30.0])), [0, 0.5, 1])


def test_auc_by_hand() -> None:
    errors = np.array([[25.0]])
    # thresholds 20, 30, 40, 50: shares 0, 1, 1, 1; trapezoids 5 + 10 + 10 of 30
    assert pck_auc(errors, 20, 50, 4) == pytest.approx(25 / 30)


@pytest.mark.parametrize(("error", "area"), [(0.0, 1.0), (20.0, 1.0), (50.1, 0.0)])
def test_auc_at_its_ends(error: float, area: float) -> None:
    assert pck_auc(np.full((4, 21), error), 20, 50, 15) == area


@given(ERRORS, st.floats(0, 50))
def test_greater_errors_are_never_better(errors: np.ndarray, more: float) -> None:
    assert mpjpe(errors + more) >= mpjpe(errors)
    assert pck_auc(errors + more, 20, 50, 15) <= pck_auc(errors, 20, 50, 15)


@given(ERRORS)
def test_the_order_of_images_does_not_matter(errors: np.ndarray) -> None:
    assert mpjpe(errors[::-1]) == pytest.approx(mpjpe(errors))
    assert pck_auc(errors[::-1], 20, 50, 15) == pytest.approx(pck_auc(errors, 20, 50, 15))
