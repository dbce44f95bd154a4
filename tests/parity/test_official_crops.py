"""Imported hands against those that the official loader made of the same annotations (h_augment.npz, not shipped)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.lib.npyio import NpzFile

from simhand.files import open_arrow, read_parquet
from simhand.hand100m import importing
from simhand.hand100m.annotations import ANNOTATIONS
from simhand.hand100m.importing import ImportedShard, import_hands
from simhand.hand100m.reading import read_annotations
from simhand.hand100m.settings import ImportSettings
from simhand.tables import CROPS, KEYPOINTS


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("h_augment")


@pytest.fixture
def folder(data: NpzFile, tmp_path: Path) -> Path:
    """The annotations and their frames, as they would be released."""
    text = str(data["annotation_json"])
    (tmp_path / "annotations.json").write_text(text)
    for image in json.loads(text)["images"]:
        path = tmp_path / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), frame_of(data, image["width"], image["height"]))  # PNG: nothing is lost
    read_annotations(tmp_path / "annotations.json", tmp_path / "annotations.arrow")
    return tmp_path


def frame_of(data: NpzFile, width: int, height: int) -> np.ndarray:
    """The picture that the hands were annotated in, uint8 BGR, made of the one that the recordings come with."""
    recordings = Path(data.zip.filename).parent
    meta = recordings / "meta.json"
    name = json.loads(meta.read_text())["detector_image"] if meta.is_file() else "f_input.png"
    picture = cv2.imread(str(recordings / name)) if (recordings / name).is_file() else None
    if picture is None:
        pytest.skip(f"no {name} in {recordings}")
    if picture.shape[:2] == (height, width):
        return picture
    turned = re.search(r"\[::-1,:(\d+)\]", str(data["frame_bgr_note"]))  # another recording's frame: [::-1,:500]
    part = picture[::-1, : int(turned.group(1))] if turned else picture
    if part.shape[:2] != (height, width):
        pytest.skip(f"no picture of {width} x {height} px in {recordings}: {data['frame_bgr_note']}")
    return np.ascontiguousarray(part)


def hand_ids(data: NpzFile) -> list[str]:
    """Of db0, db1, ...: in the order of the annotations."""
    return [annotation["hand_id"] for annotation in json.loads(str(data["annotation_json"]))["annotations"]]


def as_png(crop: np.ndarray, quality: int) -> bytes:
    return cv2.imencode(".png", crop[..., ::-1])[1].tobytes()


def test_crops_and_keypoints(data: NpzFile, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "encode_jpeg", as_png)  # so that each pixel can be compared
    size = data["db0/image_rgb_u8"].shape[0]
    tables = ImportedShard(*(folder / name for name in ("status", "balanced", "crops.arrow", "keypoints.parquet")))
    settings = ImportSettings(size=size)
    import_hands(folder / "annotations.arrow", folder, tables, settings, source="s", shard="0of1")
    crops = {row["hand_id"]: row["jpeg"] for row in open_arrow(tables.crops, CROPS).to_pylist()}
    keypoints = {row["hand_id"]: row["keypoints"] for row in read_parquet(tables.keypoints, KEYPOINTS).to_pylist()}
    assert len(crops) == len(hand_ids(data))
    for index, hand_id in enumerate(hand_ids(data)):
        crop = cv2.imdecode(np.frombuffer(crops[f"s/{hand_id}"], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        np.testing.assert_array_equal(crop, data[f"db{index}/image_rgb_u8"], err_msg=hand_id)
        points = np.float32(keypoints[f"s/{hand_id}"]).reshape(21, 3)
        np.testing.assert_allclose(points, data[f"db{index}/joints_raw"], rtol=0, atol=1e-7, err_msg=hand_id)
        joints_px = data[f"db{index}/joints3D"][:, :2]
        np.testing.assert_allclose(points[:, :2] * size, joints_px, rtol=0, atol=2e-5, err_msg=hand_id)


def test_positives(data: NpzFile, folder: Path) -> None:
    ids = hand_ids(data)
    rows = {row["hand_id"]: row for row in open_arrow(folder / "annotations.arrow", ANNOTATIONS).to_pylist()}
    found = [ids.index(rows[hand_id]["positives"][0]) for hand_id in ids]
    assert found == [int(data[f"db{index}/positive_idx"]) for index in range(len(ids))]
