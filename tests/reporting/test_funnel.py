"""The funnel, by hand and as a sum."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from simhand.errors import PoolError
from simhand.files import read_parquet, write_parquet
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import DrawSettings
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.funnel import failed_videos, funnel, funnel_grid
from simhand.tables import DROPPED, MEMBERS, NEIGHBOURS
from tests.reporting.conftest import Hand, WriteShard


def counts_of(inputs: DataInputs) -> dict[tuple[str, str, str, str], int]:
    return {(r["pool"], r["unit"], r["stage"], r["loss"]): r["count"] for r in funnel(inputs).to_pylist()}


def test_the_funnel_by_hand(shard: Shard, pool: Pool) -> None:
    counts = counts_of(DataInputs([shard], [pool], Path("crops"), Path("frames")))
    assert {key[1:]: count for key, count in counts.items() if not key[0]} == {
        ("videos", "listed", ""): 4,
        ("videos", "listed", "corrupt"): 1,
        ("videos", "listed", "no frame"): 1,
        ("videos", "read in full", ""): 2,
        ("frames", "sampled", ""): 16,
        ("frames", "sampled", "no hand found"): 9,
        ("frames", "with hands", ""): 7,
        ("hands", "found", ""): 10,
        ("hands", "found", "surplus of left hands"): 1,
        ("hands", "found", "surplus of right hands"): 0,
        ("hands", "balanced", ""): 9,
        ("hands", "balanced", "box outside the frame"): 1,
        ("hands", "cropped", ""): 8,
        ("hands", "cropped", "no keypoints: no hand"): 1,
        ("hands", "with keypoints", ""): 7,
    }
    assert {key[2:]: count for key, count in counts.items() if key[0] == "all"} == {
        ("with keypoints", ""): 7,
        ("with keypoints", "too many keypoints outside the frame"): 1,  # 7 of 21 outside: two thirds inside
        ("with keypoints", "not drawn"): 0,
        ("in the pool", ""): 6,
        ("in the pool", "no similar hand"): 0,
        ("with similar hands", ""): 6,
        ("of them and their similar hands", ""): 6,
    }


def test_hands_that_are_not_wanted_are_no_surplus(write_shard: WriteShard) -> None:
    found = [
        *(Hand("a", "left", dropped=reason) for reason in ("score", "size", "size", "contact", "balance", "balance")),
        *(Hand("a", "right", dropped=reason) for reason in ("score", "size", "contact", "contact", "contact")),
        *(Hand("a", side) for side in ("left", "right")),
    ]
    chosen = write_shard("chosen", "0of1", found, {"a": ("ok", "", 1)})
    everything = write_shard("everything", "0of1", [Hand("a", "left", dropped="balance")], {"a": ("ok", "", 1)})
    rows = funnel(DataInputs([chosen, everything], [], Path("crops"), Path("frames")))
    assert [(r["source"], r["loss"], r["count"]) for r in rows.to_pylist() if r["stage"] in ("found", "balanced")] == [
        ("chosen", "", 13),
        ("chosen", "score too low", 2),
        ("chosen", "box too small or too large", 3),
        ("chosen", "contact not wanted", 4),
        ("chosen", "surplus of left hands", 2),
        ("chosen", "surplus of right hands", 0),
        ("chosen", "", 2),
        ("chosen", "box outside the frame", 0),
        ("everything", "", 1),  # no rows of what it does not choose by
        ("everything", "surplus of left hands", 1),
        ("everything", "surplus of right hands", 0),
        ("everything", "", 0),
        ("everything", "box outside the frame", 0),
    ]
    lines = [list(line) for line in funnel_grid(rows).rows]
    found_at = lines.index(["hands found", "13", "1", "14"])
    assert lines[found_at + 1 : found_at + 6] == [
        ["\N{MINUS SIGN} score too low", "2", "0", "2"],
        ["\N{MINUS SIGN} box too small or too large", "3", "0", "3"],
        ["\N{MINUS SIGN} contact not wanted", "4", "0", "4"],
        ["\N{MINUS SIGN} surplus of left hands", "2", "1", "3"],
        ["hands balanced", "2", "0", "2"],
    ]


hands = st.builds(
    Hand,
    video=st.sampled_from(["a", "b"]),
    side=st.sampled_from(["left", "right"]),
    dropped=st.sampled_from(["", "", "", *DROPPED]),
    cropped=st.booleans(),
    missed=st.sampled_from(["", "no hand", "only other hands"]),
    frame=st.integers(0, 5),
    outside=st.sampled_from([0, 0, 7, 21]),
)


@given(
    st.lists(hands, max_size=12),
    st.lists(st.sampled_from(["ok", "empty", "corrupt", "timeout"]), min_size=2, max_size=2),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_stage_is_the_one_before_without_its_losses(
    write_shard: WriteShard, found: list[Hand], statuses: list[str]
) -> None:
    videos = {name: (status, "", 6) for name, status in zip("ab", statuses, strict=True)}
    rows = funnel(
        DataInputs([write_shard("wild", "0of1", found, videos)], [], Path("crops"), Path("frames"))
    ).to_pylist()
    for unit in ("videos", "frames", "hands"):
        stages = [row for row in rows if row["unit"] == unit and not row["loss"]]
        for stage, following in pairwise(stages):
            lost = [
                row["count"] for row in rows if row["unit"] == unit and row["stage"] == stage["stage"] and row["loss"]
            ]
            assert stage["count"] - sum(lost) == following["count"], (stage, following)
            assert min([0, *lost]) == 0
    assert rows[0]["count"] == 2
    assert sum(row["count"] for row in rows if row["stage"] == "found" and not row["loss"]) == len(found)


drawings = st.builds(
    DrawSettings,
    sources=st.just(("drawn",)),
    min_visible=st.sampled_from([0.0, 0.5, 1.0]),
    size=st.sampled_from([None, None, 2, 3, 5]),
)


@given(st.lists(hands, max_size=12), drawings, st.sets(st.integers(0, 20)))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_pool_drew_and_what_it_left_out_add_up(
    tmp_path: Path, write_shard: WriteShard, found: list[Hand], drawing: DrawSettings, paired: set[int]
) -> None:
    both = [Hand("a", "left"), Hand("b", "right"), *found]  # a pool needs two videos
    own = write_shard("drawn", "0of1", both, {"a": ("ok", "", 6), "b": ("ok", "", 6)})
    members, neighbours = tmp_path / "drawn.parquet", tmp_path / "pairs.parquet"
    try:
        draw_pool([ShardTables("drawn", "0of1", own.status, own.crops, own.keypoints)], drawing, members, pool="p")
    except PoolError:  # too few hands, or all of one video
        reject()
    drawn = len(read_parquet(members, MEMBERS))
    pairs = [{"row": row, "rank": 1, "neighbour": 0, "distance": 0.5} for row in paired if row < drawn]
    write_parquet(pa.Table.from_pylist(pairs, NEIGHBOURS), neighbours, NEIGHBOURS)
    mine = Pool("p", ["drawn"], drawing.min_visible, members, Path("pca"), Path("embeddings"), [neighbours])
    counts = counts_of(DataInputs([own], [mine], Path("crops"), Path("frames")))
    stages = {key[2:]: count for key, count in counts.items() if key[0] == "p"}
    assert min(stages.values()) >= 0
    assert stages["with keypoints", ""] == counts["", "hands", "with keypoints", ""]
    assert stages["in the pool", ""] == drawn
    assert stages["with similar hands", ""] == len([pair for pair in pairs if pair["row"] != pair["neighbour"]])
    for stage, following in (("with keypoints", "in the pool"), ("in the pool", "with similar hands")):
        lost = sum(count for (of, loss), count in stages.items() if of == stage and loss)
        assert stages[stage, ""] - lost == stages[following, ""]


def test_sources_stand_side_by_side_with_their_sum(shard: Shard, pool: Pool) -> None:
    other = replace(shard, source="other")
    grid = funnel_grid(
        funnel(DataInputs([other, shard, shard], [pool], Path("crops"), Path("frames")))
    )  # wild has two shards
    assert grid.header == ["", "other", "wild", "all sources"]
    lines = {line[0]: line[1:] for line in grid.rows}
    assert lines["videos listed"] == ["4", "8", "12"]
    assert lines["\N{MINUS SIGN} corrupt"] == ["1", "2", "3"]
    assert lines["frames sampled"] == ["16", "32", "48"]
    assert lines["pool all: hands in the pool"] == ["0", "6", "6"]
    assert "\N{MINUS SIGN} surplus of right hands" not in lines  # nothing was lost so
    names = [line[0] for line in grid.rows]
    assert names.index("\N{MINUS SIGN} no hand found") == names.index("frames sampled") + 1


def test_annotated_hands_were_not_looked_for(shard: Shard) -> None:
    counts = counts_of(DataInputs([replace(shard, hands=None)], [], Path("crops"), Path("frames")))
    assert ("", "frames", "with hands", "") not in counts
    assert counts["", "hands", "balanced", "image missing or damaged"] == 1


def test_videos_that_failed_are_listed_with_their_reason(shard: Shard) -> None:
    assert [list(row.values()) for row in failed_videos([shard]).to_pylist()] == [
        ["wild", "c.mp4", "corrupt", "cut <off>", 1],
        ["wild", "d.mp4", "empty", "no frame", 0],
    ]
