from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simhand.files import read_parquet, write_parquet
from simhand.hands.balance import balance_shard, kept_hands
from simhand.hands.settings import BalanceSettings, SelectionSettings
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


def write_hands(folder: Path, hands: list[dict]) -> None:
    write_parquet(pa.Table.from_pylist(hands, HANDS), folder / "hands.parquet", HANDS)


def balanced(folder: Path, settings: BalanceSettings, selection: SelectionSettings) -> list[dict[str, Any]]:
    balance_shard(folder / "hands.parquet", folder / "balanced.parquet", settings, selection)
    return read_parquet(folder / "balanced.parquet", BALANCED).to_pylist()


def test_tables(tmp_path: Path) -> None:
    write_hands(tmp_path, [hand("a", side="left"), hand("b", side="right"), hand("c", side="right")])
    rows = balanced(tmp_path, BalanceSettings(), SelectionSettings())
    assert [row["hand_id"] for row in rows] == ["a", "b", "c"]
    assert rows[0] == {"hand_id": "a", "side": "left", "kept": True, "dropped": ""}
    assert sorted(row["dropped"] for row in rows) == ["", "", "balance"]
    assert sum(row["kept"] for row in rows) == 2
    rows = balanced(tmp_path, BalanceSettings(enabled=False), SelectionSettings())
    assert {(row["kept"], row["dropped"]) for row in rows} == {(True, "")}


CHOOSY = SelectionSettings(contact=("portable",), min_score=0.5, min_box_px=10)


def test_left_and_right_are_balanced_among_the_hands_that_are_wanted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Three of each are found; one left and two right ones are wanted."""
    good: dict[str, Any] = {"contact": "portable", "score": 0.5}
    hands = [
        hand("a", side="left", **good),
        hand("b", side="left", contact="none", score=0.5),
        hand("c", side="left", box=(0, 0, 9, 9), **good),
        hand("d", side="right", **good),
        hand("e", side="right", **good),
    ]
    write_hands(tmp_path, [*hands, hand("f", side="right", contact="portable", score=0.4)])
    with caplog.at_level(logging.INFO, logger="simhand"):
        rows = {row["hand_id"]: row for row in balanced(tmp_path, BalanceSettings(), CHOOSY)}
    assert {name: row["dropped"] for name, row in rows.items() if name not in "de"} == {
        **{"a": "", "b": "contact", "c": "size", "f": "score"}
    }
    assert sorted(rows[name]["dropped"] for name in "de") == ["", "balance"]
    assert {name for name, row in rows.items() if row["kept"]} == {n for n, row in rows.items() if not row["dropped"]}
    counts = "3 left and 3 right hands; dropped: score 1, size 1, contact 1, balance 1; 2 kept"
    assert [record.getMessage() for record in caplog.records] == [counts]


def test_hands_are_selected_where_nothing_is_balanced(tmp_path: Path) -> None:
    hands = [hand("a", contact="portable"), hand("b", contact="portable"), hand("c", side="left", contact="self")]
    write_hands(tmp_path, hands)
    rows = balanced(tmp_path, BalanceSettings(enabled=False), CHOOSY)
    assert [row["dropped"] for row in rows] == ["", "", "contact"]


def test_where_a_side_is_not_wanted_none_stays(tmp_path: Path) -> None:
    write_hands(tmp_path, [hand("a", contact="portable"), hand("b", side="left", contact="self")])
    rows = balanced(tmp_path, BalanceSettings(), CHOOSY)
    assert [row["dropped"] for row in rows] == ["balance", "contact"]


found = st.tuples(
    st.sampled_from(["left", "right"]), st.sampled_from([0.4, 0.6]), st.sampled_from([8, 12]), st.booleans()
)


@given(st.lists(found), st.booleans(), st.integers(0, 5))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hands_that_are_not_wanted_change_nothing_for_the_others(
    tmp_path: Path, many: list[tuple[str, float, int, bool]], enabled: bool, seed: int
) -> None:
    """The same hands stay as of the wanted ones alone, and of each it is told why not."""
    hands = [
        hand(f"h{i}", side=side, score=score, box=(0, 0, px, 1), contact="portable" if held else None)
        for i, (side, score, px, held) in enumerate(many)
    ]
    write_hands(tmp_path, hands)
    rows = balanced(tmp_path, BalanceSettings(enabled=enabled, seed=seed), CHOOSY)
    wanted = [row for row, (_, score, px, held) in zip(rows, many, strict=True) if score > 0.5 and px > 10 and held]
    ids, sides = [row["hand_id"] for row in wanted], [row["side"] for row in wanted]
    stay = kept_hands(ids, sides, seed) if enabled else [True] * len(wanted)
    assert [row["hand_id"] for row in rows] == [row["hand_id"] for row in hands]
    assert [row["kept"] for row in wanted] == stay
    assert all(row["dropped"] == ("" if keep else "balance") for row, keep in zip(wanted, stay, strict=True))
    others = [row for row in rows if row not in wanted]
    assert all(row["dropped"] in ("score", "size", "contact") and not row["kept"] for row in others)


def test_an_empty_shard(tmp_path: Path) -> None:
    write_hands(tmp_path, [])
    assert balanced(tmp_path, BalanceSettings(), SelectionSettings()) == []
