"""Sheets of neighbours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import TableError
from simhand.files import arrow_writer, open_arrow, write_parquet
from simhand.reporting.data_inputs import Pool
from simhand.reporting.neighbours_sheet import neighbours_sheet
from simhand.reporting.pool_pairs import spread_over_videos
from simhand.tables import CROPS, NEIGHBOURS
from tests.reporting.test_pool_pairs import members


def _greys(path: Path) -> set[int]:
    """Rows of the hands (each a grey of 40 x row) that fill at least a tenth of a tile somewhere."""
    image = cv2.imread(str(path))
    greys, counts = np.unique(image[(image == image[..., :1]).all(axis=2)][:, 0], return_counts=True)
    return {row for row in range(6) if counts[np.abs(greys.astype(int) - 40 * row) <= 2].sum() > 1900}


def test_the_sheet_shows_queries_beside_their_neighbours(tmp_path: Path, pool: Pool) -> None:
    neighbours_sheet(pool, tmp_path / "crops", 6, 0, tmp_path / "sheet.png")
    assert _greys(tmp_path / "sheet.png") == {0, 1, 2, 3, 4, 5}
    image = cv2.imread(str(tmp_path / "sheet.png"))
    assert image.shape[0] > image.shape[1]  # six lines of a query and one neighbour


def test_one_query_has_its_own_neighbour(tmp_path: Path, pool: Pool) -> None:
    (query,) = spread_over_videos(members(["a", "a", "b", "b", "c", "c"]), 1, seed=0)
    neighbours_sheet(pool, tmp_path / "crops", 1, 0, tmp_path / "sheet.png")
    assert _greys(tmp_path / "sheet.png") == {query, (query // 2 * 2 + 2) % 6}


def test_a_hand_without_a_rank_has_an_empty_place_there(tmp_path: Path, pool: Pool) -> None:
    hands = spread_over_videos(members(["a", "a", "b", "b", "c", "c"]), 2, seed=0)
    row = {"row": hands[0], "rank": 2, "neighbour": 5 if hands[0] < 4 else 0, "distance": 0.5}
    part = tmp_path / "second.parquet"
    write_parquet(pa.Table.from_pylist([row], NEIGHBOURS), part, NEIGHBOURS)
    neighbours_sheet(replace(pool, neighbours=[*pool.neighbours, part]), tmp_path / "crops", 2, 0, tmp_path / "s.png")
    image = cv2.imread(str(tmp_path / "s.png"))
    height, width = image.shape[0] / (0.3 + 2 * 1.32), image.shape[1]  # of a tile; of the sheet
    tile = 1 / (3 * 1.05 + 0.2 + 0.05)  # of the width
    middle = int((1 - tile / 2 - 0.05 * tile) * width)  # of the last column
    first, second = (image[int((0.3 + 0.5 + line * 1.32) * height), middle - 30 : middle + 30] for line in (0, 1))
    assert (first < 250).mean() > 0.5
    assert (second == 255).all()


def test_crops_of_another_pool_are_refused(tmp_path: Path, pool: Pool) -> None:
    path = tmp_path / "crops" / "wild" / "0of1.arrow"
    reversed_crops = open_arrow(path, CROPS).take(list(range(6, -1, -1)))
    with arrow_writer(path, CROPS) as writer:
        writer.write_table(reversed_crops)
    with pytest.raises(TableError, match=r"not those of the pool(.|\n)*0of1\.arrow, row"):
        neighbours_sheet(pool, tmp_path / "crops", 3, 0, tmp_path / "sheet.png")
