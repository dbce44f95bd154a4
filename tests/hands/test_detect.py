from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import TableError
from simhand.files import arrow_writer, open_arrow, read_parquet
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.hands.boxes import iou
from simhand.hands.detect import detect_shard
from simhand.hands.detector import Detection, TouchedObject
from simhand.hands.mediapipe_detector import MediaPipeDetector, suppress_overlaps
from simhand.hands.settings import MediaPipeSettings
from simhand.tables import FRAMES, HANDS, OBJECT, OFFSET
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


@pytest.fixture(scope="module")
def crossed(shared: Path) -> np.ndarray:
    """A frame of hands that lie upon each other."""
    with av.open(str(shared / "videos/intel_asl/help.mkv")) as container:
        return next(f.to_ndarray(format="rgb24") for i, f in enumerate(container.decode(video=0)) if i == 20)


def test_mediapipes_hands_are_freed_of_overlaps(crossed: np.ndarray, hand_model: Path) -> None:
    def hands(max_overlap: float) -> list[Detection]:
        settings = MediaPipeSettings(max_overlap=max_overlap, score_threshold=0.2)
        with MediaPipeDetector(settings, hand_model) as detector:
            return detector.detect([crossed])[0]

    better, worse = hands(1.0)
    overlap = iou(better.box, worse.box)
    assert overlap > 0.5
    assert better.score > worse.score
    assert hands(overlap + 0.01) == [better, worse]
    assert hands(overlap - 0.01) == [better]


class MadeUpDetector:
    """Sees where the grey of a frame lies in its batch (x2) and how much it is (y2), and knows more of light ones."""

    name = "made up"
    at_once = 2

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        return [self._hands(place, round(float(frame.mean()))) for place, frame in enumerate(frames)]

    def _hands(self, place: int, grey: int) -> list[Detection]:
        plain = Detection((1, 2, place, grey), 0.5, "left", "L")
        touched = TouchedObject((10, 20, 30, 40), 0.75)
        full = Detection((5, 6, place, grey), 0.25, "right", "R", "portable", (0.5, 0.0625, -0.125), touched)
        free = Detection((5, 6, place, grey), 0.125, "right", "R", "none", (0.25, 0.5, 1.0))
        return [plain] if grey < 100 else [plain, full, free]


def test_what_a_detector_knows_lands_in_the_table_and_is_null_elsewhere(tmp_path: Path) -> None:
    write_shard(tmp_path, [np.full((48, 64, 3), grey, np.uint8) for grey in (20, 30, 200, 40, 50)], [])
    detect_shard("s", tmp_path / "frames.arrow", tmp_path / "h.parquet", MadeUpDetector)
    rows = read_parquet(tmp_path / "h.parquet", HANDS).to_pylist()
    assert [row["hand_id"].removeprefix("s/v.mp4#") for row in rows] == [
        "0.0",
        "1.0",
        "2.0",
        "2.1",
        "2.2",
        "3.0",
        "4.0",
    ]
    assert [row["y2"] for row in rows] == [20, 30, 200, 200, 200, 40, 50]
    assert [row["x2"] for row in rows] == [0, 1, 0, 0, 0, 1, 0]  # two at once, then what is left
    assert [row["side"] for row in rows] == ["left", "left", "left", "right", "right", "left", "left"]
    assert [row["contact"] for row in rows] == [None, None, None, "portable", "none", None, None]
    assert [row["score"] for row in rows[2:5]] == [0.5, 0.25, 0.125]
    assert {(row["frame_width"], row["frame_height"], row["side_source"]) for row in rows} == {(64, 48, "made up")}
    offsets = [[row[name] for name in OFFSET] for row in rows]
    assert offsets == [[None] * 3] * 3 + [[0.5, 0.0625, -0.125], [0.25, 0.5, 1]] + [[None] * 3] * 2
    objects = [[row[name] for name in OBJECT] for row in rows]
    assert objects == [[None] * 5] * 3 + [[10, 20, 30, 40, 0.75]] + [[None] * 5] * 3


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
