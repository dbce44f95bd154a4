from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from simhand.files import read_parquet, write_parquet
from simhand.hands.balance import balance_shard, kept_hands
from simhand.hands.settings import BalanceSettings
from simhand.tables import BALANCED, HANDS
from tests.hands.made_up import hand


@given(st.lists(st.sampled_from(["left", "right"])), st.integers(0, 5))
def test_as_many_left_as_right_and_none_of_the_rarer_side_lost(sides: list[str], seed: int) -> None:
    ids = [f"hand {i}" for i in range(len(sides))]
    kept = kept_hands(ids, sides, seed)
    counts = {side: sum(k for k, s in zip(kept, sides, strict=True) if s == side) for side in ("left", "right")}
    assert counts["left"] == counts["right"] == min(sides.count("left"), sides.count("right"))


def test_the_choice_depends_on_names_and_seed_not_on_order() -> None:
    ids = [f"hand {i}" for i in range(40)]
    sides = ["left"] * 10 + ["right"] * 30
    chosen = {name for name, keep in zip(ids, kept_hands(ids, sides, 0), strict=True) if keep}
    reverse = {name for name, keep in zip(ids[::-1], kept_hands(ids[::-1], sides[::-1], 0), strict=True) if keep}
    other = {name for name, keep in zip(ids, kept_hands(ids, sides, 1), strict=True) if keep}
    assert chosen == reverse
    assert chosen != other


def test_tables(tmp_path: Path) -> None:
    hands = [hand("a", side="left"), hand("b", side="right"), hand("c", side="right")]
    write_parquet(pa.Table.from_pylist(hands, HANDS), tmp_path / "hands.parquet", HANDS)
    balance_shard(tmp_path / "hands.parquet", tmp_path / "balanced.parquet", BalanceSettings())
    rows = read_parquet(tmp_path / "balanced.parquet", BALANCED).to_pylist()
    assert [row["hand_id"] for row in rows] == ["a", "b", "c"]
    assert rows[0]["kept"]
    assert sum(row["kept"] for row in rows) == 2
    balance_shard(tmp_path / "hands.parquet", tmp_path / "balanced.parquet", BalanceSettings(enabled=False))
    assert all(read_parquet(tmp_path / "balanced.parquet", BALANCED)["kept"].to_pylist())


def test_an_empty_shard(tmp_path: Path) -> None:
    write_parquet(HANDS.empty_table(), tmp_path / "hands.parquet", HANDS)
    balance_shard(tmp_path / "hands.parquet", tmp_path / "balanced.parquet", BalanceSettings())
    assert len(read_parquet(tmp_path / "balanced.parquet", BALANCED)) == 0
