from __future__ import annotations

from pathlib import Path

import pytest

from simhand.config import Config, load_config
from simhand.doctor.bootstrap import Range
from simhand.doctor.drawing import Drawn
from simhand.doctor.estimate import Estimate, Sample, estimate, sum_of
from simhand.doctor.estimate_text import estimate_text
from simhand.doctor.measuring import Measured, Rates
from simhand.doctor.training_time import assumed_gpu_s, images, measured_s, tera_operations
from simhand.pretraining.settings import PretrainingSettings
from simhand.videos.index import Video

RATES = Rates(
    job_s=1.5, start_s=2.0, detection_s=0.5, crop_s=0.1, keypoints_s=0.2, rows_mb=0.01, keypoints_mb=0.02, crop_mb=0.03
)


def measured(name: str, hands: float, problem: str = "", looked: float = 1.0, deviation: float = 0.5) -> Measured:
    """10 frames of 0.1 MB, decoded in 3 s; three quarters of the hands are wanted, both sides alike, half are found."""
    video = Video(name, f"/{name}", 1000, 0, "", 99.0)
    return Measured(video, 10, 1.0, 3.0, problem, looked, hands, 0.75 * hands, 0.375 * hands, 0.5 * hands, deviation)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return load_config(
        {
            "sources": {name: {"videos": str(tmp_path / name), "shards": 4} for name in ("a", "b")},
            "pools": {"both": {"sources": ["a", "b"], "neighbours": 5}, "few": {"sources": ["b"], "size": 7}},
            "pretraining": {"run": {"method": "simhand", "pool": "few", "encoder": "resnet18", "image_size": 64}},
        }
    )


@pytest.fixture
def found(config: Config) -> Estimate:
    """All three videos of `a` were looked at; of `b` two, which stand for ten."""
    of_a, of_b = [measured(name, 8) for name in "xyz"], [measured("x", 20, "corrupt: cut"), measured("y", 20)]
    others = [one.video for one in of_b]
    samples = {
        "a": Sample(Drawn([one.video for one in of_a], [], [], 0, 0.0), of_a, RATES),
        "b": Sample(Drawn([], others, [100.0, 100.0], 10, 1000.0), of_b, RATES),
    }
    return estimate(samples, {"a": [one.video for one in of_a], "b": others * 5}, config)


def point(value: float) -> Range:
    """Videos that are all alike leave nothing open."""
    return Range(*(pytest.approx(value) for _ in range(3)))


def test_by_hand(found: Estimate) -> None:
    assert found.counts == {
        "frames": point(30 + 100),
        "hands": point(24 + 200),
        "hands kept": point(18 + 150),
        "with keypoints": point(12 + 100),
    }
    assert found.disk_mb["frames"] == point(13)
    assert found.disk_mb["hands and keypoints"] == point(2.24 + 0.02 * 168)
    assert found.disk_mb["crops"] == point(0.03 * 168)
    assert found.hands_in_pools == {"both": point(112), "few": point(7)}


def test_time_by_hand(found: Estimate) -> None:
    assert found.cpu_s["sample_frames"] == point(13 * 3)
    assert found.cpu_s["detect_hands"] == point(130 * (0.5 + 2 / 2048))
    assert found.cpu_s["crop_hands"] == point(168 * 0.1)
    assert found.cpu_s["find_keypoints"] == point(168 * (0.2 + 2 / 2048))
    assert found.cpu_s["starting jobs"] == point((3 + 4) * (6 * 1.5 + 2 * 2 * 2))  # no more shards than videos
    assert sum_of([Range(1, 0, 2), Range(10, 5, 20)]) == Range(11, 5, 22)


def estimated_of_one(config: Config, one: Measured) -> Estimate:
    samples = {name: Sample(Drawn([one.video], [], [], 0, 0.0), [one], RATES) for name in ("a", "b")}
    return estimate(samples, {"a": [one.video], "b": [one.video]}, config)


def test_frames_that_were_not_looked_at_leave_hands_open(config: Config) -> None:
    """Of 10 frames 5 were looked at: the deviation is 10 x 0.5 x sqrt((1 - 1/2) / 5), of two alike sqrt(2) x it."""
    one = measured("x", 4, looked=0.5)
    found = estimated_of_one(config, one)
    expected, low, high = found.counts["hands"]
    assert expected == 2 * 8
    deviation = 2**0.5 * 10 * 0.5 * (0.5 / 5) ** 0.5
    assert high - expected == pytest.approx(1.645 * deviation, rel=0.1)
    assert low == pytest.approx(expected - 1.645 * deviation, rel=0.05)
    assert found.counts["frames"] == point(20)
    kept = found.counts["hands kept"]
    assert kept.high - kept.expected == pytest.approx(0.75 * (high - expected))
    assert "; in brackets the range" in estimate_text(found, [one, one], 2, config, cores=4)


def test_what_was_counted_is_the_least(config: Config) -> None:
    found = estimated_of_one(config, measured("x", 9, looked=0.9, deviation=40.0))
    assert found.counts["hands"].low == 18
    assert found.counts["hands"].expected == 20


def test_where_no_hand_was_seen_there_may_be_some(config: Config) -> None:
    found = estimated_of_one(config, measured("x", 0, looked=0.1, deviation=0.0))
    for name in ("hands", "hands kept", "with keypoints"):
        assert found.counts[name].expected == found.counts[name].low == 0
        assert found.counts[name].high == pytest.approx(1.645 * 2**0.5 * 10 * 0.9**0.5, rel=0.1)


def test_pools_with_annotated_hands_are_said_to_be_left_out(tmp_path: Path, config: Config) -> None:
    released = tmp_path / "released.json"
    released.write_text("{}")
    values = {
        "sources": {
            "a": {"videos": str(tmp_path / "a")},
            "r": {"annotations": str(released), "images": str(tmp_path / "b")},
        },
        "pools": {"own": {"sources": ["a"]}, "mixed": {"sources": ["a", "r"]}, "theirs": {"sources": ["r"]}},
        "pretraining": {
            "defaults": {"method": "simhand", "encoder": "resnet18", "image_size": 64},
            "run": {"pool": "mixed"},
            "mine": {"pool": "own"},
        },
    }
    config = load_config(values)
    one = measured("x", 8)
    found = estimate({"a": Sample(Drawn([one.video], [], [], 0, 0.0), [one], RATES)}, {"a": [one.video]}, config)
    assert found.hands_in_pools == {"own": point(4)}
    text = estimate_text(found, [one], 1, config, cores=1)
    assert "Not estimated, as hands of theirs are annotated: mixed, theirs, and their runs." in text
    assert "\n  mine  800 images; here " in text
    assert "\n  run " not in text
    assert "in brackets" not in text


def test_as_people_read_it(found: Estimate, config: Config) -> None:
    text = estimate_text(found, [measured("x", 1, "corrupt: cut"), measured("y", 1)], 13, config, cores=4)
    assert text.startswith(
        "Estimate from 2 of 13 videos; in brackets the range that is meant to hold the truth 9 times"
    )
    assert "1 of these 2 could not be read in full:\n  x: corrupt: cut\n" in text
    assert "\n  hands           224\n" in text
    assert "\n  run  1,400 images; here " in text  # 7 hands, 2 views, 100 epochs


def test_operations_and_images_by_hand() -> None:
    run = PretrainingSettings(
        method="simhand", pool="a", encoder="resnet50", image_size=112, epochs=10, warmup_epochs=1
    )
    assert tera_operations(run) == pytest.approx(3 * 2 * 4.09 / 4 / 1000)
    assert images(run, 50) == 1000
    fastest, slowest = assumed_gpu_s(run)
    assert slowest == pytest.approx(6 * fastest)


def test_larger_images_take_longer_here() -> None:
    small, large = (
        measured_s(PretrainingSettings(method="simhand", pool="a", encoder="resnet18", image_size=size, device="cpu"))
        for size in (32, 128)
    )
    assert small[0] < large[0] < large[1]
