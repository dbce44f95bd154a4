"""Crops, keypoints and statuses of annotated hands, against the official loader restated, and with images lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from simhand.errors import FailedVideosError, TableError
from simhand.files import open_arrow, read_parquet
from simhand.frames.images import encode_jpeg
from simhand.hand100m.importing import ImportedShard, import_hands
from simhand.hand100m.reading import read_annotations
from simhand.hand100m.settings import ImportSettings, shard_names
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import DrawSettings
from simhand.stable import shard_of
from simhand.tables import BALANCED, CROPS, KEYPOINTS, MEMBERS, VIDEO_STATUS
from tests.hand100m.made_up import annotation, frame, image, keypoints, write_images, write_json
from tests.hand100m.official import OfficialLoader, official_crop

IMAGES = [image(0, "v/frame_000030.jpg"), image(1, "v/frame_000000.jpg"), image(2, "w/frame_000090.jpg")]
HANDS = [
    annotation("10", 0, left_right="Left"),
    annotation("11", 2, boxes="[2, 3.9, 60.5, 90.99]"),  # cut off at the upper left corner
    annotation("12", 1, left_right="Left", boxes="[250, 120, 319, 199]"),  # and at the lower right one
    annotation("13", 0, boxes=[40, 150.2, 75.75, 220]),  # reaches beyond the frame
]


class Imported:
    """The tables of one shard, as rows."""

    def __init__(self, folder: Path, shard: str) -> None:
        crops = open_arrow(folder / f"{shard}.arrow", CROPS)
        self.crops = crops.to_pylist()
        self.keypoints = read_parquet(folder / f"{shard}.parquet", KEYPOINTS).to_pylist()
        self.status = {row["video_id"]: row for row in read_parquet(folder / "status", VIDEO_STATUS).to_pylist()}
        self.balanced = read_parquet(folder / "balanced", BALANCED).to_pylist()

    def pixels(self, row: int) -> np.ndarray:
        data = np.frombuffer(self.crops[row]["jpeg"], np.uint8)
        return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(int)


def tables_in(folder: Path, shard: str) -> ImportedShard:
    return ImportedShard(folder / "status", folder / "balanced", folder / f"{shard}.arrow", folder / f"{shard}.parquet")


def run(folder: Path, shard: str = "0of1", **settings: Any) -> Imported:
    read_annotations(folder / "a.json", folder / "annotations.arrow")
    chosen = ImportSettings(jpeg_quality=100, **settings)
    out = tables_in(folder / "out", shard)
    import_hands(folder / "annotations.arrow", folder, out, chosen, source="src", shard=shard)
    return Imported(folder / "out", shard)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_json(tmp_path / "a.json", IMAGES, HANDS)
    write_images(tmp_path, IMAGES)
    return tmp_path


def test_crops_and_keypoints_are_the_official_loaders(folder: Path) -> None:
    boxes = [hand["boxes"] if isinstance(hand["boxes"], str) else json.dumps(hand["boxes"]) for hand in HANDS]
    positives = [
        hand | {"boxes": box, "positive_sample": ["10"], "distance": [0.5]}
        for hand, box in zip(HANDS, boxes, strict=True)
    ]
    write_json(folder / "a.json", IMAGES, positives)
    loader = OfficialLoader(folder, "a.json")
    official = {f"src/{item['hand_id']}": item for item in map(loader.__getitem__, range(4))}
    imported = run(folder)
    assert [crop["hand_id"] for crop in imported.crops] == ["src/12", "src/10", "src/13", "src/11"]
    for crop, found in zip(imported.crops, imported.keypoints, strict=True):
        expected = official[crop["hand_id"]]
        assert crop["jpeg"] == encode_jpeg(expected["image"], 100)
        points = np.float32(found["keypoints"]).reshape(21, 3)
        np.testing.assert_array_equal(points, expected["joints_raw"])
        np.testing.assert_allclose(points[:, :2] * 224, expected["joints_px"], atol=1e-4)
        assert tuple(crop[f"square_{name}"] for name in ("x1", "y1", "x2", "y2")) == expected["part"]
        assert (found["hand_id"], found["status"], found["score"]) == (crop["hand_id"], "found", None)


def test_a_left_hand_by_hand(folder: Path) -> None:
    imported = run(folder)
    crop = imported.crops[1]  # box 100, 60, 160, 110 in whole pixels; 78 x 65 around it; half of 78 is 39
    expected = {
        "hand_id": "src/10",
        "video_id": "v",
        "frame_index": 30,
        "timestamp_s": 1.0,
        "frame_row": 1,
        "frame_width": 320,
        "frame_height": 200,
        "side": "left",
        "detected_side": "Left",
        "side_source": "hand100m",
        "flipped": True,
        **{"square_x1": 91.0, "square_y1": 46.0, "square_x2": 169.0, "square_y2": 124.0},
    }
    assert {name: crop[name] for name in expected} == expected
    assert [crop[name] for name in ("x1", "y1", "x2", "y2")] == pytest.approx([100.7, 60.2, 160.9, 110])
    points = np.float32(imported.keypoints[1]["keypoints"]).reshape(21, 3)
    np.testing.assert_array_equal(points[:, 0], 1 - keypoints(10)[:, 0])
    np.testing.assert_array_equal(points[:, 1:], keypoints(10)[:, 1:])
    red = imported.pixels(1)[112, :, 0]  # grows to the right in the frame, so falls in the mirrored crop
    columns = 91 + (np.arange(224) + 0.5) * 78 / 224 - 0.5
    assert red[::-1] == pytest.approx(columns * 255 / 319, abs=5)


def test_a_right_hand_is_not_mirrored(folder: Path) -> None:
    imported = run(folder)
    assert (imported.crops[2]["side"], imported.crops[2]["flipped"]) == ("right", False)
    np.testing.assert_array_equal(np.float32(imported.keypoints[2]["keypoints"]), keypoints(13).ravel())
    assert imported.pixels(2)[112, 200, 0] > imported.pixels(2)[112, 20, 0]


def test_the_size_of_the_crop_can_be_chosen(folder: Path) -> None:
    small = run(folder, size=64).pixels(1)
    assert small.shape == (64, 64, 3)
    full = cv2.cvtColor(cv2.imread(str(folder / "v/frame_000030.jpg")), cv2.COLOR_BGR2RGB)
    _, (x1, y1, x2, y2) = official_crop(full, [100.7, 60.2, 160.9, 110])
    assert np.abs(small - cv2.resize(full[y1:y2, x1:x2], (64, 64))[:, ::-1]).max() <= 3


def test_statuses_and_balance_of_whole_videos(folder: Path) -> None:
    imported = run(folder)
    empty = {"reason": "", "fps": None, "duration_s": None}
    assert imported.status == {
        "v": {"video_id": "v", "status": "ok", "frames": 2, **empty},
        "w": {"video_id": "w", "status": "ok", "frames": 1, **empty},
    }
    assert imported.balanced == [
        {"hand_id": "src/12", "side": "left", "kept": True, "dropped": ""},
        {"hand_id": "src/10", "side": "left", "kept": True, "dropped": ""},
        {"hand_id": "src/13", "side": "right", "kept": True, "dropped": ""},
        {"hand_id": "src/11", "side": "right", "kept": True, "dropped": ""},
    ]


def test_each_video_is_in_its_own_shard_and_all_shards_are_all_hands(tmp_path: Path) -> None:
    images = [image(i, f"video{i}/frame_000000.jpg") for i in range(12)]
    write_json(tmp_path / "a.json", images, [annotation(str(i), i) for i in range(12)])
    write_images(tmp_path, images)
    found: dict[str, str] = {}
    for shard in shard_names(5):
        found |= {crop["video_id"]: shard for crop in run(tmp_path, shard).crops}
    assert found == {f"video{i}": shard_of(f"video{i}", 5) for i in range(12)}


def test_the_tables_do_not_depend_on_how_many_crops_are_held_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(folder)
    monkeypatch.setattr("simhand.hand100m.importing._BATCH", 3)
    parts = run(folder)
    assert (parts.crops, parts.keypoints) == (whole.crops, whole.keypoints)


def test_a_hand_annotated_in_one_point_has_no_keypoints(folder: Path) -> None:
    write_json(folder / "a.json", IMAGES, [annotation("10", 0), annotation("13", 0, keypoint_25d=[0.5, 0.5, 0.1] * 21)])
    found, lost = run(folder).keypoints
    assert (found["hand_id"], found["status"]) == ("src/10", "found")
    assert lost == {"hand_id": "src/13", "status": "missed", "reason": "annotated in one point"} | {
        "score": None,
        "keypoints": None,
    }


def test_a_shard_without_videos_gives_empty_tables(folder: Path) -> None:
    empty = next(name for name in shard_names(9) if name not in {shard_of("v", 9), shard_of("w", 9)})
    imported = run(folder, empty)
    assert (imported.crops, imported.keypoints, imported.status, imported.balanced) == ([], [], {}, [])


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.jpg")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "status", "reason"),
    [
        (Path.unlink, "unreadable", "no such file"),
        (_link_to_nothing, "unreadable", "no such file"),
        (_pipe, "unreadable", "no such file"),
        (_folder, "unreadable", "no such file"),
        (_cut_short, "corrupt", "not a whole image"),
        (_cut_in_half, "corrupt", "not a whole image"),
        (lambda path: path.write_bytes(b""), "corrupt", "not a whole image"),
        (lambda path: path.write_text("a cat"), "corrupt", "not a whole image"),
        (
            lambda path: path.write_bytes(encode_jpeg(frame(0, 160, 100), 95)),
            "corrupt",
            "160 x 100 pixels, annotated as 320 x 200",
        ),
    ],
)
def test_a_lost_image_costs_its_own_hands_and_says_why(folder: Path, damage: Any, status: str, reason: str) -> None:
    damage(folder / "v/frame_000030.jpg")
    imported = run(folder)
    assert [crop["hand_id"] for crop in imported.crops] == ["src/12", "src/11"]
    assert [row["hand_id"] for row in imported.keypoints] == ["src/12", "src/11"]
    assert len(imported.balanced) == 4
    video = imported.status["v"]
    assert (video["status"], video["frames"]) == (status, 1)
    assert video["reason"].startswith(f"1 of 2 images lost (1 {status}), 2 of 3 hands; the first: ")
    assert video["reason"].endswith(f"frame_000030.jpg: {reason}")
    assert imported.status["w"]["status"] == "ok"


def test_without_stated_sizes_a_box_outside_the_image_costs_the_image(folder: Path) -> None:
    images = [{name: item[name] for name in ("id", "file_name")} for item in IMAGES]
    write_json(folder / "a.json", images, [*HANDS, annotation("14", 2, boxes="[500, 10, 560, 70]")])
    imported = run(folder)
    assert imported.status["w"]["status"] == "corrupt"
    assert "320 x 200 pixels, but a box lies outside" in imported.status["w"]["reason"]
    assert [crop["video_id"] for crop in imported.crops] == ["v", "v", "v"]


def test_a_pool_is_drawn_from_them_and_a_quota_holds(folder: Path) -> None:
    run(folder)
    out = tables_in(folder / "out", "0of1")
    shard = ShardTables("src", "0of1", out.status, out.crops, out.keypoints)
    draw_pool([shard], DrawSettings(sources=("src",)), folder / "members.parquet", pool="p")
    members = read_parquet(folder / "members.parquet", MEMBERS).to_pylist()
    assert [member["hand_id"] for member in members] == ["src/12", "src/10", "src/13", "src/11"]
    np.testing.assert_array_equal(np.float32(members[2]["keypoints"]), keypoints(13).ravel())
    assert members[1]["visible"] == 1  # its whole square lies inside the frame
    (folder / "w/frame_000090.jpg").unlink()
    run(folder)
    with pytest.raises(FailedVideosError, match=r"1 of 1 images lost"):
        draw_pool([shard], DrawSettings(sources=("src",)), folder / "members.parquet", pool="p")


def test_a_missing_table_of_annotations_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"cannot read a table\n.*none.arrow"):
        import_hands(
            tmp_path / "none.arrow",
            tmp_path,
            tables_in(tmp_path, "0of1"),
            ImportSettings(),
            source="s",
            shard="0of1",
        )
