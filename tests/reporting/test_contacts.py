"""What hands touch, counted by hand and as a sum."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simhand.errors import TableError
from simhand.files import read_parquet, write_parquet
from simhand.reporting.contacts import contact_grid, contacts, detectors_note
from simhand.reporting.data_inputs import Shard
from simhand.tables import CONTACT_STATES, DROPPED, HANDS
from tests.reporting.conftest import Hand, WriteShard

VIDEO = {"a": ("ok", "", 1)}
TOUCHING = [
    Hand("a", "left", contact="stationary", with_object=True),
    Hand("a", "left", contact="portable"),
    Hand("a", "right", contact="portable", with_object=True),
    Hand("a", "right", contact="portable", with_object=True, dropped="size"),
    Hand("a", "right", contact="none", dropped="contact"),
    Hand("a", "right"),
]


def found_by(shard: Shard, detector: str) -> Shard:
    """The shard with its hands found by another detector."""
    assert shard.hands is not None
    table = read_parquet(shard.hands, HANDS)
    place = HANDS.get_field_index("side_source")
    write_parquet(table.set_column(place, "side_source", [[detector] * len(table)]), shard.hands, HANDS)
    return shard


def test_contacts_by_hand(write_shard: WriteShard) -> None:
    both = [write_shard("doh", f"{i}of2", TOUCHING, VIDEO) for i in range(2)]
    counts = contacts([*both, write_shard("known", "0of1", [Hand("a", "left")] * 2, VIDEO)])
    assert [list(row.values()) for row in counts.to_pylist()] == [
        ["doh", "made up", "none", 2, 0, 0],
        ["doh", "made up", "portable", 6, 4, 4],
        ["doh", "made up", "stationary", 2, 2, 2],
        ["doh", "made up", "unknown", 2, 2, None],
        ["known", "made up", "unknown", 2, 2, None],
    ]
    grid = contact_grid(counts)
    assert grid is not None
    assert list(grid.header) == ["source", "detector", "contact", "hands", "of the source", "kept", "with an object"]
    assert [list(row) for row in grid.rows] == [
        ["doh", "made up", "none", "2", "16.7 %", "0", "0.0 %"],
        ["doh", "made up", "portable", "6", "50.0 %", "4", "66.7 %"],
        ["doh", "made up", "stationary", "2", "16.7 %", "2", "100.0 %"],
        ["doh", "made up", "unknown", "2", "16.7 %", "2", ""],
        ["known", "made up", "unknown", "2", "100.0 %", "2", ""],
    ]
    assert grid.numbers == {3, 4, 5, 6}


def test_where_no_contact_is_known_there_is_no_table(shard: Shard, write_shard: WriteShard) -> None:
    assert contact_grid(contacts([shard])) is None
    assert contact_grid(contacts([write_shard("empty", "0of1", [], {})])) is None
    assert contacts([]).to_pylist() == []


def test_who_found_the_hands_of_each_source(shard: Shard, write_shard: WriteShard) -> None:
    doh, mixed, other = (
        [found_by(write_shard(name, f"{i}of2", TOUCHING, VIDEO), detector) for i, detector in enumerate(detectors)]
        for name, detectors in (("doh", ["doh"]), ("mixed", ["mediapipe", "doh"]), ("other", ["doh"]))
    )
    annotated = [replace(shard, source="released", hands=None)]
    shards = [*doh, *mixed, *annotated, write_shard("empty", "0of1", [], {}), *other]
    assert detectors_note(shards, contacts(shards)) == (
        "Hands of doh, other: found by doh. Hands of mixed: found by doh and mediapipe. "
        "Hands of released: annotated (made up). Hands of empty: none."
    )


def test_annotated_hands_with_an_image_touch_what_nobody_knows(shard: Shard) -> None:
    counts = contacts([replace(shard, hands=None)]).to_pylist()
    assert [list(row.values()) for row in counts] == [["wild", "made up", "unknown", 8, 8, None]]


def test_tables_that_do_not_belong_together_are_refused(shard: Shard, write_shard: WriteShard) -> None:
    other = write_shard("other", "0of1", [], {})
    with pytest.raises(TableError, match="balanced hands are not those"):
        contacts([replace(shard, balanced=other.balanced)])


hands = st.builds(
    Hand,
    video=st.just("a"),
    side=st.just("left"),
    dropped=st.sampled_from(["", *DROPPED]),
    contact=st.sampled_from([None, *CONTACT_STATES]),
    with_object=st.booleans(),
)


@given(st.lists(st.lists(hands, max_size=8), min_size=1, max_size=3))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_hand_counts_once(write_shard: WriteShard, parts: list[list[Hand]]) -> None:
    shards = [write_shard(f"s{i % 2}", str(i), own, VIDEO) for i, own in enumerate(parts)]
    rows = contacts(shards).to_pylist()
    keys = [(row["source"], row["contact"]) for row in rows]
    every = [(f"s{i % 2}", hand.contact or "unknown", hand) for i, own in enumerate(parts) for hand in own]
    states = [*CONTACT_STATES, "unknown"]
    assert keys == sorted(set(keys), key=lambda key: (key[0], states.index(key[1])))
    assert dict(zip(keys, [row["hands"] for row in rows], strict=True)) == Counter((s, c) for s, c, _ in every)
    for row in rows:
        own = [hand for source, contact, hand in every if (source, contact) == (row["source"], row["contact"])]
        assert row["kept"] == [hand.dropped for hand in own].count("")
        with_object = [hand.with_object for hand in own].count(True)
        assert row["with_object"] == (None if row["contact"] == "unknown" else with_object)
