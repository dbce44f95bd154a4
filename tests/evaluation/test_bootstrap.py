"""The interval of a difference: by hand, and how often it holds the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import TableError
from simhand.evaluation.bootstrap import compare_runs, mean_and_deviation, paired_difference
from simhand.evaluation.evaluate import hand_metrics
from tests.evaluation.made_up import some_hands, some_seen, write_predictions

TRIALS = 200


def test_the_same_difference_everywhere_is_certain() -> None:
    baseline = np.random.default_rng(0).normal(20, 5, size=30)
    found = paired_difference([baseline - 2], [baseline], np.arange(30) // 3)
    assert (found.mean_mm, found.low_mm, found.high_mm) == pytest.approx((-2, -2, -2))


def test_two_recordings_by_hand() -> None:
    # Differences 0 and 1: a resample's mean is off by -0.5, 0 or 0.5 (1/4, 1/2, 1/4), times sqrt(2 / chi-square), that
    # is sqrt(2) / |z| for a standard normal z. The 97.5 % quantile x has P(0.5 * sqrt(2) / |z| > x) = 0.025 / 0.25:
    # P(|z| < 0.7071 / x) = 0.1, so that 0.7071 / x = 0.12566.
    found = paired_difference([np.array([0.0, 1.0])], [np.zeros(2)], np.array([5, 9]), resamples=400_000)
    assert found.mean_mm == 0.5
    assert found.high_mm - 0.5 == pytest.approx(0.70711 / 0.12566, rel=0.03)
    assert 0.5 - found.low_mm == pytest.approx(0.70711 / 0.12566, rel=0.03)


def test_many_recordings_have_the_usual_interval() -> None:
    rng = np.random.default_rng(1)
    difference = rng.normal(-1, 3, size=2000)
    found = paired_difference([difference], [np.zeros(2000)], np.arange(2000))
    half = 1.96 * difference.std() / np.sqrt(2000)
    assert found.mean_mm == pytest.approx(difference.mean())
    assert found.low_mm == pytest.approx(difference.mean() - half, abs=0.08 * half)
    assert found.high_mm == pytest.approx(difference.mean() + half, abs=0.08 * half)


def test_two_seeds_by_hand() -> None:
    # All images alike: only the seeds differ, by differences 0 and 1, as the two recordings above.
    run = [np.zeros(10), np.ones(10)]
    found = paired_difference(run, [np.zeros(10)] * 2, np.arange(10), resamples=400_000)
    assert found.high_mm - found.mean_mm == pytest.approx(0.70711 / 0.12566, rel=0.03)


def test_what_both_runs_of_a_seed_share_does_not_count() -> None:
    shared = [np.full(10, 20.0), np.full(10, 30.0)]  # the second seed got poorer labels
    paired = paired_difference([each - 1 for each in shared], shared, np.arange(10))
    assert (paired.low_mm, paired.high_mm) == pytest.approx((-1, -1))
    apart = paired_difference([each - 1 for each in shared], [*shared, np.full(10, 25.0)], np.arange(10))
    assert apart.mean_mm == pytest.approx(-1)
    assert apart.high_mm - apart.low_mm > 10


def test_images_of_one_recording_count_as_one() -> None:
    difference = np.repeat(np.random.default_rng(2).normal(size=10), 50)  # ten recordings of 50 images, all alike
    together = paired_difference([difference], [np.zeros(500)], np.repeat(np.arange(10), 50))
    alone = paired_difference([difference[::50]], [np.zeros(10)], np.arange(10))
    assert vars(together) == pytest.approx(vars(alone))
    apart = paired_difference([difference], [np.zeros(500)], np.arange(500))
    assert apart.high_mm - apart.low_mm < 0.3 * (together.high_mm - together.low_mm)


def test_one_recording_tells_nothing_of_others() -> None:
    found = paired_difference([np.arange(3.0)], [np.zeros(3)], np.zeros(3, dtype=int))
    assert found.mean_mm == 1.0
    assert np.isnan([found.low_mm, found.high_mm]).all()


def share_held(recordings: int, images: int, seeds: int, seed_mm: float, *, of_models: bool = False) -> float:
    """How often the interval holds the true difference of the methods, or, `of_models`, that of the models at hand.

    Training with another seed moves a model's error by seed_mm.
    """
    rng = np.random.default_rng(3)
    sequences = np.repeat(np.arange(recordings), images)
    held = 0
    for trial in range(TRIALS):
        by_recording = rng.normal(-2.0, 1.0, size=recordings)[sequences]
        baseline = [rng.normal(20, 4, size=len(sequences)) for _ in range(seeds)]
        by_seed = [rng.normal(0, seed_mm) for _ in range(seeds)]
        noise = [rng.normal(0, 1, size=len(sequences)) + moved for moved in by_seed]
        run = [one + by_recording + other for one, other in zip(baseline, noise, strict=True)]
        found = paired_difference(run, baseline, sequences, resamples=1000, seed=trial)
        held += found.low_mm <= -2.0 + of_models * np.mean(by_seed) <= found.high_mm
    print(f"{held} of {TRIALS}")
    return held / TRIALS


@pytest.mark.parametrize(
    ("recordings", "images", "seeds", "seed_mm"), [(40, 5, 1, 0.0), (8, 10, 1, 0.0), (100, 2, 3, 0.4), (20, 5, 5, 0.2)]
)
def test_the_interval_holds_the_truth_as_often_as_it_says(
    recordings: int, images: int, seeds: int, seed_mm: float
) -> None:
    held = share_held(recordings, images, seeds, seed_mm)
    assert 0.91 <= held <= 0.995  # 95 %; of 200 trials four standard errors are 6 %


def test_with_one_seed_the_interval_is_of_the_two_models_not_of_the_methods() -> None:
    assert 0.91 <= share_held(40, 5, 1, 0.5, of_models=True) <= 0.995
    assert share_held(40, 5, 1, 0.5) < 0.7
    assert 0.91 <= share_held(40, 5, 3, 0.5) <= 0.995


@given(st.integers(0, 1000), st.integers(1, 3), st.integers(1, 3))
def test_the_difference_is_that_of_the_means(seed: int, seeds: int, others: int) -> None:
    rng = np.random.default_rng(seed)
    run, baseline = rng.random((seeds, 12)), rng.random((others, 12))
    sequences = rng.integers(4, size=12)
    found = paired_difference(list(run), list(baseline), sequences, resamples=50)
    assert found.mean_mm == pytest.approx(run.mean() - baseline.mean())
    again = paired_difference(list(run), list(baseline), sequences, resamples=50)
    np.testing.assert_equal(vars(found), vars(again))
    if not np.isnan(found.low_mm):
        assert found.low_mm <= found.high_mm


@pytest.mark.parametrize(
    ("run", "baseline"), [([np.zeros(3)], [np.zeros(4)]), ([], [np.zeros(3)]), ([np.zeros(4)], [np.zeros(4)])]
)
def test_other_images_are_refused(run: list[np.ndarray], baseline: list[np.ndarray]) -> None:
    with pytest.raises(TableError, match="cannot be compared"):
        paired_difference(run, baseline, np.arange(3))


def test_runs_are_compared_by_their_mpjpe(tmp_path: Path) -> None:
    true_mm, seen = some_hands(9, 0), some_seen(9, 1)
    predicted = [some_hands(9, seed) for seed in (2, 3, 4)]
    columns = {"seen": seen, "sequence": [0, 0, 0, 1, 1, 2, 2, 2, 2]}
    paths = [write_predictions(tmp_path / f"{i}.parquet", each, true_mm, **columns) for i, each in enumerate(predicted)]
    found = compare_runs(paths[:2], paths[2:])
    mpjpe_mm = [hand_metrics(each, true_mm, seen)["mpjpe_mm"] for each in predicted]
    assert found.mean_mm == pytest.approx(np.mean(mpjpe_mm[:2]) - mpjpe_mm[2], abs=1e-4)
    assert found.low_mm < found.mean_mm < found.high_mm
    other = write_predictions(tmp_path / "other.parquet", true_mm, true_mm, **columns, name=[*"abcdefghi"])
    with pytest.raises(TableError, match=r"(?s)other images.*other\.parquet"):
        compare_runs(paths[:1], [other])


def test_mean_and_deviation_by_hand() -> None:
    assert mean_and_deviation([20.0, 24.0]) == pytest.approx((22.0, 8**0.5))
    assert mean_and_deviation([3.0]) == (3.0, None)
