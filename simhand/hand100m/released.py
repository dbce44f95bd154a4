"""Takes a pool's neighbours from the annotations instead of mining them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.errors import PoolError, TableError
from simhand.files import open_arrow, read_parquet, write_parquet
from simhand.hand100m.annotations import ANNOTATIONS, pool_hand_id
from simhand.hand100m.settings import ReleasedSettings
from simhand.tables import MEMBERS, NEIGHBOURS

log = logging.getLogger(__name__)


class _Pairs(NamedTuple):
    """Hands and their similar hands, as rows of the pool; those of one hand stand in the order of the annotations."""

    rows: np.ndarray  # int64 (p,)
    neighbours: np.ndarray  # int64 (p,)
    distances: np.ndarray  # float32 (p,)
    absent: int  # further pairs, whose similar hand is not in the pool


def released_neighbours(
    members_path: Path | str,
    annotations: Mapping[str, Path | str],
    settings: ReleasedSettings,
    out_path: Path | str,
    *,
    pool: str,
) -> None:
    """Writes the annotated similar hands of a pool's hands as its neighbours (NEIGHBOURS), all in one table.

    Rank follows the order of `positive_sample`. A similar hand that is not in the pool, since its image is missing or
    fewer hands were drawn, is left out, and those after it move up. Unlike mined neighbours these are what the
    annotations say, pairs of one video included; how many of those, and what was left out, is logged.

    Args:
        members_path: the pool's table of members.
        annotations: the annotations (ANNOTATIONS) of each source of the pool, by the source's name.
        settings: how many, and what to do with hands that have none.
        out_path: Parquet file to write.
        pool: the pool's name, for messages.

    Raises:
        PoolError: a source has no annotations, or hands have no neighbour left and `without_similar` is "stop".
        TableError: a table is damaged, or a hand of the pool is not in the annotations.
    """
    members = read_parquet(members_path, MEMBERS, ["hand_id", "source", "video_id"])
    sources = members["source"].unique().to_pylist()
    _check_sources(sources, annotations, pool)
    pairs = _joined([_pairs_of(source, annotations[source], members) for source in sources])
    without = np.setdiff1d(np.arange(len(members)), pairs.rows)
    if len(without) and settings.without_similar == "stop":
        raise _no_neighbours(without, members, pairs.absent, pool)
    with_itself = _Pairs(without, without, np.zeros(len(without), np.float32), 0)
    table = _ranked(_joined([pairs, with_itself]), settings.neighbours)
    write_parquet(table, out_path, NEIGHBOURS)
    _log_counts(table, members["video_id"], pairs.absent, pool)


def _check_sources(sources: Sequence[str], annotations: Mapping[str, Path | str], pool: str) -> None:
    if strangers := [source for source in sources if source not in annotations]:
        raise PoolError(
            "a source has no annotated similar hands",
            where=f"pool {pool}",
            expected="sources that are read from annotations",
            got=", ".join(strangers),
            hint="mine the neighbours of this pool instead",
        )


def _pairs_of(source: str, path: Path | str, members: pa.Table) -> _Pairs:
    """The annotated pairs of one source of which both hands are in the pool."""
    rows = _rows_of(source, members)
    table = open_arrow(path, ANNOTATIONS).select(["hand_id", "positives", "distances"])
    annotated = set(table["hand_id"].to_pylist())
    if missing := [name for name in rows if name not in annotated]:
        raise TableError(
            f"{len(missing)} of {len(rows)} hands of the pool are not in the annotations",
            where=path,
            expected=f"hand_id {missing[0]}",
            hint="the pool was drawn from other annotations: start the workflow again",
        )
    return _joined([_pairs_in(batch, rows) for batch in table.to_batches()])


def _rows_of(source: str, members: pa.Table) -> dict[str, int]:
    """The rows of a source's hands, by the hand_id of the annotations."""
    prefix = pool_hand_id(source, "")
    names = zip(members["source"].to_pylist(), members["hand_id"].to_pylist(), strict=True)
    return {name.removeprefix(prefix): row for row, (of, name) in enumerate(names) if of == source}


def _pairs_in(batch: pa.RecordBatch, rows: dict[str, int]) -> _Pairs:
    hands = np.repeat(_places(batch["hand_id"], rows), batch["positives"].value_lengths().to_numpy())  # one a pair
    similar = _places(batch["positives"].flatten(), rows)
    in_pool = (hands >= 0) & (similar >= 0)
    absent = int((hands >= 0).sum() - in_pool.sum())
    return _Pairs(hands[in_pool], similar[in_pool], batch["distances"].flatten().to_numpy()[in_pool], absent)


def _places(names: pa.Array, rows: dict[str, int]) -> np.ndarray:
    """The row of each hand, int64; -1 where it is not in the pool."""
    return np.array([rows.get(name, -1) for name in names.to_pylist()], np.int64)


def _joined(parts: Sequence[_Pairs]) -> _Pairs:
    rows, neighbours, distances, absent = zip(*parts, strict=True)
    return _Pairs(np.concatenate(rows), np.concatenate(neighbours), np.concatenate(distances), sum(absent))


def _no_neighbours(without: np.ndarray, members: pa.Table, absent: int, pool: str) -> PoolError:
    first = members["hand_id"][int(without[0])].as_py()
    return PoolError(
        f"{len(without)} of {len(members)} hands have none of their annotated similar hands in the pool",
        where=f"pool {pool}; the first: {first}",
        expected="one or more for each hand",
        got=f"{absent} similar hands are not in the pool: their images are missing, or fewer hands were drawn",
        hint="leave the pool's size empty, add the missing images and call snakemake with --forcerun import_hands, "
        "set without_similar: self, or mine the neighbours",
    )


def _ranked(pairs: _Pairs, most: int) -> pa.Table:
    """The pairs as rows of NEIGHBOURS, at most so many a hand, sorted by row and rank."""
    order = np.argsort(pairs.rows, kind="stable")
    rows = pairs.rows[order]
    ranks = np.arange(len(rows)) - np.searchsorted(rows, rows) + 1
    columns = {"row": rows, "rank": ranks, "neighbour": pairs.neighbours[order], "distance": pairs.distances[order]}
    return pa.table(columns).filter(pc.field("rank") <= most).cast(NEIGHBOURS)


def _log_counts(table: pa.Table, video_ids: pa.ChunkedArray, absent: int, pool: str) -> None:
    rows, neighbours, distances = (table[name].to_numpy() for name in ("row", "neighbour", "distance"))
    videos = video_ids.combine_chunks().dictionary_encode().indices.to_numpy()  # a pair is always of one source
    itself = int((rows == neighbours).sum())
    same_video = int((videos[rows] == videos[neighbours]).sum()) - itself
    falling = int(((np.diff(rows) == 0) & (np.diff(distances) < 0)).sum())
    log.info("pool %s: %d annotated pairs of %d hands", pool, len(table), len(video_ids))
    log.info("%d similar hands are not in the pool; those after them moved up", absent)
    log.info("%d pairs are of one video, %d of a hand with itself", same_video, itself)
    log.info("%d pairs are nearer than the one ranked before them", falling)
