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

RATES = Rates(start_s=2.0, detection_s=0.5, crop_s=0.1, keypoints_s=0.2, rows_mb=0.01)


def measured(name: str, hands: float, problem: str = "") -> Measured:
    """10 frames of 0.1 MB, decoded in 3 s; of the hands three quarters are kept, half have keypoints."""
    video = Video(name, f"/{name}", 1000, 0, "", 99.0)
    return Measured(video, 10, 1.0, 3.0, problem, hands, 0.75 * hands, 0.5 * hands, 0.02 * hands)


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
    assert found.disk_mb["hands and keypoints"] == point(2.24)
    assert found.disk_mb["crops"] == point(0.02 * 224)
    assert found.hands_in_pools == {"both": point(112), "few": point(7)}


def test_time_by_hand(found: Estimate) -> None:
    assert found.cpu_s["sample_frames"] == point(13 * 3)
    assert found.cpu_s["detect_hands"] == point(130 * (0.5 + 2 / 2048))
    assert found.cpu_s["crop_hands"] == point(168 * 0.1)
    assert found.cpu_s["find_keypoints"] == point(168 * (0.2 + 2 / 2048))
    assert found.cpu_s["starting jobs"] == point((3 + 4) * 2 * 2 * 2)  # no more shards than videos
    assert sum_of([Range(1, 0, 2), Range(10, 5, 20)]) == Range(11, 5, 22)


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
