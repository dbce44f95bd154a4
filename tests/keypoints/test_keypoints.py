from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.hands.balance import balance_shard
from simhand.hands.crops import crop_shard
from simhand.hands.detect import detect_shard
from simhand.hands.landmarker import LandmarkedHand
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.settings import BalanceSettings, CropSettings, MediaPipeSettings, SelectionSettings
from simhand.keypoints.keypoints import find_keypoints, in_crop_units
from simhand.keypoints.settings import LandmarkSettings
from simhand.tables import CROPS, KEYPOINTS
from simhand.videos.index import write_shard_list
from tests.hands.made_up import hand, write_shard


def test_units_of_the_crop_by_hand() -> None:
    points = np.array([[100, 50, 0], [150, 100, -25]], np.float32)
    assert in_crop_units(points, (100, 50, 200, 150), False).tolist() == [[0, 0, 0], [0.5, 0.5, -0.25]]
    assert in_crop_units(points, (100, 50, 200, 150), True).tolist() == [[1, 0, 0], [0.5, 0.5, -0.25]]
    assert in_crop_units(points, (100, 50, 200, 100), False)[1].tolist() == [0.5, 1.0, -0.25]  # clipped


def test_a_hand_is_moved_back_to_where_it_was() -> None:
    found = LandmarkedHand(np.array([[10, 20, 3]], np.float32), 0.9, "right", "Right")
    assert found.moved((100, 200, 150, 250), mirrored=False).keypoints_px.tolist() == [[110, 220, 3]]
    assert found.moved((100, 200, 150, 250), mirrored=True).keypoints_px.tolist() == [[140, 220, 3]]


def run(folder: Path, model: Path) -> list[dict]:
    paths = [folder / name for name in ("frames.arrow", "hands.parquet", "balanced.parquet", "crops.arrow")]
    crop_shard(*paths, CropSettings())
    find_keypoints(paths[0], paths[3], model, folder / "keypoints.parquet", LandmarkSettings())
    return read_parquet(folder / "keypoints.parquet", KEYPOINTS).to_pylist()


def test_missed_hands_keep_their_row_and_a_reason(tmp_path: Path, hand_model: Path) -> None:
    write_shard(tmp_path, [np.full((120, 160, 3), 90, np.uint8)], [hand("a"), hand("b", side="left")])
    rows = run(tmp_path, hand_model)
    assert [(row["hand_id"], row["status"], row["keypoints"]) for row in rows] == [
        ("a", "missed", None),
        ("b", "missed", None),
    ]
    assert rows[0]["reason"] == "no hand in the squares"
    write_shard(tmp_path, [], [])
    assert run(tmp_path, hand_model) == []


def test_keypoints_of_real_hands_fill_their_crops(tmp_path: Path, shared: Path, hand_model: Path) -> None:
    """The detector's box is drawn around keypoints: in units of the crop it spans 1/1.3 of the side, in the middle."""
    video = shared / "videos" / "sam2" / "02_cups.mp4"
    write_shard_list([("cups", str(video), 0, "")], tmp_path / "list.tsv")
    sample_shard(tmp_path / "list.tsv", tmp_path / "frames.arrow", tmp_path / "status.parquet", SamplingSettings())
    detect_shard(
        "real",
        tmp_path / "frames.arrow",
        tmp_path / "hands.parquet",
        partial(MediaPipeDetector, MediaPipeSettings(), hand_model),
    )
    balanced = tmp_path / "balanced.parquet"
    balance_shard(tmp_path / "hands.parquet", balanced, BalanceSettings(enabled=False), SelectionSettings())
    rows = run(tmp_path, hand_model)
    crops = open_arrow(tmp_path / "crops.arrow", CROPS)
    assert {True, False} == set(crops["flipped"].to_pylist())
    found = [row for row in rows if row["status"] == "found"]
    assert len(found) >= 0.85 * len(rows) >= 8
    keypoints = keypoints_array(read_parquet(tmp_path / "keypoints.parquet", KEYPOINTS)["keypoints"].drop_null())
    xy = keypoints[..., :2]
    spans = (xy.max(axis=1) - xy.min(axis=1)).max(axis=1)
    assert np.median(spans) == pytest.approx(1 / 1.3, abs=0.06)
    middles = (xy.max(axis=1) + xy.min(axis=1)) / 2
    assert np.median(middles, axis=0) == pytest.approx([0.5, 0.5], abs=0.06)
