"""A pool as official annotations: read by the official loader restated, and read back as a pool of our own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from torch.utils.data import DataLoader

from simhand.errors import PoolError, TableError
from simhand.files import arrow_writer, open_arrow, read_parquet, write_parquet
from simhand.hand100m.exporting import PoolFiles, export_pool
from simhand.hand100m.frame_files import AnnotatedImages, file_name
from simhand.hand100m.importing import ImportedShard, import_hands
from simhand.hand100m.reading import read_annotations
from simhand.hand100m.released import released_neighbours
from simhand.hand100m.settings import ExportSettings, ImportSettings, ReleasedSettings, shard_names
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import DrawSettings
from simhand.pretraining.crops import Pairs
from simhand.pretraining.pool import read_pool, read_positives
from simhand.tables import CROPS, FRAMES, MEMBERS, NEIGHBOURS
from tests.hand100m.made_up import (
    MadeUpPool,
    annotation,
    image,
    make_pool,
    read_pool_tables,
    write_images,
    write_json,
    write_neighbours,
)  # fmt: skip
from tests.hand100m.official import OfficialLoader

RANKS = (1, 2, 3)


@pytest.fixture(scope="module", params=["pad", "clip"])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MadeUpPool:
    return make_pool(tmp_path_factory.mktemp("pool"), border=request.param, ranks=RANKS)


@pytest.fixture(scope="module")
def exported(pool: MadeUpPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    export_pool(pool.files, out, ExportSettings())
    return out


def read_back(exported: Path, folder: Path, *, shards: int = 3, source: str = "back") -> MadeUpPool:
    """Imports an exported pool with the neighbours of the JSON."""
    annotations = folder / "annotations.arrow"
    read_annotations(exported / "annotations.json", annotations)
    parts = []
    for shard in shard_names(shards):
        crops, keypoints = folder / f"crops/{source}/{shard}.arrow", folder / f"keypoints/{source}/{shard}.parquet"
        status = folder / f"frames/{source}/{shard}.status.parquet"
        tables = ImportedShard(status, folder / f"balanced/{source}/{shard}.parquet", crops, keypoints)
        import_hands(annotations, exported, tables, ImportSettings(), source=source, shard=shard)
        parts.append(ShardTables(source, shard, status, crops, keypoints))
    members, neighbours = folder / "members.parquet", folder / "released.parquet"
    draw_pool(parts, DrawSettings(sources=(source,)), members, pool="back")
    released_neighbours(members, {source: annotations}, ReleasedSettings(), neighbours, pool="back")
    return read_pool_tables(PoolFiles(members, [neighbours], folder / "crops", folder / "frames"))


@pytest.fixture(scope="module")
def back(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeUpPool:
    return read_back(exported, tmp_path_factory.mktemp("back"))


def original_rows(exported: Path, back: MadeUpPool, pool: MadeUpPool) -> list[int]:
    """The row in the first pool of each hand that was read back."""
    own = {f"back/{a['hand_id']}": a["simhand_id"] for a in _whole(exported)["annotations"]}
    rows = {member["hand_id"]: member["row"] for member in pool.members}
    return [rows[own[member["hand_id"]]] for member in back.members]


def with_images(back: MadeUpPool, folder: Path) -> PoolFiles:
    """The files of a pool that was read back, and where its images are."""
    table = back.files.crops.parent / "annotations.arrow"
    return replace(back.files, annotated={"back": AnnotatedImages(folder, table)})


def _whole(exported: Path) -> dict[str, Any]:
    return dict(json.loads((exported / "annotations.json").read_text()))


def test_the_round_trip_keeps_every_hand_where_it_was(exported: Path, back: MadeUpPool, pool: MadeUpPool) -> None:
    rows = original_rows(exported, back, pool)
    assert sorted(rows) == list(range(len(pool.members)))
    assert len(rows) == 24
    for column in ("side", "frame_index"):
        assert [m[column] for m in back.members] == [pool.members[row][column] for row in rows]
    videos = [f"images/{pool.members[row]['source']}/{pool.members[row]['video_id']}" for row in rows]
    assert [m["video_id"] for m in back.members] == videos
    np.testing.assert_allclose(back.pixels(), pool.pixels()[rows], atol=1e-4)  # float32 of some hundred pixels
    sides = {member["side"] for member in back.members}
    assert sides == {"left", "right"}


def test_depth_keeps_its_length_in_pixels(exported: Path, back: MadeUpPool, pool: MadeUpPool) -> None:
    def depths(each: MadeUpPool) -> np.ndarray:
        widths = [crop["square_x2"] - crop["square_x1"] for crop in each.crops]
        return np.array([np.array(m["keypoints"])[2::3] * w for m, w in zip(each.members, widths, strict=True)])

    np.testing.assert_allclose(depths(back), depths(pool)[original_rows(exported, back, pool)], atol=1e-4)


def test_the_round_trip_keeps_neighbours_ranks_and_distances(
    exported: Path, back: MadeUpPool, pool: MadeUpPool
) -> None:
    rows = original_rows(exported, back, pool)
    found = {(rows[n["row"]], n["rank"]): (rows[n["neighbour"]], n["distance"]) for n in back.neighbours}
    expected = {(n["row"], n["rank"]): (n["neighbour"], n["distance"]) for n in pool.neighbours}
    assert len(expected) == 24 * len(RANKS)
    assert found == expected


def test_training_reads_what_was_read_back(back: MadeUpPool) -> None:
    pool = read_pool(back.files.members, back.files.crops)
    positives = read_positives(back.files.neighbours, 2, len(pool))
    pairs = Pairs(pool, positives)
    batch = next(iter(DataLoader(pairs, batch_size=5)))
    assert batch.crops.shape == (5, 2, 3, 224, 224)
    expected = back.crops[int(positives[3])]["image"].astype(int)
    assert np.abs(batch.crops[3, 1].permute(1, 2, 0).numpy() - expected).max() <= 2
    points = np.array(back.members[3]["keypoints"]).reshape(21, 3)[:, :2]
    np.testing.assert_allclose(batch.keypoints_px[3, 0].numpy(), points * 224, rtol=1e-6)


def test_the_official_loader_sees_each_hand_where_it_is(exported: Path, pool: MadeUpPool) -> None:
    loader = OfficialLoader(exported, "annotations.json")
    pixels = pool.pixels()
    first = {n["row"]: n for n in pool.neighbours if n["rank"] == 1}
    for row, crop in enumerate(pool.crops):
        item = loader[row]
        x1, y1, x2, y2 = item["part"]
        x, y = item["joints_px"].astype(np.float64).T / 224
        x = 1 - x if crop["flipped"] else x
        seen = np.stack([x1 + x * (x2 - x1), y1 + y * (y2 - y1)], axis=1)
        np.testing.assert_allclose(seen, pixels[row], atol=1e-3)
        assert item["hand_id"] == row
        assert item["positive"] == first[row]["neighbour"]
        assert np.float32(item["distance"]) == np.float32(first[row]["distance"])


def test_the_official_loader_sees_the_same_image(exported: Path, pool: MadeUpPool) -> None:
    """The colour of a place in the frame tells its x and y: the crop must show the frame's colour there."""
    loader = OfficialLoader(exported, "annotations.json")
    for row, crop in enumerate(pool.crops):
        item = loader[row]
        x1, y1, x2, y2 = item["part"]
        middle = item["image"][112, 112].astype(float)  # flipping leaves the middle where it is, but for half a pixel
        assert middle[0] == pytest.approx((x1 + x2) / 2 * 255 / 319, abs=4)
        assert middle[1] == pytest.approx((y1 + y2) / 2 * 255 / 199, abs=4)
        row_of_red = item["image"][112, :, 0].astype(int)
        assert (row_of_red[-1] < row_of_red[0]) == crop["flipped"]


def test_the_layout_value_by_value(exported: Path, pool: MadeUpPool) -> None:
    whole = _whole(exported)
    assert list(whole) == ["images", "annotations"]
    row = next(m["row"] for m in pool.members if (m["source"], m["video_id"]) == ("web", "deep/b.mp4"))
    written, member, crop = whole["annotations"][row], pool.members[row], pool.crops[row]
    described = whole["images"][written["image_id"]]
    name = f"images/web/deep/b.mp4/frame_{member['frame_index']:06d}.jpg"
    assert described == {"id": written["image_id"], "file_name": name, "width": 320, "height": 200}
    assert written["hand_id"] == f"{row:02d}"
    assert written["simhand_id"] == member["hand_id"]
    assert json.loads(written["boxes"]) == [int(crop[corner]) for corner in ("x1", "y1", "x2", "y2")]
    assert written["left_right"] == member["side"].title()
    mine = sorted((n["rank"], n["neighbour"], n["distance"]) for n in pool.neighbours if n["row"] == row)
    assert written["positive_sample"] == [f"{neighbour:02d}" for _, neighbour, _ in mine]
    assert [np.float32(d) for d in written["distance"]] == [np.float32(d) for _, _, d in mine]
    assert len(written["keypoint_25d"]) == 63
    assert all(isinstance(value, float) for value in written["keypoint_25d"])


def test_each_frame_is_written_once_and_as_it_is_stored(exported: Path, pool: MadeUpPool) -> None:
    whole = _whole(exported)
    names = [described["file_name"] for described in whole["images"]]
    assert len(names) == len(set(names)) == 18
    files = sorted(path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file())
    assert files == sorted([*names, "annotations.json"])
    frames = open_arrow(pool.files.frames / "cam" / "0of2.arrow", FRAMES).to_pylist()
    for stored in frames:
        path = exported / f"images/cam/{stored['video_id']}/frame_{stored['frame_index']:06d}.jpg"
        assert path.read_bytes() == stored["jpeg"]


def test_images_can_be_left_out_and_the_json_can_lie_elsewhere(pool: MadeUpPool, tmp_path: Path) -> None:
    export_pool(pool.files, tmp_path, ExportSettings(with_images=False, annotations="annotations/Ego4D/mine.json"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "annotations/Ego4D/mine.json"]


def test_only_the_nearest_k(pool: MadeUpPool, tmp_path: Path) -> None:
    export_pool(pool.files, tmp_path, ExportSettings(with_images=False, top_k=2))
    lists = {(len(a["positive_sample"]), len(a["distance"])) for a in _whole(tmp_path)["annotations"]}
    assert lists == {(2, 2)}


def test_ranks_beyond_a_gap_are_left_out(tmp_path: Path) -> None:
    pool = make_pool(tmp_path / "pool", ranks=(1, 2, 7, 9))
    export_pool(pool.files, tmp_path, ExportSettings(with_images=False))
    assert {len(a["positive_sample"]) for a in _whole(tmp_path)["annotations"]} == {2}


def test_an_imported_pool_keeps_its_ids_and_finds_its_images(exported: Path, back: MadeUpPool, tmp_path: Path) -> None:
    export_pool(with_images(back, exported), tmp_path, ExportSettings())
    first, second = _whole(exported), _whole(tmp_path)
    by_id = {a["hand_id"]: a for a in first["annotations"]}
    assert len(second["annotations"]) == len(by_id)
    for again in second["annotations"]:
        before = by_id[again["hand_id"]]
        assert [again[key] for key in ("boxes", "left_right", "positive_sample", "distance")] == [
            before[key] for key in ("boxes", "left_right", "positive_sample", "distance")
        ]
        np.testing.assert_allclose(again["keypoint_25d"], before["keypoint_25d"], atol=3e-7)
        image = second["images"][again["image_id"]]
        original = first["images"][before["image_id"]]
        assert image["file_name"] == f"images/back/{original['file_name']}"
        assert (tmp_path / image["file_name"]).read_bytes() == (exported / original["file_name"]).read_bytes()


def test_an_imported_source_without_its_folder_is_refused(back: MadeUpPool, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no table of frames(.|\n)*--images back=FOLDER"):
        export_pool(back.files, tmp_path, ExportSettings())
    with pytest.raises(TableError, match=r"cannot read an image(.|\n)*frame_000000.jpg"):
        export_pool(with_images(back, tmp_path), tmp_path, ExportSettings())


def test_images_of_any_name_are_found_again(tmp_path: Path) -> None:
    """Also where two of one folder have the same number."""
    names = ["v/camA_000030.jpg", "v/camB_000030.jpg", "w/30.jpg"]
    images = [image(i, name) for i, name in enumerate(names)]
    pairs = [("2",), ("2",), ("0",)]
    hands = [annotation(str(i), i, positive_sample=[*pair], distance=[0.5]) for i, pair in enumerate(pairs)]
    first = tmp_path / "first"
    write_images(first, images)
    write_json(first / "annotations.json", images, hands)
    back = read_back(first, tmp_path / "back", shards=1)
    export_pool(with_images(back, first), tmp_path / "again", ExportSettings())
    whole = _whole(tmp_path / "again")
    assert len(whole["images"]) == 3
    for hand in whole["annotations"]:
        written = tmp_path / "again" / whole["images"][hand["image_id"]]["file_name"]
        assert written.read_bytes() == (first / names[int(hand["hand_id"])]).read_bytes()


def test_images_of_other_annotations_are_refused(exported: Path, back: MadeUpPool, tmp_path: Path) -> None:
    write_json(tmp_path / "other.json", [image(0, "v/1.jpg")], [annotation("0", 0)])
    read_annotations(tmp_path / "other.json", tmp_path / "other.arrow")
    files = replace(back.files, annotated={"back": AnnotatedImages(exported, tmp_path / "other.arrow")})
    with pytest.raises(TableError, match=r"the annotations are not those of the pool\n.*other.arrow"):
        export_pool(files, tmp_path / "out", ExportSettings())


@pytest.mark.parametrize("video_id", ["../videos/a.mp4", "/data/a.mp4", "./a.mp4", "a//b.mp4"])
def test_no_frame_is_written_outside_the_folder(video_id: str) -> None:
    name = PurePosixPath(file_name("cam", video_id, 30))
    assert name.parts[:2] == ("images", "cam")
    assert ".." not in name.parts
    assert str(name) == file_name("cam", video_id, 30)
    assert name.name == "frame_000030.jpg"


def test_tables_of_neighbours_that_tell_the_same_are_refused(pool: MadeUpPool, tmp_path: Path) -> None:
    """As an earlier `query_shards` may leave them."""
    whole = pa.concat_tables([read_parquet(path, NEIGHBOURS) for path in pool.files.neighbours])
    write_parquet(whole, tmp_path / "0of1.parquet", NEIGHBOURS)
    files = replace(pool.files, neighbours=[*pool.files.neighbours, tmp_path / "0of1.parquet"])
    with pytest.raises(TableError, match=r"(?s)tell of the same hand.*row 0 of the pool, rank 1.*query_shards"):
        export_pool(files, tmp_path / "out", ExportSettings())
    assert not (tmp_path / "out").exists()


def test_ranks_come_in_order_whatever_the_order_of_the_table(pool: MadeUpPool, tmp_path: Path) -> None:
    whole = pa.concat_tables([read_parquet(path, NEIGHBOURS) for path in pool.files.neighbours])
    turned = whole.take(list(range(len(whole)))[::-1])
    write_parquet(turned, tmp_path / "turned.parquet", NEIGHBOURS)
    for name, tables in (("one", pool.files.neighbours), ("two", [tmp_path / "turned.parquet"])):
        export_pool(replace(pool.files, neighbours=tables), tmp_path / name, ExportSettings(with_images=False))
    assert _whole(tmp_path / "one") == _whole(tmp_path / "two")


def test_a_hand_without_neighbour_is_refused(pool: MadeUpPool, tmp_path: Path) -> None:
    files = replace(pool.files, neighbours=pool.files.neighbours[:1])
    with pytest.raises(PoolError, match=r"12 of 24 hands have no neighbour of rank 1\n.*row 12"):
        export_pool(files, tmp_path, ExportSettings())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("columns", [{"row": 24, "neighbour": 0}, {"row": 0, "neighbour": -1}])
def test_neighbours_of_another_pool_are_refused(pool: MadeUpPool, tmp_path: Path, columns: dict[str, int]) -> None:
    other = tmp_path / "n.parquet"
    write_parquet(pa.Table.from_pylist([{**columns, "rank": 1, "distance": 0.5}], NEIGHBOURS), other, NEIGHBOURS)
    with pytest.raises(TableError, match="neighbours of another pool"):
        export_pool(replace(pool.files, neighbours=[*pool.files.neighbours, other]), tmp_path, ExportSettings())


def test_crops_and_frames_of_another_run_are_refused(tmp_path: Path) -> None:
    pool = make_pool(tmp_path / "pool")
    path = pool.files.frames / "cam" / "0of2.arrow"
    frames = open_arrow(path, FRAMES)
    with arrow_writer(tmp_path / "turned.arrow", FRAMES) as writer:
        writer.write_table(frames.take(list(range(len(frames)))[::-1]))
    (tmp_path / "turned.arrow").replace(path)
    with pytest.raises(TableError, match=r"the frames are not those of the crops\n.*cam/0of2.arrow"):
        export_pool(pool.files, tmp_path / "out", ExportSettings())
    path = pool.files.crops / "web" / "1of2.arrow"
    crops = open_arrow(path, CROPS)
    with arrow_writer(tmp_path / "short.arrow", CROPS) as writer:
        writer.write_table(crops.slice(0, 1))
    (tmp_path / "short.arrow").replace(path)
    with pytest.raises(TableError, match=r"the crops are not those of the pool\n.*web/1of2.arrow"):
        export_pool(pool.files, tmp_path / "out", ExportSettings())
    assert not (tmp_path / "out" / "annotations.json").exists()


def test_a_box_that_the_official_loader_fails_on_is_refused(tmp_path: Path) -> None:
    pool = make_pool(tmp_path / "pool")
    path = pool.files.crops / "cam" / "1of2.arrow"
    crops = open_arrow(path, CROPS)
    narrow = pa.array([10.0] * len(crops), pa.float32())
    for name, other in (("x1", narrow), ("y1", narrow), ("x2", narrow), ("y2", narrow)):
        crops = crops.set_column(crops.column_names.index(name), CROPS.field(name), other)
    with arrow_writer(tmp_path / "narrow.arrow", CROPS) as writer:
        writer.write_table(crops)
    (tmp_path / "narrow.arrow").replace(path)
    with pytest.raises(TableError, match="a box shows nothing of its frame"):
        export_pool(pool.files, tmp_path / "out", ExportSettings(with_images=False))
    assert not (tmp_path / "out" / "annotations.json").exists()


def test_a_pool_of_more_hands_than_one_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool(tmp_path / "pool")
    export_pool(pool.files, tmp_path / "whole", ExportSettings(with_images=False))
    monkeypatch.setattr("simhand.hand100m.exporting._BATCH", 5)
    export_pool(pool.files, tmp_path / "parts", ExportSettings(with_images=False))
    assert _whole(tmp_path / "parts") == _whole(tmp_path / "whole")


def test_other_neighbours_of_the_same_hands_change_nothing_else(tmp_path: Path) -> None:
    pool = make_pool(tmp_path / "pool")
    export_pool(pool.files, tmp_path / "one", ExportSettings(with_images=False))
    write_neighbours(pool.files.members, list(pool.files.neighbours), [1])
    export_pool(pool.files, tmp_path / "two", ExportSettings(with_images=False))
    one, two = _whole(tmp_path / "one"), _whole(tmp_path / "two")
    assert one["images"] == two["images"]
    assert [a["keypoint_25d"] for a in one["annotations"]] == [a["keypoint_25d"] for a in two["annotations"]]
    assert [a["positive_sample"][:1] for a in one["annotations"]] == [a["positive_sample"] for a in two["annotations"]]


def test_members_are_the_same_hands(back: MadeUpPool) -> None:
    table = read_parquet(back.files.members, MEMBERS)
    assert set(table["source"].to_pylist()) == {"back"}
    assert sorted(table["hand_id"].to_pylist()) == sorted(f"back/{row:02d}" for row in range(24))
    assert all(0 <= value <= 1 for value in table["visible"].to_pylist())
