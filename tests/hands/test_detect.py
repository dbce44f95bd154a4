from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import TableError
from simhand.files import arrow_writer, open_arrow, read_parquet
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.hands.detect import detect_shard
from simhand.hands.detector import Detection
from simhand.hands.mediapipe_detector import MediaPipeDetector, suppress_overlaps
from simhand.hands.settings import MediaPipeSettings
from simhand.tables import FRAMES, HANDS
from simhand.videos.index import write_shard_list
from tests.hands.made_up import write_shard


def detection(box: tuple[float, float, float, float], score: float) -> Detection:
    return Detection(box, score, "left", "Left")


def test_of_two_boxes_on_one_hand_the_better_stays() -> None:
    worse, better, other = (
        detection((0, 0, 10, 10), 0.6),
        detection((1, 0, 11, 10), 0.9),
        detection((9, 0, 19, 10), 0.7),
    )
    assert suppress_overlaps([worse, better, other], 0.5) == [better, other]
    assert suppress_overlaps([worse, better, other], 1.0) == [better, other, worse]


def test_frames_without_hands_and_without_frames(tmp_path: Path, hand_model: Path) -> None:
    for images in ([np.full((120, 160, 3), 90, np.uint8)], []):
        write_shard(tmp_path, images, [])
        detect_shard(
            "s",
            tmp_path / "frames.arrow",
            tmp_path / "h.parquet",
            partial(MediaPipeDetector, MediaPipeSettings(), hand_model),
        )
        assert len(read_parquet(tmp_path / "h.parquet", HANDS)) == 0


def test_a_frame_that_is_no_image_is_named(tmp_path: Path, hand_model: Path) -> None:
    write_shard(tmp_path, [np.full((120, 160, 3), 90, np.uint8)] * 2, [])
    frames = open_arrow(tmp_path / "frames.arrow", FRAMES).to_pydict()
    frames["jpeg"][1] = b"no JPEG"
    with arrow_writer(tmp_path / "damaged.arrow", FRAMES) as writer:
        writer.write_table(pa.table(frames, FRAMES))
    with pytest.raises(TableError, match=r"(?s)an image is damaged.*damaged.arrow, row 1.*7 bytes are not a JPEG"):
        detect_shard(
            "s",
            tmp_path / "damaged.arrow",
            tmp_path / "h.parquet",
            partial(MediaPipeDetector, MediaPipeSettings(), hand_model),
        )
    assert not (tmp_path / "h.parquet").exists()


@pytest.mark.parametrize(
    ("video", "side"),
    [
        ("dex_retargeting/human_hand_video.mp4", "right"),
        ("mediapipe_samples/gesture_recognizer_test_video.mp4", "right"),
    ],
)
def test_a_known_right_hand_is_called_right(
    tmp_path: Path, shared: Path, hand_model: Path, video: str, side: str
) -> None:
    """Guards against mirrored labels: both videos show a right hand, by its arm, in a picture that is not mirrored."""
    write_shard_list([(video, str(shared / "videos" / video), 0, "")], tmp_path / "list.tsv")
    sample_shard(tmp_path / "list.tsv", tmp_path / "f.arrow", tmp_path / "s.parquet", SamplingSettings())
    detect_shard(
        "real",
        tmp_path / "f.arrow",
        tmp_path / "h.parquet",
        partial(MediaPipeDetector, MediaPipeSettings(), hand_model),
    )
    hands = read_parquet(tmp_path / "h.parquet", HANDS).to_pylist()
    sides = Counter(hand["side"] for hand in hands)
    assert sides[side] >= 6
    assert sides[side] >= 0.9 * sides.total()
    assert len({hand["hand_id"] for hand in hands}) == len(hands)
    assert hands[0]["hand_id"] == f"real/{video}#{hands[0]['frame_index']}.0"
