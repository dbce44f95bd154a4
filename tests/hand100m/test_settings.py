"""Names of shards."""

from __future__ import annotations

import pytest

from simhand.hand100m.settings import shard_names
from simhand.stable import shard_of


@pytest.mark.parametrize("shards", [1, 8, 12, 100])
def test_the_names_are_those_that_videos_are_given(shards: int) -> None:
    assert shard_names(shards) == sorted({shard_of(f"video{i}", shards) for i in range(30 * shards)})
