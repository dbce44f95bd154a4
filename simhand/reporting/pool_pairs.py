"""Some hands of a pool with their similar hands, picked out of tables of any length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simhand.errors import TableError
from simhand.mining.knn import video_numbers
from simhand.reporting.pool_numbers import read_pairs
from simhand.stable import stable_hash
from simhand.tables import MEMBERS, NEIGHBOURS

_BATCH = 2**15  # members that are in memory at once


def spread_over_videos(members: pa.Table, queries: int, seed: int) -> list[int]:
    """Rows of so many hands: one of every video, then a second one, in the order of a stable hash.

    Fewer queries of the same seed are some of these.
    """
    order = np.array([stable_hash(hand, seed) for hand in members["hand_id"].to_pylist()], np.uint64)
    by_hash = np.argsort(order, kind="stable")
    videos = pd.Series(video_numbers(members)[by_hash])
    turns = videos.groupby(videos).cumcount().to_numpy()
    return sorted(by_hash[np.argsort(turns, kind="stable")[:queries]].tolist())


def pairs_of(rows: Sequence[int], parts: Sequence[Path]) -> pa.Table:
    """The neighbours of these rows (NEIGHBOURS); parts are read one by one, as they can be large.

    Raises:
        TableError: a table is missing or damaged.
    """
    wanted = pc.field("row").isin(rows)
    return pa.concat_tables([read_pairs(part, NEIGHBOURS.names).filter(wanted) for part in parts])


def shown_ranks(ranks: Sequence[int], most: int) -> list[int]:
    """Which of the mined ranks, ascending, are shown: the first few, then evenly by magnitude to the last."""
    if len(ranks) <= most:
        return list(ranks)
    nearest, further = list(ranks[: most // 2]), np.array(ranks[most // 2 :])
    aims = np.geomspace(further[0], further[-1], most - len(nearest))
    if nearest:
        aims[-1] = further[-1]
    chosen: list[int] = []
    for left, aim in zip(range(len(aims), 0, -1), aims, strict=True):
        after = further[further > max(chosen, default=0)]
        free = after[: len(after) - left + 1]  # one must remain for each aim to come
        chosen.append(int(free[np.argmin(np.abs(np.log(free / aim)))]))
    return nearest + chosen


def members_at(rows: Iterable[int], path: Path) -> dict[int, dict[str, Any]]:
    """A few rows of MEMBERS by number; the file is read piece by piece, as there can be millions.

    Raises:
        TableError: it is missing or damaged.
    """
    wanted = pc.field("row").isin(sorted(rows))
    try:
        with pq.ParquetFile(path) as file:
            pieces = (pa.Table.from_batches([batch]) for batch in file.iter_batches(_BATCH, columns=MEMBERS.names))
            return {hand["row"]: hand for piece in pieces for hand in piece.filter(wanted).to_pylist()}
    except (OSError, pa.ArrowInvalid) as error:
        raise TableError("cannot read the members of a pool", where=path, got=error) from error
