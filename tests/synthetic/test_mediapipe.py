"""The purpose of it all: a hand detector takes the rendered hands for hands, and for the right ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import decord
import numpy as np
import pytest

from simhand.files import read_parquet
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.settings import ReadSettings
from simhand.hands.landmarker import LandmarkedHand, Landmarker
from simhand.hands.model import build_task_file
from simhand.synthetic.truth import TRUTH, joints_array


@pytest.fixture(scope="module")
def landmarker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landmarker]:
    path = tmp_path_factory.mktemp("mediapipe") / "hand_landmarker.task"
    build_task_file(path)
    with Landmarker(path, max_hands=4, score_threshold=0.5) as landmarker:
        yield landmarker


def errors(true: np.ndarray, found: list[LandmarkedHand]) -> np.ndarray:
    """Mean distances (f,) of found keypoints from the true ones (21, 2), in units of the true hand's box."""
    side = np.ptp(true, axis=0).max()
    return np.array([np.linalg.norm(hand.keypoints_px[:, :2] - true, axis=1).mean() / side for hand in found])


def test_hands_in_videos_are_found_with_their_sides(demo: Path, landmarker: Landmarker) -> None:
    table = read_parquet(demo / "truth" / "hands.parquet", TRUTH)
    rows, pixels = (
        table.select(["video_id", "frame_index", "side", "visible"]).to_pandas(),
        joints_array(table["keypoints_px"]),
    )
    found, sides, visible = [], [], 0
    for video in sorted(set(rows.video_id)):
        reader = decord.VideoReader(str(demo / "videos" / video))
        for frame in range(0, len(reader), 5):
            hands = landmarker.find(reader[frame].asnumpy())
            here = (rows.video_id == video) & (rows.frame_index == frame) & rows.visible
            for row in np.flatnonzero(here):
                error = errors(pixels[row], hands)
                visible += 1
                if error.size and error.min() < 0.35:
                    found.append(error.min())
                    sides.append(hands[int(error.argmin())].side == rows.side[row])
    assert visible > 40
    assert len(found) >= 0.8 * visible
    assert np.mean(sides) >= 0.85
    assert np.mean(found) < 0.12


def test_no_hand_is_found_in_an_empty_room(demo: Path, landmarker: Landmarker) -> None:
    reader = decord.VideoReader(str(demo / "videos" / "no_hand.mp4"))
    assert not any(landmarker.find(reader[frame].asnumpy()) for frame in range(0, len(reader), 2))


def test_labelled_hands_are_found_where_the_labels_say(demo: Path, landmarker: Landmarker) -> None:
    nearest = []
    for split in ("training", "evaluation"):
        read = read_freihand(demo / "labelled", split, ReadSettings())
        for name, true in zip(read.images, read.keypoints_px, strict=True):
            rgb = cv2.imread(str(demo / "labelled" / name))[..., ::-1]
            padded = cv2.copyMakeBorder(rgb, 112, 112, 112, 112, cv2.BORDER_CONSTANT)  # it wants room around a hand
            nearest.append(min([1.0, *errors(true + 112, landmarker.find(padded))]))
    assert np.mean(np.array(nearest) < 0.2) >= 0.7
    assert np.median(nearest) < 0.1
