from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from simhand.doctor.bootstrap import COVERED, Range, Seen, total
from simhand.doctor.drawing import draw
from simhand.videos.index import Video

SEEDS = 300


def estimated(values: dict[str, float], videos: list[Video], count: int, seed: int) -> Range:
    drawn = draw({"wild": videos}, count, seed)["wild"]
    certain = sum(values[video.video_id] for video in drawn.certain)
    random = np.array([values[video.video_id] for video in drawn.random])
    counted = certain + random.sum()
    return total([Seen(certain, random, np.array(drawn.sizes), drawn.size_of_others, drawn.others, counted, 0.0)])


def test_all_videos_are_the_truth() -> None:
    assert total([Seen(12.5, np.array([]), np.array([]), 0.0, 0, 12.5, 0.0)]) == Range(12.5, 12.5, 12.5)


def test_by_hand_the_others_follow_their_sizes() -> None:
    seen = Seen(10.0, np.array([2.0, 8.0]), np.array([1.0, 2.0]), 30.0, 10, 20.0, 0.0)  # 2 and 4 for each unit of size
    found = total([seen])
    assert found.expected == 10 + 3 * 30
    assert found.low == 20  # no less than what was seen, however wide the range
    assert found.high > 130


def test_one_video_of_several_has_no_upper_bound() -> None:
    found = total([Seen(0.0, np.array([2.0]), np.array([1.0]), 30.0, 10, 2.0, 0.0)])
    assert (found.expected, found.low, found.high) == (60, 2, np.inf)


@pytest.mark.parametrize("count", [12, 30, 60])
def test_ranges_hold_the_truth_as_often_as_they_say(count: int) -> None:
    """Videos of very different lengths, a third of which show no hand."""
    rng = np.random.default_rng(0)
    lengths = rng.lognormal(5, 1, 400)
    hands = rng.poisson(lengths * rng.gamma(1, 1, 400) * (rng.random(400) > 1 / 3))
    videos = [Video(str(i), "", 1, 0, "", float(length)) for i, length in enumerate(lengths)]
    values = {str(i): float(number) for i, number in enumerate(hands)}
    found = [estimated(values, videos, count, seed) for seed in range(SEEDS)]
    held = np.mean([one.low <= hands.sum() <= one.high for one in found])
    print(f"\n{count} of 400 videos: the range holds the truth in {held:.0%} of {SEEDS} draws")
    assert COVERED - 0.07 < held <= 1
    assert np.mean([one.expected for one in found]) == pytest.approx(hands.sum(), rel=0.05)


@pytest.mark.real
def test_so_they_do_on_real_videos(shared: Path) -> None:
    """Of the manifest of 32 real videos, one of which is two fifths of all and shows a single hand."""
    with (shared / "videos" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    videos = [Video(row["file"], "", 1, 0, "", float(row["seconds"])) for row in rows]
    for name in ("frames_1fps", "hands_1fps", "hands_5fps"):
        values = {row["file"]: float(row[name]) for row in rows}
        found = [estimated(values, videos, 12, seed) for seed in range(SEEDS)]
        held = np.mean([one.low <= sum(values.values()) <= one.high for one in found])
        print(f"\n{name}, 12 of 32 videos: the range holds the truth in {held:.0%} of {SEEDS} draws")
        assert held > 0.85
