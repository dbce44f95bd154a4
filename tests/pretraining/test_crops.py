"""Pairs of crops from the memory-mapped store."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.utils.data import DataLoader

from simhand.errors import TableError
from simhand.files import arrow_writer, open_arrow
from simhand.pretraining.crops import Pairs
from simhand.pretraining.pool import read_pool, read_positives
from simhand.tables import CROPS

if TYPE_CHECKING:
    from .conftest import MadeUpPool

    WritePool = Callable[..., MadeUpPool]
    RowsOf = Callable[..., pa.Table]

SIDE_PX = 64


def test_every_hand_comes_with_its_own_crop_and_keypoints(pool: MadeUpPool) -> None:
    pairs = Pairs(read_pool(pool.members, pool.crops), None)
    assert len(pairs) == len(pool.images)
    for number, image in enumerate(pool.images):
        row, crops, keypoints_px = pairs[number]
        assert row == number
        assert crops.shape == (1, 3, SIDE_PX, SIDE_PX)
        assert (crops[0].int() - image.int()).abs().float().mean() < 4  # JPEG
        np.testing.assert_allclose(keypoints_px[0], pool.keypoints[number, :, :2] * SIDE_PX, rtol=1e-6)


@pytest.mark.parametrize("rank", [1, 2])
def test_the_positive_is_the_neighbour_of_the_rank(pool: MadeUpPool, rank: int) -> None:
    hands = read_pool(pool.members, pool.crops)
    positives = read_positives(pool.neighbours, rank, len(hands))
    np.testing.assert_array_equal(positives, (np.arange(len(hands)) + rank) % len(hands))
    pairs, single = Pairs(hands, positives), Pairs(hands, None)
    torch.testing.assert_close(pairs[4].crops[0], single[4].crops[0])
    torch.testing.assert_close(pairs[4].crops[1], single[4 + rank].crops[0])
    torch.testing.assert_close(pairs[4].keypoints_px[1], single[4 + rank].keypoints_px[0])


def test_workers_read_the_same(pool: MadeUpPool) -> None:
    pairs = Pairs(read_pool(pool.members, pool.crops), None)
    opened = pairs[0]
    copy = pickle.loads(pickle.dumps(pairs))
    assert not copy._jpegs
    torch.testing.assert_close(copy[0].crops, opened.crops)
    own, workers = (list(DataLoader(pairs, batch_size=13, num_workers=number)) for number in (0, 1))
    for mine, theirs in zip(own, workers, strict=True):
        assert torch.equal(mine.row, theirs.row)
        assert torch.equal(mine.crops, theirs.crops)


def test_a_damaged_crop_is_named(tmp_path: Path, write_pool: WritePool, rows_of: RowsOf) -> None:
    made = write_pool(tmp_path, hands=6)
    store = made.crops / "exo" / "0of1.arrow"
    ids = open_arrow(store, CROPS)["hand_id"].to_pylist()
    with arrow_writer(tmp_path / "new.arrow", CROPS) as writer:
        writer.write_table(rows_of(CROPS, 2, {"hand_id": ids, "jpeg": [b"no", b"jpeg"]}))
    (tmp_path / "new.arrow").replace(store)
    with pytest.raises(TableError, match=r"no JPEG\n.*exo/0of1.arrow, row 1 \(row 5 of the pool\)"):
        Pairs(read_pool(made.members, made.crops), None)[5]
