"""TempCLR's positives: the nearest other frame of the same video and side."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import PoolError
from simhand.files import read_parquet, write_parquet
from simhand.pretraining.temporal import read_temporal_positives, temporal_positives
from simhand.tables import MEMBERS

if TYPE_CHECKING:
    from .conftest import MadeUpPool

HANDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8)), min_size=1, max_size=25)


def positives_of(hands: list[tuple[int, int]], max_gap: float) -> np.ndarray:
    """Of hands (track, frame), frames being a second apart."""
    tracks, frames = np.array(hands, dtype=np.int64).T
    return temporal_positives(tracks, frames, frames.astype(np.float64), max_gap)


def test_by_hand() -> None:
    #        0       1       2       3       4       5       6
    hands = [(0, 4), (1, 4), (0, 0), (0, 5), (1, 9), (0, 4), (2, 1)]
    # hand 0 and hand 5 are in the same frame: frame 5 is nearest to both; frame 4 to frame 5, its first hand
    # frame 0 is 4 s from frame 4; track 1 has frames 4 and 9, 5 s apart; track 2 has one hand alone
    assert positives_of(hands, 4).tolist() == [3, 1, 0, 0, 4, 3, 6]
    assert positives_of(hands, 5).tolist() == [3, 4, 0, 0, 1, 3, 6]
    assert positives_of(hands, 3.9).tolist() == [3, 1, 2, 0, 4, 3, 6]


def test_of_two_as_near_the_later_one() -> None:
    assert positives_of([(0, 1), (0, 2), (0, 3)], 10).tolist() == [1, 2, 1]


@given(HANDS, st.integers(1, 9))
def test_against_looking_at_all(hands: list[tuple[int, int]], max_gap: int) -> None:
    for row, positive in enumerate(positives_of(hands, max_gap)):
        track, frame = hands[row]
        gaps = [abs(other - frame) for its, other in hands if its == track and 0 < abs(other - frame) <= max_gap]
        if not gaps:
            assert positive == row
        else:
            assert hands[positive][0] == track
            assert abs(hands[positive][1] - frame) == min(gaps)


def test_from_the_table_of_a_pool(
    tmp_path: Path, write_pool: Callable[..., MadeUpPool], caplog: pytest.LogCaptureFixture
) -> None:
    made = write_pool(tmp_path, hands=6)
    members = read_parquet(made.members, MEMBERS)
    columns = {  # the same video id in two sources names two videos
        "source": ["ego", "ego", "exo", "ego", "ego", "ego"],
        "video_id": ["a", "a", "a", "b", "a", "a"],
        "side": ["left", "left", "left", "left", "right", "left"],
        "frame_index": [0, 30, 0, 30, 30, 60],
        "timestamp_s": [0.0, 1.0, 0.0, 1.0, 1.0, 2.5],
    }
    for name, values in columns.items():
        field = MEMBERS.field(name)
        members = members.set_column(MEMBERS.get_field_index(name), field, pa.array(values, field.type))
    write_parquet(members, made.members, MEMBERS)
    with caplog.at_level(logging.INFO):
        assert read_temporal_positives(made.members, 10.0).tolist() == [1, 0, 2, 3, 4, 1]
    assert "3 of 6 hands have a neighbouring frame within 10 s" in caplog.text
    with pytest.raises(PoolError, match=r"no hand has a neighbouring frame(.|\n)*max_gap_s = 0.5 s"):
        read_temporal_positives(made.members, 0.5)
