"""The neighbours of a pool as one list of similar hands a hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.errors import PoolError, TableError
from simhand.files import read_parquet
from simhand.tables import NEIGHBOURS


@dataclass(frozen=True)
class Positives:
    """Similar hands, the most similar first: those of row i stand from starts[i] to starts[i + 1]."""

    starts: np.ndarray  # int64 (n + 1,)
    rows: np.ndarray  # int64 (p,)
    distances: np.ndarray  # float32 (p,)

    def of(self, row: int) -> slice:
        """Where the similar hands of a hand stand."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))


def read_positives(paths: Iterable[Path | str], hands: int, top_k: int | None) -> Positives:
    """Reads ranks 1, 2, ... of a pool's neighbours, as far as they follow one another.

    A list of similar hands cannot leave out ranks: those beyond a gap (`further_ranks`) are left out.

    Args:
        paths: tables of NEIGHBOURS.
        hands: how many hands the pool has.
        top_k: at most so many of each hand; all if None.

    Raises:
        PoolError: a hand has no neighbour of rank 1.
        TableError: a table is damaged, belongs to another pool, or tells what another one tells.
    """
    wanted = pc.field("rank") <= (np.iinfo(np.int32).max if top_k is None else top_k)
    parts = [_checked(read_parquet(path, NEIGHBOURS).filter(wanted), path, hands) for path in paths]
    table = pa.concat_tables([NEIGHBOURS.empty_table(), *parts])
    rows, ranks, neighbours, distances = (table[name].to_numpy() for name in NEIGHBOURS.names)
    order = np.lexsort((ranks, rows))
    rows, ranks = rows[order], ranks[order]
    _check_each_once(rows, ranks)
    expected = np.arange(len(rows)) - np.searchsorted(rows, rows) + 1
    order, rows = order[ranks == expected], rows[ranks == expected]
    starts = np.searchsorted(rows, np.arange(hands + 1))
    _check_all_have_one(starts, hands)
    return Positives(starts, neighbours[order], distances[order])


def _checked(table: pa.Table, path: Path | str, hands: int) -> pa.Table:
    for name in ("row", "neighbour"):
        column = table[name].to_numpy()
        if len(column) and not 0 <= column.min() <= column.max() < hands:
            raise TableError(
                "neighbours of another pool",
                where=path,
                expected=f"{name} from 0 to {hands - 1}",
                got=f"{column.min()} to {column.max()}",
                hint="give the members and the neighbours of one pool",
            )
    return table


def _check_each_once(rows: np.ndarray, ranks: np.ndarray) -> None:
    twice = np.flatnonzero((np.diff(rows) == 0) & (np.diff(ranks) == 0))
    if len(twice):
        raise TableError(
            "two tables of neighbours tell of the same hand",
            where=f"row {rows[twice[0]]} of the pool, rank {ranks[twice[0]]}",
            expected="each rank of a hand once",
            hint="tables of an earlier query_shards may lie beside the pool's: give the pool's alone, or delete those",
        )


def _check_all_have_one(starts: np.ndarray, hands: int) -> None:
    without = np.flatnonzero(np.diff(starts) == 0)
    if len(without):
        raise PoolError(
            f"{len(without)} of {hands} hands have no neighbour of rank 1",
            where=f"row {without[0]} of the pool",
            expected="one for each hand: the official loader takes the first of each",
            hint="give all of the pool's tables of neighbours",
        )
