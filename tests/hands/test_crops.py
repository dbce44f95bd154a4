from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.frames.images import decode_jpeg
from simhand.hands.crops import crop_shard
from simhand.hands.settings import CropSettings
from simhand.tables import CROPS
from tests.hands.made_up import hand, write_shard


def crops_of(folder: Path, settings: CropSettings) -> list[dict]:
    paths = [folder / name for name in ("frames.arrow", "hands.parquet", "balanced.parquet", "crops.arrow")]
    crop_shard(*paths, settings)
    table = open_arrow(folder / "crops.arrow", CROPS)
    rows = table.drop_columns("jpeg").to_pylist()
    return [{**row, "image": decode_jpeg(cell).astype(int)} for row, cell in zip(rows, table["jpeg"], strict=True)]


@pytest.fixture
def image() -> np.ndarray:
    """Grey, darker to the left: column x has the value x."""
    return np.repeat(np.tile(np.arange(200, dtype=np.uint8), (100, 1))[:, :, None], 3, axis=2)


def test_a_right_hand_keeps_its_direction_and_a_left_one_is_mirrored(tmp_path: Path, image: np.ndarray) -> None:
    box = (80, 30, 120, 70)  # centre 100, 50; square of 52: x from 74 to 126
    write_shard(tmp_path, [image], [hand("r", box=box), hand("l", side="left", box=box)])
    right, left = crops_of(tmp_path, CropSettings(size=52))
    assert (right["flipped"], left["flipped"]) == (False, True)
    assert [right[f"square_{name}"] for name in ("x1", "y1", "x2", "y2")] == [74, 24, 126, 76]
    assert right["image"][20, :, 0] == pytest.approx(np.arange(74, 126), abs=2)
    assert left["image"][20, :, 0] == pytest.approx(np.arange(74, 126)[::-1], abs=2)


def test_beyond_the_border_is_black_and_nothing_is_stretched(tmp_path: Path, image: np.ndarray) -> None:
    write_shard(tmp_path, [image], [hand("h", box=(150, 80, 190, 120))])  # square of 52: x 144..196, y 74..126
    (crop,) = crops_of(tmp_path, CropSettings(size=52))
    assert crop["image"].shape == (52, 52, 3)
    assert crop["image"][:24, :, 0] == pytest.approx(np.tile(np.arange(144, 196), (24, 1)), abs=6)
    assert crop["image"][30:].max() < 8


def test_the_official_clipping_stretches(tmp_path: Path, image: np.ndarray) -> None:
    write_shard(tmp_path, [image], [hand("h", box=(150, 80, 190, 120))])
    (crop,) = crops_of(tmp_path, CropSettings(size=52, border="clip"))
    assert [crop[f"square_{name}"] for name in ("x1", "y1", "x2", "y2")] == [144, 74, 196, 100]
    assert crop["image"][50, 10:40, 0] == pytest.approx(np.arange(154, 184), abs=3)


def test_only_kept_hands_of_their_own_frame(tmp_path: Path, image: np.ndarray) -> None:
    hands = [hand("a"), hand("b", frame_row=1, box=(10, 10, 50, 50)), hand("c", frame_row=1)]
    write_shard(tmp_path, [image, np.full_like(image, 77)], hands, kept=[False, True, True])
    crops = crops_of(tmp_path, CropSettings())
    assert [crop["hand_id"] for crop in crops] == ["b", "c"]
    assert crops[0]["image"][112, 112, 0] == pytest.approx(77, abs=2)


def test_a_box_outside_the_frame_gives_no_crop(tmp_path: Path, image: np.ndarray) -> None:
    write_shard(tmp_path, [image], [hand("out", box=(300, 10, 340, 50)), hand("in")])
    assert [crop["hand_id"] for crop in crops_of(tmp_path, CropSettings())] == ["in"]


def test_a_sliver_gives_no_crop_where_crops_are_clipped(tmp_path: Path, image: np.ndarray) -> None:
    hands = [hand("a#0.0", box=(10.2, 10.2, 10.9, 10.9)), hand("a#0.1", box=(10, 10, 30, 30))]
    write_shard(tmp_path, [image], hands)
    (crop,) = crops_of(tmp_path, CropSettings(border="clip"))
    assert crop["hand_id"] == "a#0.1"


def test_tables_of_different_hands_are_refused(tmp_path: Path, image: np.ndarray) -> None:
    write_shard(tmp_path, [image], [hand("a")])
    balanced = (tmp_path / "balanced.parquet").read_bytes()
    write_shard(tmp_path, [image], [hand("b")])
    (tmp_path / "balanced.parquet").write_bytes(balanced)
    with pytest.raises(TableError, match="balanced"):
        crops_of(tmp_path, CropSettings())


def test_an_empty_shard(tmp_path: Path) -> None:
    write_shard(tmp_path, [], [])
    assert crops_of(tmp_path, CropSettings()) == []
