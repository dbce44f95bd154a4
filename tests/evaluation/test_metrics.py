"""Metrics, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simhand.evaluation.metrics import (
    joint_errors,
    median_error,
    mpjpe,
    mpjpe_per_finger,
    mpjpe_per_joint,
    pck_auc,
    pck_curve,
    pck_curves,
    peclr_auc,
    pooled_median,
)

ERRORS = arrays(np.float64, (5, 3), elements=st.floats(0, 100))
MASKED = st.builds(lambda errors, mask: np.ma.array(errors, mask=mask), ERRORS, arrays(bool, (5, 3)))


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


def test_fingers_by_hand() -> None:
    errors = np.ma.array(np.arange(21.0)[None].repeat(2, axis=0), mask=np.zeros((2, 21)))
    errors[:, 17:21] = np.ma.masked
    errors[0, 1] = np.ma.masked
    errors[1, 1] = 9.0
    expected = {"thumb": (9 + 2 + 3 + 4) / 4, "index": 6.5, "middle": 10.5, "ring": 14.5, "little": None}
    assert mpjpe_per_finger(errors) == expected
    assert mpjpe_per_finger(np.ones((2, 21)))["little"] == 1.0


def test_medians_by_hand() -> None:
    errors = np.ma.array([[1.0, 10.0], [2.0, 20.0], [9.0, 99.0]], mask=[[0, 0], [0, 0], [0, 1]])
    assert median_error(errors) == (2 + 15) / 2
    assert pooled_median(errors) == 9.0  # of 1, 2, 9, 10, 20
    assert pooled_median(errors[:2]) == 2.0  # of 1, 2, 10, 20 the lower one in the middle


def test_strict_pck() -> None:
    thresholds = np.array([20.0, 30.0, 31.0])
    np.testing.assert_array_equal(pck_curve(np.array([[20.0, 30.0]]), thresholds, strict=True), [0, 0.5, 1])


@given(MASKED, st.booleans())
def test_curves_are_what_comparing_gives(errors: np.ma.MaskedArray, strict: bool) -> None:
    thresholds = np.linspace(0, 50, 11)
    grid = thresholds[:, None, None]
    right = np.ma.array(errors.data < grid if strict else errors.data <= grid, mask=(grid < 0) | errors.mask)
    expected = right.mean(axis=1)
    np.testing.assert_allclose(
        np.ma.filled(pck_curves(errors, thresholds, strict=strict), -1), np.ma.filled(expected, -1)
    )


@given(MASKED)
def test_curves_never_fall_and_areas_are_shares(errors: np.ma.MaskedArray) -> None:
    if errors.mask.all():
        return
    curve = pck_curve(errors, np.linspace(0, 100, 30))
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == pytest.approx(1)
    assert 0 <= pck_auc(errors, 20, 50, 15) <= 1
    assert 0 <= peclr_auc(errors / 1000).mean() <= 1


@given(ERRORS, st.integers(0, 4))
def test_a_masked_image_is_as_if_removed(errors: np.ndarray, row: int) -> None:
    masked = np.ma.array(errors, mask=np.arange(5)[:, None] == np.full(3, row))
    rest = np.delete(errors, row, axis=0)
    for measure in (mpjpe, median_error, pooled_median, lambda each: pck_auc(each, 20, 50, 15)):
        assert measure(masked) == pytest.approx(measure(rest))


def test_peclr_area_by_hand() -> None:
    # Thresholds 0, 5, ..., 495 mm; an error of 245 mm is right from 250 mm on, 245 itself does not count.
    assert peclr_auc(np.array([[0.2449], [0.2449]]))[0] == pytest.approx(50.5 / 99)
    assert peclr_auc(np.array([[0.2451]]))[0] == pytest.approx(49.5 / 99)


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
