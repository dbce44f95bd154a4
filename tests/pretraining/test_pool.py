"""Reading a pool and its positives, and refusing what does not belong together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simhand.errors import PoolError, TableError
from simhand.files import arrow_writer, open_arrow, write_parquet
from simhand.pretraining.pool import data_digest, read_pool, read_positives
from simhand.tables import CROPS, MEMBERS, NEIGHBOURS

if TYPE_CHECKING:
    from .conftest import MadeUpPool

    WritePool = Callable[..., MadeUpPool]
    RowsOf = Callable[..., pa.Table]


def test_missing_rank_is_named(pool: MadeUpPool) -> None:
    with pytest.raises(TableError, match=r"26 of 26 hands have no neighbour of rank 3"):
        read_positives(pool.neighbours, 3, 26)
    with pytest.raises(TableError, match=r"13 of 26 .*\n.*row 1 of the pool"):
        read_positives(pool.neighbours[:1], 1, 26)


@pytest.mark.parametrize("columns", [{"row": [30], "neighbour": [0]}, {"row": [0], "neighbour": [-1]}])
def test_neighbours_of_another_pool_are_refused(tmp_path: Path, rows_of: RowsOf, columns: dict[str, list[int]]) -> None:
    write_parquet(rows_of(NEIGHBOURS, 1, {**columns, "rank": [1]}), tmp_path / "n.parquet", NEIGHBOURS)
    with pytest.raises(TableError, match="a row that the pool does not have"):
        read_positives([tmp_path / "n.parquet"], 1, 26)


def test_crops_of_another_run_are_refused(tmp_path: Path, write_pool: WritePool) -> None:
    made = write_pool(tmp_path, hands=6)
    store = made.crops / "exo" / "0of1.arrow"
    crops = open_arrow(store, CROPS)
    with arrow_writer(tmp_path / "swapped.arrow", CROPS) as writer:
        writer.write_table(crops.take([1, 0]))
    (tmp_path / "swapped.arrow").replace(store)
    with pytest.raises(TableError, match=r"not those of the pool\n.*exo/0of1.arrow"):
        read_pool(made.members, made.crops)
    with arrow_writer(tmp_path / "short.arrow", CROPS) as writer:
        writer.write_table(crops.slice(0, 1))
    (tmp_path / "short.arrow").replace(store)
    with pytest.raises(TableError, match="not those of the pool"):
        read_pool(made.members, made.crops)


@pytest.mark.parametrize("wrong", [np.nan, 0.5])
def test_useless_keypoints_are_named(tmp_path: Path, write_pool: WritePool, wrong: float) -> None:
    made = write_pool(tmp_path, hands=6)
    table = pq.read_table(made.members)
    lists = table["keypoints"].to_pylist()
    lists[4] = [wrong] * 63
    columns = {**table.to_pydict(), "keypoints": lists}
    write_parquet(pa.table(columns, schema=MEMBERS), made.members, MEMBERS)
    with pytest.raises(TableError, match="row 4"):
        read_pool(made.members, made.crops)


def test_a_single_hand_is_no_pool(tmp_path: Path, write_pool: WritePool) -> None:
    made = write_pool(tmp_path, hands=6)
    write_parquet(pq.read_table(made.members).slice(0, 1), made.members, MEMBERS)
    with pytest.raises(PoolError, match="too small to contrast"):
        read_pool(made.members, made.crops)


def test_the_digest_tells_pools_and_positives_apart(pool: MadeUpPool) -> None:
    hands = read_pool(pool.members, pool.crops)
    first, second = (read_positives(pool.neighbours, rank, 26) for rank in (1, 2))
    digests = {data_digest(hands, each) for each in (None, first, second)}
    assert len(digests) == 3
    assert data_digest(read_pool(pool.members, pool.crops), first) in digests
