from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from simhand.errors import ConfigError, WeightsError
from simhand.files import open_arrow, read_parquet
from simhand.frames.images import frame_image
from simhand.hands import detect
from simhand.hands.detect import detect_shard
from simhand.hands.detector import Detection, TouchedObject
from simhand.hands.hundred_doh import detector as detector_module
from simhand.hands.hundred_doh import proposals
from simhand.hands.hundred_doh.detections import Hands
from simhand.hands.hundred_doh.detector import HundredDohDetector, open_on_one_thread
from simhand.hands.settings import HundredDohExecution, HundredDohSettings
from simhand.tables import FRAMES, HANDS, OBJECT, OFFSET
from tests.hands.hundred_doh.conftest import FEW
from tests.hands.made_up import write_shard

SETTINGS = HundredDohSettings(score_threshold=0.4, object_threshold=0.3, max_hands=4)
ON_CPU = HundredDohExecution(device="cpu")
COLUMNS = ("x1", "y1", "x2", "y2", "score")

pytestmark = pytest.mark.usefixtures("few_regions")


@pytest.fixture(scope="module")
def detector(weights_file: Path) -> HundredDohDetector:
    return HundredDohDetector(SETTINGS, ON_CPU, weights_file)


def assert_same(own: list[Detection], others: list[Detection], tolerance: float = 1e-3) -> None:
    assert len(own) == len(others)
    for one, other in zip(own, others, strict=True):
        assert one.box == pytest.approx(other.box, abs=tolerance)
        assert one.score == pytest.approx(other.score, abs=tolerance)
        assert (one.side, one.detected_side, one.contact) == (other.side, other.detected_side, other.contact)
        assert one.offset == pytest.approx(other.offset, abs=tolerance)
        assert (one.touched is None) == (other.touched is None)
        if one.touched and other.touched:
            assert one.touched.box == pytest.approx(other.touched.box, abs=tolerance)
            assert one.touched.score == pytest.approx(other.touched.score, abs=tolerance)


def test_frames_of_several_sizes_come_back_in_order(
    detector: HundredDohDetector, make_frame: Callable[..., np.ndarray]
) -> None:
    frames = [make_frame(0), make_frame(1, 30, 900), make_frame(2), make_frame(3, 1000, 20), make_frame(4, 30, 900)]
    together = detector.detect(frames)
    assert [len(hands) > 0 for hands in together] == [True] * 5
    for frame, hands in zip(frames, together, strict=True):
        (alone,) = detector.detect([frame])
        assert_same(hands, alone)
        height, width, _ = frame.shape
        for hand in hands:
            assert 0 <= hand.box[0] <= hand.box[2] <= width
            assert 0 <= hand.box[1] <= hand.box[3] <= height
        assert [hand.score for hand in hands] == sorted((hand.score for hand in hands), reverse=True)
    assert len({hands[0].box for hands in together}) == 5


def test_what_float16_cannot_hold_is_seen_again_in_float32(
    detector: HundredDohDetector,
    weights_file: Path,
    make_frame: Callable[..., np.ndarray],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same network, but that its features for proposals are a million times as large."""
    state = torch.load(weights_file)["model"]
    for name in ("RPN_Conv.weight", "RPN_Conv.bias"):
        state[f"RCNN_rpn.{name}"] *= 1e6
    for name in ("RPN_cls_score.weight", "RPN_bbox_pred.weight"):
        state[f"RCNN_rpn.{name}"] /= 1e6
    torch.save(state, tmp_path / "large.pth")
    mixed = HundredDohDetector(SETTINGS.model_copy(update={"precision": "float16"}), ON_CPU, tmp_path / "large.pth")
    (hands,) = mixed.detect([make_frame(0)])
    assert "seen again in float32" in caplog.text
    assert_same(hands, detector.detect([make_frame(0)])[0])


def test_no_frames(detector: HundredDohDetector) -> None:
    assert detector.detect([]) == []


def test_a_frame_without_hands_among_others(
    detector: HundredDohDetector, weights_file: Path, make_frame: Callable[..., np.ndarray]
) -> None:
    frames = [make_frame(0), make_frame(3), make_frame(1)]
    first, least, last = (hands[0].score for hands in detector.detect(frames))
    assert least < min(first, last) - 0.01
    between = (least + min(first, last)) / 2
    strict = HundredDohDetector(SETTINGS.model_copy(update={"score_threshold": between}), ON_CPU, weights_file)
    found = strict.detect(frames)
    assert [hand.score for hand in found[0]][:1] == pytest.approx([first], abs=1e-4)
    assert found[1] == []
    assert [hand.score for hand in found[2]][:1] == pytest.approx([last], abs=1e-4)


@pytest.mark.parametrize("shape", [(1, 5000), (1, 100), (5000, 1)])
def test_a_frame_that_is_a_line(detector: HundredDohDetector, shape: tuple[int, int]) -> None:
    (hands,) = detector.detect([np.full((*shape, 3), 128, np.uint8)])
    assert all(np.isfinite(hand.box).all() for hand in hands)


def test_what_a_detection_says(detector: HundredDohDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    nan = float("nan")
    hands = Hands(
        boxes=torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8], [0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]]),
        scores=torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.03125]),
        right=torch.tensor([True, False, False, True, True]),
        contacts=torch.tensor([3, 0, 1, 2, 4]),
        offsets=torch.tensor([[0.5, 0.0625, -0.0625]] * 5),
        objects=torch.tensor([[10.0, 20, 30, 40, 0.75], *[[nan] * 5] * 4]),
    )
    monkeypatch.setattr(detector_module, "find_hands", lambda *_: [hands])
    ((first, second, *others),) = detector.detect([np.zeros((48, 64, 3), np.uint8)])
    touched = TouchedObject((10, 20, 30, 40), 0.75)
    offset = (0.5, 0.0625, -0.0625)
    assert first == Detection((1, 2, 3, 4), 0.5, "right", "1", "portable", offset, touched)
    assert second == Detection((5, 6, 7, 8), 0.25, "left", "0", "none", offset, None)
    assert [hand.contact for hand in others] == ["self", "other", "stationary"]
    assert [hand.side for hand in others] == ["left", "right", "right"]


def test_a_gpu_that_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before the weights are looked at."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"(?s)no GPU here.*set device to auto or cpu"):
        HundredDohDetector(SETTINGS, HundredDohExecution(device="cuda"), tmp_path / "no.pth")
    with pytest.raises(WeightsError, match="missing"):
        HundredDohDetector(SETTINGS, HundredDohExecution(device="auto"), tmp_path / "no.pth")


def open_quickly(weights: Path) -> HundredDohDetector:
    proposals.REGIONS = FEW  # in a process of its own
    return open_on_one_thread(SETTINGS, ON_CPU, weights)


def test_a_shard_whatever_the_number_of_workers(
    detector: HundredDohDetector,
    weights_file: Path,
    make_frame: Callable[..., np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_shard(tmp_path, [make_frame(0), make_frame(1, 30, 900), make_frame(2)], [])
    monkeypatch.setattr(detect, "_PART", 1)  # three parts, so that both workers have some
    for workers in (1, 2):
        detect_shard(
            "s",
            tmp_path / "frames.arrow",
            tmp_path / f"{workers}.parquet",
            partial(open_quickly, weights_file),
            workers=workers,
            leaks=False,
        )
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
    rows = read_parquet(tmp_path / "1.parquet", HANDS).to_pylist()
    assert {row["side_source"] for row in rows} == {"hundred_doh"}
    frames = open_arrow(tmp_path / "frames.arrow", FRAMES)
    images = [frame_image(frames, row, "frames.arrow") for row in range(3)]
    expected = [hands for image in images for hands in detector.detect([image])]
    assert [len(hands) for hands in expected] == [sum(row["frame_row"] == i for row in rows) for i in range(3)]
    own = [
        Detection(
            tuple(row[name] for name in COLUMNS[:4]),
            *(row[name] for name in ("score", "side", "detected_side", "contact")),
            tuple(row[name] for name in OFFSET),
            None if row["object_score"] is None else TouchedObject(tuple(row[n] for n in OBJECT[:4]), row[OBJECT[4]]),
        )
        for row in rows
    ]
    assert_same(own, [hand for hands in expected for hand in hands])
    assert {row["contact"] == "none" for row in rows} == {True, False}
    assert {row["side"] for row in rows} == {"left", "right"}
