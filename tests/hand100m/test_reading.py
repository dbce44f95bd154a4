"""The JSON as a table, and every way in which a JSON can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.hand100m.annotations import ANNOTATIONS
from simhand.hand100m.reading import read_annotations
from tests.hand100m.made_up import annotation, image, keypoints, write_json

IMAGES = [image(7, "vid/frame_000030.jpg"), image(9, "other/vid/frame_000600.jpg")]


def read(path: Path) -> list[dict[str, Any]]:
    out = path.with_suffix(".arrow")
    read_annotations(path, out)
    return open_arrow(out, ANNOTATIONS).to_pylist()


@pytest.mark.parametrize("annotations_first", [False, True])
def test_value_by_value_whichever_list_comes_first(tmp_path: Path, annotations_first: bool) -> None:
    first = annotation("12", 9, left_right="Left", positive_sample=["5", "77"], distance=[0.25, 1])
    second = annotation("5", 7, boxes=[1, 2, 30, 40.5])
    rows = read(write_json(tmp_path / "a.json", IMAGES, [first, second], annotations_first=annotations_first))
    assert rows[0] | {"keypoints": None} == {
        "hand_id": "12",
        "file_name": "other/vid/frame_000600.jpg",
        "video_id": "other/vid",
        "frame_index": 600,
        "frame_width": 320,
        "frame_height": 200,
        **{"x1": 100.7, "y1": 60.2, "x2": 160.9, "y2": 110.0},
        "left_right": "Left",
        "keypoints": None,
        "positives": ["5", "77"],
        "distances": [0.25, 1.0],
    }
    np.testing.assert_array_equal(np.float32(rows[0]["keypoints"]), keypoints(12).ravel())
    assert [rows[1][name] for name in ("hand_id", "video_id", "frame_index", "x1", "y1", "x2", "y2")] == [
        *("5", "vid", 30),
        *(1.0, 2.0, 30.0, 40.5),
    ]


def test_more_annotations_than_fit_one_batch_keep_their_order(tmp_path: Path) -> None:
    rows = read(write_json(tmp_path / "a.json", IMAGES, [annotation(str(i), 7) for i in range(5000)]))
    assert [row["hand_id"] for row in rows] == [str(i) for i in range(5000)]


@pytest.mark.parametrize(
    ("file_name", "video_id", "frame_index"),
    [
        ("flat_000060.jpg", ".", 60),  # no folder: all such images are one video
        ("a/b/last.jpg", "a/b", 1),  # no number: the place in the list of images
        ("a/99999999999.jpg", "a", 1),  # too large a number
        ("a/12.png", "a", 12),
        ("a/" + "9" * 5000 + ".png", "a", 1),
        ("x/frame_b_000000.jpg", "x", 1),  # that number is another image's
        ("a/cam2_000150_left.jpg", "a", 150),
    ],
)
def test_what_a_file_name_tells(tmp_path: Path, file_name: str, video_id: str, frame_index: int) -> None:
    images = [image(0, "x/frame_000000.jpg"), image(1, file_name)]
    (row,) = read(write_json(tmp_path / "a.json", images, [annotation("1", 1)]))
    assert (row["video_id"], row["frame_index"]) == (video_id, frame_index)


def test_sizes_may_be_left_out_and_ids_may_be_numbers_or_text(tmp_path: Path) -> None:
    images = [{"id": "x", "file_name": "v/frame_000000.jpg"}]
    values = {"image_id": "x", "hand_id": 4, "positive_sample": [8], "distance": [0]}
    (row,) = read(write_json(tmp_path / "a.json", images, [annotation("4", 0) | values]))
    assert (row["hand_id"], row["positives"], row["frame_width"], row["frame_height"]) == ("4", ["8"], None, None)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in annotation("1", 7).items() if name != key}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        *((without(key), rf"wrong {key}\n.*annotation 1") for key in annotation("1", 7)),
        ("not a hand", "wrong keys"),
        (annotation("1", 8), r"wrong image_id\n.*annotation 1 \(hand_id '1'\)\n.*one of the images\n.*8"),
        (annotation("1", 7, image_id=[7]), "wrong image_id"),
        (annotation("0", 7), r"wrong hand_id\n(.|\n)*no other"),
        (annotation("1", 7, hand_id=None), "wrong hand_id"),
        (annotation("1", 7, keypoint_25d=[0.5] * 62), r"wrong keypoint_25d\n(.|\n)*63 finite numbers"),
        (annotation("1", 7, keypoint_25d=[0.5] * 62 + [None]), "wrong keypoint_25d"),
        (annotation("1", 7, keypoint_25d=[0.5] * 62 + [1e300]), "wrong keypoint_25d"),
        (annotation("1", 7, keypoint_25d=[[0.5, 0.5, 0.5]] * 21), "wrong keypoint_25d"),
        (annotation("1", 7, boxes="[10, 10, 50]"), "wrong boxes"),
        (annotation("1", 7, boxes="10 10 50 50"), "wrong boxes"),
        (annotation("1", 7, boxes="[10, 10, 10, 50]"), r"wrong boxes\n(.|\n)*x1 < x2"),
        (annotation("1", 7, boxes="[10, 10, 50, NaN]"), "wrong boxes"),
        (annotation("1", 7, boxes=None), "wrong boxes"),
        (annotation("1", 7, boxes='"1299"'), "wrong boxes"),
        (annotation("1", 7, boxes={"1": 1, "2": 2, "30": 1, "40": 1}), "wrong boxes"),
        (annotation("1", 7, boxes=f"[1, 1, 1{'0' * 400}, 3]"), "wrong boxes"),
        (annotation("1", 7, boxes="[" * 100_000), "wrong boxes"),
        (annotation("1", 7, boxes="[900, 10, 950, 60]"), r"wrong boxes\n(.|\n)*320 x 200"),
        (annotation("1", 7, left_right=["Left"]), "wrong left_right"),
        (annotation("1", 7, keypoint_25d=["0.5"] * 63), "wrong keypoint_25d"),
        (annotation("1", 7, positive_sample=["5"], distance=[1e300]), "wrong distance"),
        (annotation("1", 7, left_right="left"), r"wrong left_right\n(.|\n)*Left or Right"),
        (annotation("1", 7, positive_sample="5", distance=[0.1]), "wrong positive_sample"),
        (annotation("1", 7, positive_sample=[None], distance=[0.1]), "wrong positive_sample"),
        (annotation("1", 7, positive_sample=["5"], distance=[]), "a list of 1 numbers"),
        (annotation("1", 7, positive_sample=["5"], distance=["near"]), "wrong distance"),
    ],
)
def test_a_wrong_annotation_is_named(tmp_path: Path, wrong: Any, message: str) -> None:
    path = write_json(tmp_path / "a.json", IMAGES, [annotation("0", 7), wrong])
    with pytest.raises(TableError, match=message):
        read(path)
    assert list(tmp_path.iterdir()) == [path]  # nothing half done is left


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"id": 3}, "wrong id and file_name\n.*image 1"),
        (image(3, "/data/frame.jpg"), "wrong file_name"),
        (image(3, "../frame.jpg"), "wrong file_name"),
        (image(3, ""), "wrong file_name"),
        (image(7, "vid/again.jpg"), "wrong id\n.*image 1\n.*no other"),
        (image(3, "v/f.jpg", width=0), "wrong width"),
        (image(3, "v/f.jpg", height="200"), "wrong height"),
        (image(3, "v/f.jpg", width=2**40), "wrong width"),
        (image(3, "v/f.jpg", id=None), "wrong id"),
    ],
)
def test_a_wrong_image_is_named(tmp_path: Path, wrong: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read(write_json(tmp_path / "a.json", [IMAGES[0], wrong], [annotation("0", 7)]))


def test_a_file_that_is_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    text = write_json(tmp_path / "whole.json", IMAGES, [annotation("0", 7), annotation("1", 9)]).read_text()
    path = tmp_path / "cut.json"
    for length in (0, 1, 40, len(text) // 3, len(text) // 2, len(text) - 2, len(text) - 1):
        path.write_text(text[:length])
        with pytest.raises(TableError, match=r"cannot read annotations\n.*cut.json"):
            read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no images"),
        ('{"images": []}', "no images"),
        (json.dumps({"images": IMAGES}), "no annotations"),
        (json.dumps({"images": IMAGES, "annotations": []}), "no annotations"),
        ("hands: many", "cannot read annotations"),
        ("\x89PNG\r\n\x1a\n", "cannot read annotations"),
    ],
)
def test_what_is_no_such_json_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="latin-1")
    with pytest.raises(TableError, match=message):
        read(tmp_path / "a.json")


def test_not_a_number_is_refused_as_what_json_does_not_have(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", IMAGES, [annotation("0", 7, keypoint_25d=[float("nan")] * 63)])
    with pytest.raises(TableError, match="cannot read annotations"):
        read(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"cannot read annotations\n.*nowhere.json"):
        read_annotations(tmp_path / "nowhere.json", tmp_path / "out.arrow")
