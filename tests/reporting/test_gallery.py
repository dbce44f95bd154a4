"""The gallery: which hands it holds, where they lie in their frames, and what stands in the page."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import TableError
from simhand.files import arrow_writer, keypoints_array, open_arrow, read_parquet, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.hand100m.annotations import ANNOTATIONS
from simhand.hand100m.frame_files import AnnotatedImages
from simhand.keypoints.keypoints import in_crop_units
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.gallery import gallery
from simhand.reporting.gallery_page import embedded_json, gallery_section
from simhand.reporting.gallery_pictures import in_frame
from simhand.reporting.settings import ReportSettings
from simhand.tables import FRAMES, MEMBERS, N_JOINTS, NEIGHBOURS

SETTINGS = ReportSettings(gallery=6, gallery_neighbours=4, gallery_frames=6)


@pytest.fixture
def inputs(tmp_path: Path, shard: Shard, pool: Pool) -> DataInputs:
    return DataInputs([shard], [pool], tmp_path / "crops", tmp_path / "frames")


def decoded(text: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def pairs_of(record: dict[str, Any]) -> list[tuple[int, list[list[float]]]]:
    return [(query, pairs) for query, pairs in record["queries"]]


def test_each_hand_with_its_neighbour(inputs: DataInputs) -> None:
    """The shard's first six hands are the pool's, so that they have its numbers here."""
    found = gallery(inputs, SETTINGS)
    (pool,) = found["pools"]
    assert (pool["name"], pool["ranks"]) == ("all", [1])
    assert pairs_of(pool) == [(i, [[1, (i // 2 * 2 + 2) % 6, 0.25 * (i + 1)]]) for i in range(6)]
    assert [hand["video"] for hand in found["hands"]] == ["$a_$.mp4"] * 2 + ["b.mp4"] * 2 + ["c.mp4"] * 2
    for row, hand in enumerate(found["hands"]):
        tile = decoded(hand["tile"])
        assert tile.shape == (112, 112, 3)
        assert np.abs(tile.astype(int) - 40 * row % 250).max() <= 3  # each is of its own grey
        assert (hand["box"], hand["square"]) == ([10, 20, 42, 36], [0, 0, 64, 64])
    points = keypoints_array(read_parquet(inputs.pools[0].members, MEMBERS, ["keypoints"])["keypoints"])[:, :, :2]
    assert found["hands"][3]["points"] == np.rint(points[3] * 1000).ravel().tolist()
    assert found["hands"][3]["frame_points"] == np.rint(points[3] * 64).ravel().tolist()


def test_hands_of_one_frame_share_its_picture(inputs: DataInputs) -> None:
    found = gallery(inputs, SETTINGS)
    assert [hand["frame"] for hand in found["hands"]] == [0, 1, 2, 2, 3, 3]
    assert [(frame["width"], frame["height"]) for frame in found["frames"]] == [(64, 64)] * 4
    assert np.abs(decoded(found["frames"][0]["picture"]).astype(int) - 200).max() <= 3


def test_only_some_have_their_frames_and_these_come_first(inputs: DataInputs) -> None:
    found = gallery(inputs, SETTINGS.model_copy(update={"gallery_frames": 1}))
    first, pairs = pairs_of(found["pools"][0])[0]
    framed = {place for place, hand in enumerate(found["hands"]) if "frame" in hand}
    assert framed == {first, int(pairs[0][1])}
    assert len(found["frames"]) == 2
    assert gallery_section(found).text.endswith("in their frames, which are there for 2 of 6 (report.gallery_frames).")
    without = gallery(inputs, SETTINGS.model_copy(update={"gallery_frames": 0}))
    assert gallery_section(gallery(inputs, SETTINGS)).text.endswith("and in their frames.")
    assert without["frames"] == []
    assert not any("frame" in hand or "box" in hand for hand in without["hands"])


def test_another_seed_shows_other_hands_and_the_same_seed_the_same(inputs: DataInputs) -> None:
    def shown(seed: int) -> str:
        return json.dumps(gallery(inputs, ReportSettings(gallery=2, seed=seed)))

    assert shown(0) == shown(0)
    assert len({shown(seed) for seed in range(6)}) > 1


def test_a_hand_in_two_pools_stands_there_once(inputs: DataInputs) -> None:
    found = gallery(replace(inputs, pools=[*inputs.pools, replace(inputs.pools[0], name="again")]), SETTINGS)
    first, second = found["pools"]
    assert first["queries"] == second["queries"]
    assert len(found["hands"]) == 6
    assert len(found["frames"]) == 4


def test_a_hand_without_a_similar_one_is_left_out(tmp_path: Path, inputs: DataInputs) -> None:
    rows = [{"row": 4, "rank": 7, "neighbour": 0, "distance": 35.5}]
    rows.append({"row": 1, "rank": 1, "neighbour": 1, "distance": 0.0})  # its own positive
    part = tmp_path / "other.parquet"
    write_parquet(pa.Table.from_pylist(rows, NEIGHBOURS), part, NEIGHBOURS)
    found = gallery(replace(inputs, pools=[replace(inputs.pools[0], neighbours=[part])]), SETTINGS)
    assert found["pools"] == [{"name": "all", "ranks": [7], "queries": [[1, [[7, 0, 35.5]]]]}]
    assert [hand["frame_index"] for hand in found["hands"]] == [0, 3]


def test_nothing_to_show_is_said(tmp_path: Path, inputs: DataInputs) -> None:
    part = tmp_path / "none.parquet"
    write_parquet(NEIGHBOURS.empty_table(), part, NEIGHBOURS)
    found = gallery(replace(inputs, pools=[replace(inputs.pools[0], neighbours=[part])]), SETTINGS)
    section = gallery_section(found)
    assert section.text == "None: no hand of a pool has a similar hand."
    assert section.html == ""


def test_frames_of_annotated_hands_are_their_images(tmp_path: Path, inputs: DataInputs) -> None:
    rows = [
        {
            "hand_id": f"h{i}", "file_name": f"own/{i}.jpg", "video_id": video, "frame_index": frame,
            "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0, "left_right": "Left",
            "keypoints": [0.0] * 63, "positives": [], "distances": [],
        }
        for i, (video, frame) in enumerate([("$a_$.mp4", 0), ("$a_$.mp4", 1), ("b.mp4", 2), ("c.mp4", 3)])
    ]  # fmt: skip
    with arrow_writer(tmp_path / "annotations.arrow", ANNOTATIONS) as writer:
        writer.write_table(pa.Table.from_pylist(rows, ANNOTATIONS))
    images = tmp_path / "images"
    (images / "own").mkdir(parents=True)
    for i in range(4):
        (images / "own" / f"{i}.jpg").write_bytes(encode_jpeg(np.full((30, 900, 3), 60 * i, np.uint8), 95))
    annotated = replace(inputs, annotated={"wild": AnnotatedImages(images, tmp_path / "annotations.arrow")})
    found = gallery(annotated, SETTINGS)
    for i, frame in enumerate(found["frames"]):
        picture = decoded(frame["picture"])
        assert (frame["width"], frame["height"], picture.shape) == (900, 30, (13, 400, 3))
        assert np.abs(picture.astype(int) - 60 * i).max() <= 3
    (images / "own" / "2.jpg").write_bytes(b"no image")
    with pytest.raises(TableError, match=r"own/2\.jpg\n.*report\.gallery_frames to 0"):
        gallery(annotated, SETTINGS)
    (images / "own" / "2.jpg").unlink()
    assert len(gallery(annotated, SETTINGS)["frames"]) == 3
    assert gallery(annotated, SETTINGS.model_copy(update={"gallery_frames": 0}))["frames"] == []
    with arrow_writer(tmp_path / "annotations.arrow", ANNOTATIONS) as writer:
        writer.write_table(pa.Table.from_pylist(rows[:3], ANNOTATIONS))
    with pytest.raises(TableError, match="annotations are not those of the pool"):
        gallery(annotated, SETTINGS)


def test_hands_whose_frames_were_deleted_are_shown_without(inputs: DataInputs) -> None:
    whole = gallery(inputs, SETTINGS)
    for path in inputs.frames_folder.rglob("*.arrow"):
        path.unlink()
    found = gallery(inputs, SETTINGS)
    assert found["frames"] == []
    assert [hand["tile"] for hand in found["hands"]] == [hand["tile"] for hand in whole["hands"]]
    assert not any("frame" in hand for hand in found["hands"])


def test_frames_of_other_crops_are_refused(tmp_path: Path, inputs: DataInputs) -> None:
    path = tmp_path / "frames" / "wild" / "0of1.arrow"
    turned = open_arrow(path, FRAMES).take([3, 2, 1, 0])
    with arrow_writer(path, FRAMES) as writer:
        writer.write_table(turned)
    with pytest.raises(TableError, match=r"not those of the crops(.|\n)*0of1\.arrow, row"):
        gallery(inputs, SETTINGS)


@pytest.mark.parametrize("flipped", [False, True])
def test_keypoints_come_back_to_the_frame(flipped: bool) -> None:
    keypoints_px = np.random.default_rng(0).uniform(0, 400, (N_JOINTS, 3))
    square = (100.0, 50.0, 180.0, 250.0)
    crop = in_crop_units(keypoints_px, square, flipped)
    assert in_frame(crop[:, :2], square, flipped=flipped) == pytest.approx(keypoints_px[:, :2], abs=1e-3)


def test_no_text_ends_its_element() -> None:
    text = embedded_json({"video": "</script><!--<script>\u2028é"})
    assert "<" not in text
    assert text.isascii()
    assert json.loads(text) == {"video": "</script><!--<script>\u2028é"}
