"""A known right hand and, in the mirror, a known left one, from frames to keypoints: sides must not be swapped."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import av
import numpy as np
import pyarrow.compute as pc
import pytest

from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.frames.images import decode_jpeg
from simhand.hands.balance import balance_shard
from simhand.hands.crops import crop_shard
from simhand.hands.detect import detect_shard
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.settings import BalanceSettings, CropSettings, MediaPipeSettings, SelectionSettings
from simhand.keypoints.keypoints import find_keypoints
from simhand.keypoints.settings import LandmarkSettings
from simhand.tables import CROPS, HANDS, KEYPOINTS
from tests.hands.made_up import write_shard

_CLEAR = (30, 165, 210, 255, 330, 375, 420, 465)  # frames where the hand is open


@pytest.fixture(scope="module")
def frames(shared: Path) -> list[np.ndarray]:
    """Eight frames of a video of one right hand, its palm to the camera, each followed by its mirror image."""
    with av.open(str(shared / "videos/dex_retargeting/human_hand_video.mp4")) as container:
        chosen = [f.to_ndarray(format="rgb24") for i, f in enumerate(container.decode(video=0)) if i in _CLEAR]
    return [view for frame in chosen for view in (frame, np.ascontiguousarray(frame[:, ::-1]))]


@pytest.fixture(scope="module", params=[1, 2])
def shard(
    frames: list[np.ndarray], hand_model: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Its tables, made by one worker and by two."""
    folder = tmp_path_factory.mktemp("shard")
    write_shard(folder, frames, [])
    paths = [folder / name for name in ("frames.arrow", "hands.parquet", "balanced.parquet", "crops.arrow")]
    detect_shard(
        "real",
        paths[0],
        paths[1],
        partial(MediaPipeDetector, MediaPipeSettings(max_hands=1), hand_model),
        workers=request.param,
    )
    balance_shard(paths[1], paths[2], BalanceSettings(), SelectionSettings())
    crop_shard(*paths, CropSettings())
    keypoints = folder / "keypoints.parquet"
    find_keypoints(paths[0], paths[3], hand_model, keypoints, LandmarkSettings(), workers=request.param)
    return folder


def test_the_right_hand_is_right_and_its_mirror_image_left(shard: Path) -> None:
    hands = read_parquet(shard / "hands.parquet", HANDS)
    assert hands["frame_row"].to_pylist() == list(range(16))
    assert hands["side"].to_pylist() == ["right", "left"] * 8
    assert hands["detected_side"].to_pylist() == ["Right", "Left"] * 8
    assert set(hands["side_source"].to_pylist()) == {"mediapipe"}
    assert set(hands["frame_width"].to_pylist()) == {1280}
    assert set(hands["frame_height"].to_pylist()) == {720}


def test_the_crop_of_the_left_hand_is_mirrored_and_so_equals_that_of_the_right(shard: Path) -> None:
    crops = open_arrow(shard / "crops.arrow", CROPS)
    assert crops["flipped"].to_pylist() == [False, True] * 8
    for name in ("side", "detected_side", "side_source"):
        assert crops[name].to_pylist() == read_parquet(shard / "hands.parquet", HANDS)[name].to_pylist()
    for row in range(0, 16, 2):
        right, left = (decode_jpeg(crops["jpeg"][row + i]).astype(int) for i in (0, 1))
        as_it_is, mirrored = (np.abs(left - other).mean() for other in (right, right[:, ::-1]))
        assert mirrored > 2 * as_it_is  # not 0: the detector's two boxes differ by a few pixels


def test_both_have_the_keypoints_of_a_right_hand(shard: Path) -> None:
    table = read_parquet(shard / "keypoints.parquet", KEYPOINTS)
    found = pc.equal(table["status"], "found").to_numpy(zero_copy_only=False).reshape(8, 2).all(axis=1)
    assert found.sum() >= 6
    pairs = np.repeat(found, 2)
    xy = keypoints_array(table.filter(pairs)["keypoints"])[:, :, :2].reshape(-1, 2, 21, 2)
    apart, mirrored = (
        np.linalg.norm(xy[:, 0] - other, axis=2).mean() for other in (xy[:, 1], [1, 0] + xy[:, 1] * [-1, 1])
    )
    assert apart < 0.03  # in units of the crop
    assert mirrored > 5 * apart


def test_the_bytes_do_not_depend_on_the_workers(frames: list[np.ndarray], hand_model: Path, tmp_path: Path) -> None:
    write_shard(tmp_path, frames * 3, [])  # two parts
    for workers in (1, 2):
        out = tmp_path / f"{workers}.parquet"
        detect_shard(
            "real",
            tmp_path / "frames.arrow",
            out,
            partial(MediaPipeDetector, MediaPipeSettings(), hand_model),
            workers=workers,
        )
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
