"""Stage 9: for each hand the K most similar hands of other videos, exactly (paper section 3.2, SiM and Top-K)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.errors import PoolError, TableError
from simhand.files import read_parquet, write_parquet
from simhand.mining.search import exact_neighbours
from simhand.mining.settings import NeighbourSettings
from simhand.tables import MEMBERS, NEIGHBOURS

_log = logging.getLogger(__name__)


def mine_neighbours(
    embeddings_path: Path | str,
    members_path: Path | str,
    settings: NeighbourSettings,
    shard_index: int,
    out_path: Path | str,
    *,
    pool: str,
    workers: int = 1,
) -> None:
    """Mines the neighbours of one range of a pool's hands; all ranges one after another are the pool's neighbours.

    The table does not depend on the number of threads, nor on how many ranges there are.

    Args:
        embeddings_path: float32 (n, D), row by row the members.
        members_path: the pool's table of members.
        settings: how many neighbours, in how many ranges.
        shard_index: which of the `settings.query_shards` ranges, counted from 0.
        out_path: Parquet file to write, of schema `NEIGHBOURS`.
        pool: the pool's name, for messages.
        workers: threads.

    Raises:
        PoolError: a hand has fewer hands in other videos than the last rank.
        TableError: embeddings or members are damaged, or do not belong together.
    """
    videos = video_numbers(read_parquet(members_path, MEMBERS, ["source", "video_id"]))
    embeddings = _read_embeddings(embeddings_path, len(videos))
    ranks = settings.ranks()
    check_enough_hands(videos, ranks[-1], pool=pool)
    queries = query_range(len(videos), settings.query_shards, shard_index)
    neighbours, squared = exact_neighbours(embeddings, videos, queries, ranks, workers)
    write_parquet(_neighbour_table(queries, ranks, neighbours, np.sqrt(squared)), out_path, NEIGHBOURS)
    _log.info("pool %s: neighbours of %d hands, %s", pool, len(queries), _rank_text(settings))


def query_range(rows: int, shards: int, index: int) -> range:
    """The rows of range `index` of `shards`: from rows*index//shards up to rows*(index+1)//shards, end excluded."""
    return range(rows * index // shards, rows * (index + 1) // shards)


def video_numbers(members: pa.Table) -> np.ndarray:
    """A number for each member's video, int64 (n,). Videos of different sources are different, whatever their names."""
    sources, videos = (_codes(members[name]) for name in ("source", "video_id"))
    return np.unique(sources * len(members) + videos, return_inverse=True)[1]


def _codes(names: pa.ChunkedArray) -> np.ndarray:
    return names.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)


def _rank_text(settings: NeighbourSettings) -> str:
    return ", ".join([f"ranks 1 to {settings.neighbours}", *map(str, settings.further_ranks)])


def check_enough_hands(videos: np.ndarray, neighbours: int, *, pool: str) -> None:
    """Refuses a rank that some hand cannot get.

    Args:
        videos: (n,) number of each hand's video.
        neighbours: the largest rank.
        pool: the pool's name, for messages.

    Raises:
        PoolError: a hand has fewer than K hands in other videos.
    """
    others = len(videos) - int(np.bincount(videos).max())
    if others < neighbours:
        raise PoolError(
            "there are not enough hands in other videos",
            where=f"pool {pool}, {len(videos)} hands",
            expected=f"{neighbours} neighbours of other videos for each hand",
            got=f"{others} for the hands of the largest video",
            hint="lower neighbours or further_ranks of this pool, or draw more hands from more videos",
        )


def _read_embeddings(path: Path | str, rows: int) -> np.ndarray:
    try:
        embeddings = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise TableError("cannot read embeddings", where=path, got=error, hint="delete them: made anew") from error
    if embeddings.ndim != 2 or len(embeddings) != rows or embeddings.dtype != np.float32:
        raise TableError(
            "embeddings do not belong to the members of the pool",
            where=path,
            expected=f"float32 ({rows}, D)",
            got=f"{embeddings.dtype} {embeddings.shape}",
            hint="delete them: they will be made anew",
        )
    if not np.isfinite(embeddings).all():
        row = int(np.argmin(np.isfinite(embeddings).all(axis=1)))
        raise TableError("an embedding is not a number", where=f"{path}, row {row}", got=embeddings[row])
    return embeddings


def _neighbour_table(queries: range, ranks: Sequence[int], neighbours: np.ndarray, distances: np.ndarray) -> pa.Table:
    """One row a neighbour: (q, len(ranks)) rows and distances as a table of `NEIGHBOURS`."""
    columns = {
        "row": np.repeat(np.arange(queries.start, queries.stop), len(ranks)),
        "rank": np.tile(np.array(ranks, dtype=np.int32), len(queries)),
        "neighbour": neighbours.reshape(-1),
        "distance": distances.astype(np.float32).reshape(-1),
    }
    return pa.table(columns)
