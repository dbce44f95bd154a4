"""joints.parquet and joints.json tell the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simhand.files import keypoints_array, read_parquet
from simhand.joints import JOINTS
from simhand.prediction.tables import HAND_JOINTS, FrameHands, rows_of, write_joints
from tests.prediction.made_up import found_hand


@pytest.fixture
def frames() -> list[FrameHands]:
    rng = np.random.default_rng(0)
    return [
        FrameHands(0, 0.0, [found_hand(rng, "left"), found_hand(rng)]),
        FrameHands(3, 0.1, []),
        FrameHands(6, 0.2, [found_hand(rng, score=0.123456)]),
    ]


def test_both_files_tell_all_hands(tmp_path: Path, frames: list[FrameHands]) -> None:
    hands = [hand for frame in frames for hand in frame.hands]
    write_joints([rows_of("täst/v.mp4", frames), rows_of("a.jpg", frames[:1])], {"files": []}, tmp_path)
    table = read_parquet(tmp_path / "joints.parquet", HAND_JOINTS)
    assert table["source"].to_pylist() == ["täst/v.mp4"] * 3 + ["a.jpg"] * 2
    assert table["frame_index"].to_pylist()[:3] == [0, 0, 6]
    assert table["hand"].to_pylist()[:3] == [0, 1, 0]
    assert table["side"].to_pylist()[:3] == ["left", "right", "right"]
    np.testing.assert_allclose(table["timestamp_s"].to_numpy()[:3], [0, 0, 0.2])
    np.testing.assert_allclose(
        keypoints_array(table["keypoints_px"], 2)[:3], [h.keypoints_px for h in hands], rtol=1e-6
    )
    np.testing.assert_allclose(keypoints_array(table["joints_mm"])[:3], [h.joints_mm for h in hands], rtol=1e-6)
    np.testing.assert_allclose([table[name][2].as_py() for name in ("x1", "y1", "x2", "y2")], hands[2].box, rtol=1e-6)

    told = json.loads((tmp_path / "joints.json").read_text(encoding="utf-8"))
    assert told["joints"] == list(JOINTS)
    assert told["files"] == []
    assert set(told["units"]) <= set(told["hands"][0])
    assert [hand["source"] for hand in told["hands"]] == table["source"].to_pylist()
    for row, hand in zip(told["hands"], hands, strict=False):
        np.testing.assert_allclose(row["keypoints_px"], hand.keypoints_px, atol=0.0051)
        np.testing.assert_allclose(row["joints_mm"], hand.joints_mm, atol=0.0051)
        np.testing.assert_allclose(row["box_px"], hand.box, atol=0.0051)
        assert (row["side"], row["score"]) == (hand.side, round(hand.score, 4))
        assert (row["bone_mm"], row["focal_px"]) == (100, 200)


def test_no_hand_at_all(tmp_path: Path) -> None:
    for rows in ([], [rows_of("a.jpg", [FrameHands(0, 0.0, [])])]):
        write_joints(rows, {"files": [{"source": "a.jpg"}]}, tmp_path)
        assert json.loads((tmp_path / "joints.json").read_text())["hands"] == []
        assert len(read_parquet(tmp_path / "joints.parquet", HAND_JOINTS)) == 0


def test_the_same_hands_are_the_same_bytes(tmp_path: Path, frames: list[FrameHands]) -> None:
    """However they come: in one piece, or frame by frame."""
    pieces = [rows_of("v.mp4", [frame]) for frame in frames]
    write_joints([rows_of("v.mp4", frames)], {}, tmp_path / "a")
    write_joints(pieces, {}, tmp_path / "b")
    for name in ("joints.json", "joints.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
