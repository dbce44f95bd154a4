"""The data report: its tables by hand, its page as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simhand.errors import TableError
from simhand.files import read_parquet, write_parquet
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.data_report import write_data_report
from simhand.reporting.data_tables import CHOSEN, CONTACTS, DISTANCES, EXPLAINED_VARIANCE, FUNNEL, HISTOGRAMS, VIDEOS
from simhand.reporting.hand_numbers import HandNumbers, bin_edges, count_in_bins, hand_numbers, histograms
from simhand.reporting.pool_numbers import chosen, distances, explained_variance
from simhand.reporting.settings import ReportSettings
from simhand.reporting.videos_table import videos_table
from simhand.tables import DROPPED, NEIGHBOURS
from tests.reporting.conftest import Hand, WriteShard

_COUNTS = ("frames", "hands", "left", "right", "kept", "kept_left", "kept_right", "crops", "keypoints")


def test_what_became_of_each_video(shard: Shard) -> None:
    rows = {row["video_id"]: row for row in videos_table([shard]).to_pylist()}
    assert {name: [row[count] for count in _COUNTS] for name, row in rows.items()} == {
        "$a_$.mp4": [10, 2, 2, 0, 2, 2, 0, 2, 2],
        "b.mp4": [5, 5, 1, 4, 4, 0, 4, 3, 2],
        "c.mp4": [1, 3, 2, 1, 3, 2, 1, 3, 3],
        "d.mp4": [0] * 9,
    }
    assert (rows["c.mp4"]["status"], rows["c.mp4"]["reason"]) == ("corrupt", "cut <off>")
    assert {row["source"] for row in rows.values()} == {"wild"}


_LOST = ("hands", "dropped_score", "dropped_size", "dropped_contact", "dropped_balance", "kept")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["left", "right"]), st.sampled_from(["", *DROPPED]))))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_each_video_it_is_told_why_hands_were_dropped(
    write_shard: WriteShard, found: list[tuple[str, str, str]]
) -> None:
    hands = [Hand(video, side, dropped=reason) for video, side, reason in found]
    made = write_shard("wild", "0of1", hands, dict.fromkeys("ab", ("ok", "", 1)))
    for row in videos_table([made]).to_pylist():
        own = [reason for video, _, reason in found if video == row["video_id"]]
        assert [row[count] for count in _LOST] == [len(own), *(own.count(reason) for reason in (*DROPPED, ""))]
        assert row["kept_left"] == found.count((row["video_id"], "left", ""))
        assert row["kept_right"] == found.count((row["video_id"], "right", ""))


def test_annotated_hands_count_by_their_crops(shard: Shard) -> None:
    rows = {row["video_id"]: row for row in videos_table([replace(shard, hands=None)]).to_pylist()}
    assert [rows["b.mp4"][count] for count in _COUNTS] == [5, 3, 0, 3, 3, 0, 3, 3, 2]
    assert [rows["b.mp4"][count] for count in _LOST] == [3, 0, 0, 0, 0, 3]


def test_tables_that_do_not_belong_together_are_refused(shard: Shard, write_shard: WriteShard) -> None:
    other = write_shard("other", "0of1", [], {})
    with pytest.raises(TableError, match="balanced hands are not those"):
        videos_table([replace(shard, balanced=other.balanced)])
    with pytest.raises(TableError, match="do not belong together"):
        videos_table([replace(shard, keypoints=other.keypoints)])


def test_numbers_of_hands(shard: Shard) -> None:
    numbers = hand_numbers([shard, shard])
    assert numbers.box_px.tolist() == [32.0] * 20
    assert numbers.box_share.tolist() == [0.5] * 20
    assert set(numbers.score.tolist()) == {0.75}
    assert numbers.keypoint_score.tolist() == [0.5] * 14
    assert sorted(numbers.visible.tolist()) == pytest.approx([2 / 3] * 2 + [1.0] * 12)


def test_numbers_of_hands_are_counted_in_bins(shard: Shard) -> None:
    bins = [row for row in histograms({"wild": hand_numbers([shard])}).to_pylist() if row["hands"]]
    assert {row["source"] for row in bins} == {"wild"}
    counted = {(row["quantity"], round(row["low"], 9), round(row["high"], 9)): row["hands"] for row in bins}
    assert counted == {
        ("box_px", 31.2, 32.0): 10,  # the last of 40 bins from 0 to 32
        ("box_share", 0.4875, 0.5): 10,
        ("score", 0.75, 0.775): 10,
        ("keypoint_score", 0.5, 0.525): 7,
        ("visible", round(13.5 / 21, 9), round(14.5 / 21, 9)): 1,
        ("visible", round(20.5 / 21, 9), round(21.5 / 21, 9)): 6,
    }


def test_the_last_bin_reaches_up_to_the_largest_hand_and_what_none_has_is_left_out() -> None:
    boxes, none = np.append(np.full(999, 100.0), 5000.0), np.zeros(0)
    table = histograms({"wild": HandNumbers(boxes, none, none, none, none)}).to_pylist()
    assert {row["quantity"] for row in table} == {"box_px"}
    assert (len(table), table[-1]["low"], table[-1]["high"], table[-1]["hands"]) == (40, 97.5, 5000.0, 1000)


@given(st.lists(st.floats(0, 1e4, width=32), max_size=50), st.sampled_from(["box_px", "box_share"]))
def test_every_hand_is_in_a_bin(values: list[float], quantity: str) -> None:
    sizes = np.array(values, np.float32)
    edges = bin_edges(sizes, quantity)
    assert (np.diff(edges) > 0).all()
    assert count_in_bins(sizes, edges).sum() == len(values)


def test_distances_by_rank_and_of_random_hands(pool: Pool) -> None:
    """Measured in the pool's space, whatever unit annotated distances have; a hand beside itself is no pair."""
    rows = [{"row": i, "rank": 3, "neighbour": (i + 3) % 6, "distance": 35.0} for i in range(5)]
    rows.append({"row": 5, "rank": 1, "neighbour": 5, "distance": 0.0})
    write_parquet(pa.Table.from_pylist(rows, NEIGHBOURS), pool.neighbours[0].parent / "more.parquet", NEIGHBOURS)
    more = replace(pool, neighbours=[*pool.neighbours, pool.neighbours[0].parent / "more.parquet"])
    random, first, third = distances([more], seed=0).to_pylist()
    assert [(row["rank"], row["pairs"]) for row in (first, third)] == [(1, 6), (3, 5)]
    steps = np.sqrt(8) * np.array([2, 1, 2, 1, 4, 5])  # from each hand to its neighbour, among the made-up embeddings
    assert first["mean"] == pytest.approx(steps.mean())
    assert [first[name] for name in ("q05", "q50", "q95")] == pytest.approx(np.percentile(steps, [5, 50, 95]))
    assert [third[name] for name in ("q05", "q50", "q95")] == pytest.approx([np.sqrt(8) * 3] * 3)
    assert chosen([more]).to_pylist() == chosen([pool]).to_pylist()
    assert distances([more], seed=1).to_pylist()[0] != random
    assert (random["rank"], random["pairs"]) == (0, 6)
    apart = np.abs(np.arange(6)[:, None] - np.arange(6)) * np.sqrt(8)  # rows i and j of the made-up embeddings
    others = apart[np.arange(6)[:, None] // 2 != np.arange(6) // 2]
    assert others.min() <= random["q05"] <= random["q95"] <= others.max()


def test_variance_and_how_often_hands_are_chosen(pool: Pool) -> None:
    assert [list(row.values()) for row in explained_variance([pool]).to_pylist()] == [
        ["all", 1, 0.5, 0.5],
        ["all", 2, 0.25, 0.75],
    ]
    assert [list(row.values()) for row in chosen([pool]).to_pylist()] == [["all", 0, 3], ["all", 2, 3]]


def test_the_whole_report(tmp_path: Path, shard: Shard, pool: Pool) -> None:
    inputs = DataInputs([shard], [pool], tmp_path / "crops", tmp_path / "frames")
    for folder in ("report", "again"):
        write_data_report(inputs, ReportSettings(title="Hands & <videos>", queries=3), tmp_path / folder)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / f).iterdir()} for f in ("report", "again"))
    assert first == second
    schemas = {"funnel": FUNNEL, "videos": VIDEOS, "histograms": HISTOGRAMS, "distances": DISTANCES}
    schemas |= {"chosen": CHOSEN, "explained_variance": EXPLAINED_VARIANCE, "contacts": CONTACTS}
    for name, schema in schemas.items():
        assert len(read_parquet(tmp_path / "report" / f"{name}.parquet", schema)) > 0
    html = first["index.html"].decode()
    assert "<h1>Hands &amp; &lt;videos&gt;: the data</h1>" in html
    assert "cut &lt;off&gt;" in html
    assert html.count("data:image/png;base64,") == 3
    assert '<a href="#From-videos-to-pairs">' in html
    assert '<h2 id="From-videos-to-pairs">' in html
    assert "<p>Hands of wild: found by made up. Left and right should be" in html
    assert "What the hands touch" not in html  # nobody knows
    assert "http" not in html
    assert str(tmp_path) not in html


def test_what_hands_touch_is_shown_where_it_is_known(tmp_path: Path, write_shard: WriteShard, pool: Pool) -> None:
    """The pool's hands lie in the shard that its fixture wrote."""
    touching = write_shard("touching", "0of1", [Hand("a", "left", contact="self")], {"a": ("ok", "", 1)})
    wild = write_shard("wild", "0of2", [], {})
    write_data_report(
        DataInputs([wild, touching], [pool], tmp_path / "crops", tmp_path / "frames"),
        ReportSettings(),
        tmp_path / "report",
    )
    html = (tmp_path / "report" / "index.html").read_text()
    section = html.split('<h2 id="What-the-hands-touch">')[1].split("<h2")[0]
    cells = "".join(f"<td>{text}</td>" for text in ("touching", "made up", "self"))
    assert f"<tr>{cells}<td class='number'>1</td><td class='number'>100.0 %</td>" in section
    assert "Hands of wild: none. Hands of touching: found by made up." in html


def test_a_source_without_hands_and_a_pool_of_another(
    tmp_path: Path, write_shard: WriteShard, shard: Shard, pool: Pool
) -> None:
    empty = write_shard("empty", "0of1", [], {})
    videos = write_shard("no_hands", "0of1", [], {f"v{i:04}": ("corrupt", "no video", 0) for i in range(300)})
    write_data_report(
        DataInputs([empty, videos, shard], [pool], tmp_path / "crops", tmp_path / "frames"),
        ReportSettings(),
        tmp_path / "report",
    )
    html = (tmp_path / "report" / "index.html").read_text()
    assert "The first 200 of 302; videos.parquet has them all." in html
    assert "v0199" in html
    assert "v0200" not in html
    table = pq.read_table(tmp_path / "report" / "videos.parquet")
    assert len(table) == 304
    assert sum(table["hands"].to_pylist()) == 10


def test_sources_without_a_pool_have_a_report(tmp_path: Path, shard: Shard) -> None:
    write_data_report(
        DataInputs([shard], [], tmp_path / "crops", tmp_path / "frames"), ReportSettings(), tmp_path / "report"
    )
    html = (tmp_path / "report" / "index.html").read_text()
    assert "<td>hands with keypoints</td>" in html
    assert "gallery" not in html.split("</style>")[1]
    assert len(read_parquet(tmp_path / "report" / "distances.parquet", DISTANCES)) == 0
