"""Stage 9 on files: ranges, bytes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import PoolError, TableError
from simhand.files import read_parquet
from simhand.mining.knn import mine_neighbours, query_range, video_numbers
from simhand.mining.pca import embed_pool
from simhand.mining.pool import draw_pool
from simhand.mining.settings import NeighbourSettings, PoolSettings
from simhand.tables import MEMBERS, NEIGHBOURS

_SETTINGS = PoolSettings(sources=("ego", "exo"), components=6, neighbours=4)


@pytest.fixture
def pool(write_shard: Any, tmp_path: Path) -> Path:
    """A folder with the members and embeddings of 90 hands in 5 videos."""
    shards = [
        write_shard("ego", "0of1", {"a": 30, "b": 20}),
        write_shard("exo", "0of1", {"a": 15, "b": 15, "c": 10}),
    ]
    draw_pool(shards, _SETTINGS, tmp_path / "members.parquet", pool="small")
    embed_pool(tmp_path / "members.parquet", _SETTINGS, tmp_path / "pca.npz", tmp_path / "embeddings.npy", pool="small")
    return tmp_path


def _mine(folder: Path, out: str, index: int = 0, workers: int = 1, **settings: Any) -> pa.Table:
    chosen = _SETTINGS.model_copy(update=settings)
    files = folder / "embeddings.npy", folder / "members.parquet"
    mine_neighbours(*files, chosen, index, folder / out, pool="small", workers=workers)
    return read_parquet(folder / out, NEIGHBOURS)


def test_the_table_is_the_brute_force_answer(pool: Path) -> None:
    table = _mine(pool, "all.parquet").to_pydict()
    embeddings = np.load(pool / "embeddings.npy").astype(np.float64)
    members = read_parquet(pool / "members.parquet", MEMBERS).to_pydict()
    videos = list(zip(members["source"], members["video_id"], strict=True))
    for row in range(90):
        others = [other for other in range(90) if videos[other] != videos[row]]
        distances = {other: np.linalg.norm(embeddings[row] - embeddings[other]) for other in others}
        nearest = sorted(others, key=lambda other, d=distances: (d[other], other))[:4]  # type: ignore[misc]
        part = slice(4 * row, 4 * row + 4)
        assert table["row"][part] == [row] * 4
        assert table["rank"][part] == [1, 2, 3, 4]
        assert table["neighbour"][part] == nearest
        np.testing.assert_allclose(table["distance"][part], [distances[other] for other in nearest], rtol=1e-6)


def test_ranges_one_after_another_are_the_whole(pool: Path) -> None:
    whole = _mine(pool, "whole.parquet")
    parts = [_mine(pool, f"{index}.parquet", index, query_shards=3) for index in range(3)]
    assert [len(part) for part in parts] == [120, 120, 120]
    assert pa.concat_tables(parts).equals(whole)


def test_the_same_bytes_on_one_thread_and_on_two(pool: Path) -> None:
    for workers in (1, 2):
        _mine(pool, f"{workers}.parquet", workers=workers)
    assert (pool / "1.parquet").read_bytes() == (pool / "2.parquet").read_bytes()


@given(rows=st.integers(0, 1000), shards=st.integers(1, 50))
def test_ranges_cover_every_row_once_and_are_even(rows: int, shards: int) -> None:
    ranges = [query_range(rows, shards, index) for index in range(shards)]
    assert [row for part in ranges for row in part] == list(range(rows))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


def test_more_ranges_than_rows_leave_some_empty(pool: Path) -> None:
    assert len(_mine(pool, "empty.parquet", 0, query_shards=100)) == 0


def test_videos_of_one_name_in_two_sources_differ() -> None:
    members = pa.table({"source": ["a", "a", "a", "b", "b"], "video_id": ["x", "x", "y", "x", "y"]})
    np.testing.assert_array_equal(video_numbers(members), [0, 0, 1, 2, 3])


def test_single_ranks_beyond_k_are_rows_of_the_whole_table(pool: Path) -> None:
    whole = _mine(pool, "whole.parquet", neighbours=60)
    few = _mine(pool, "few.parquet", neighbours=2, further_ranks=(10, 60))
    assert few["rank"].to_pylist() == [1, 2, 10, 60] * 90
    assert few.equals(whole.filter(pc.field("rank").isin([1, 2, 10, 60])))
    with pytest.raises(PoolError, match="61 neighbours"):
        _mine(pool, "more.parquet", neighbours=2, further_ranks=(61,))


@pytest.mark.parametrize("further", [(4,), (3, 9), (9, 7), (9, 9)])
def test_further_ranks_rise_from_beyond_k(further: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must rise from beyond neighbours"):
        NeighbourSettings(neighbours=4, further_ranks=further)


def test_more_neighbours_than_other_hands_are_refused(pool: Path) -> None:
    assert len(_mine(pool, "most.parquet", neighbours=60)) == 90 * 60  # the largest video holds 30 of 90
    with pytest.raises(PoolError, match=r"pool small(.|\n)*61 neighbours(.|\n)*60 for the hands of the largest video"):
        _mine(pool, "more.parquet", neighbours=61)


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.zeros((89, 6), np.float32), r"float32 \(90, D\)(.|\n)*float32 \(89, 6\)"),
        (np.zeros((90, 6)), r"float64 \(90, 6\)"),
        (np.where(np.arange(90)[:, None] == 7, np.nan, np.zeros((90, 6))).astype(np.float32), "row 7"),
    ],
)
def test_embeddings_of_other_members_are_refused(pool: Path, embeddings: np.ndarray, message: str) -> None:
    np.save(pool / "embeddings.npy", embeddings)
    with pytest.raises(TableError, match=message):
        _mine(pool, "out.parquet")


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_damaged_embeddings_are_named(pool: Path, content: bytes | None) -> None:
    if content is None:
        (pool / "embeddings.npy").unlink()
    else:
        (pool / "embeddings.npy").write_bytes(content)
    with pytest.raises(TableError, match=r"cannot read embeddings(.|\n)*embeddings\.npy"):
        _mine(pool, "out.parquet")
