"""How similar the mined hands of a pool are, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.errors import TableError
from simhand.files import read_parquet
from simhand.mining.knn import video_numbers
from simhand.mining.similarity import random_other_video
from simhand.reporting.data_inputs import Pool
from simhand.reporting.data_tables import CHOSEN, DISTANCES, EXPLAINED_VARIANCE
from simhand.tables import MEMBERS, NEIGHBOURS

_PERCENTS = (5, 25, 50, 75, 95)


def distances(pools: Sequence[Pool], seed: int) -> pa.Table:
    """Distances by rank, rank 0 being random hands of other videos (DISTANCES).

    Raises:
        TableError: a table is missing or damaged.
    """
    rows = [row for pool in pools for row in (_random_row(pool, seed), *_rank_rows(pool))]
    return pa.Table.from_pylist(rows, DISTANCES)


def _random_row(pool: Pool, seed: int) -> dict:
    videos = video_numbers(read_parquet(pool.members, MEMBERS, ["source", "video_id"]))
    embeddings = _load(pool.embeddings)
    apart = np.linalg.norm(embeddings - embeddings[random_other_video(videos, seed)], axis=1)
    return _row(pool.name, 0, apart)


def _rank_rows(pool: Pool) -> list[dict]:
    """Measured in the pool's own space: annotated distances may be of another unit."""
    embeddings = _load(pool.embeddings)
    by_rank: dict[int, list[np.ndarray]] = {}
    for part in pool.neighbours:
        pairs = read_pairs(part, ["row", "rank", "neighbour"])
        rows, ranks, neighbours = (column.to_numpy() for column in pairs.columns)
        for rank in np.unique(ranks).tolist():
            own = ranks == rank
            apart = np.linalg.norm(embeddings[rows[own]] - embeddings[neighbours[own]], axis=1)
            by_rank.setdefault(rank, []).append(apart)
    return [_row(pool.name, rank, np.concatenate(parts)) for rank, parts in sorted(by_rank.items())]


def read_pairs(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of NEIGHBOURS, without hands that are their own positive since they have no similar hand.

    Raises:
        TableError: the table is missing or damaged.
    """
    pairs = read_parquet(path, NEIGHBOURS, list({"row": None, "neighbour": None, **dict.fromkeys(columns)}))
    return pairs.filter(pc.field("row") != pc.field("neighbour")).select(list(columns))


def _row(pool: str, rank: int, apart: np.ndarray) -> dict:
    quantiles = np.percentile(apart.astype(np.float64), _PERCENTS)
    named = {f"q{percent:02d}": float(value) for percent, value in zip(_PERCENTS, quantiles, strict=True)}
    return {"pool": pool, "rank": rank, "pairs": len(apart), "mean": float(apart.mean(dtype=np.float64)), **named}


def explained_variance(pools: Sequence[Pool]) -> pa.Table:
    """What each component of the pools' PCA explains (EXPLAINED_VARIANCE).

    Raises:
        TableError: a file is missing or damaged.
    """
    rows = []
    for pool in pools:
        ratios = _load(pool.pca, "explained_variance_ratio")
        rows += [
            {"pool": pool.name, "component": i + 1, "explained": float(ratio), "cumulative": float(total)}
            for i, (ratio, total) in enumerate(zip(ratios, ratios.cumsum(), strict=True))
        ]
    return pa.Table.from_pylist(rows, EXPLAINED_VARIANCE)


def chosen(pools: Sequence[Pool]) -> pa.Table:
    """How many hands are the nearest neighbour of none, one, two, ... others (CHOSEN)."""
    rows = []
    for pool in pools:
        hands = len(read_parquet(pool.members, MEMBERS, ["row"]))
        times = np.zeros(hands, np.int64)
        for part in pool.neighbours:
            nearest = read_pairs(part, ["rank", "neighbour"]).filter(pc.field("rank") == 1)
            times += np.bincount(nearest["neighbour"].to_numpy(), minlength=hands)
        counts = np.bincount(times)
        rows += [{"pool": pool.name, "times": i, "hands": int(count)} for i, count in enumerate(counts) if count]
    return pa.Table.from_pylist(rows, CHOSEN)


def _load(path: Path, name: str | None = None) -> np.ndarray:
    try:
        loaded = np.load(path)
        return np.asarray(loaded if name is None else loaded[name])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise TableError("cannot read a file of a pool", where=path, got=error, hint="delete it: made anew") from error
