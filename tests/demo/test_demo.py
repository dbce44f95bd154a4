"""What `make demo` must show. Looks at the folders demo and results of this checkout."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simhand.files import open_arrow
from simhand.mining.similarity import random_other_video, root_aligned_distance
from simhand.tables import CROPS, FRAMES
from tests.conftest import ROOT
from tests.mining.brute_force import brute_force

pytestmark = pytest.mark.demo
RESULTS = ROOT / "results"
LABELLED = ("demo", "demo_dexycb", "demo_assemblyhands")
RUNS = ("none", "simclr", "peclr", "simhand")


@pytest.fixture(scope="module", autouse=True)
def finished() -> None:
    if not (RESULTS / "report" / "index.html").is_file():
        pytest.skip("no finished demo here: run `make demo` first")


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Every rendered hand of every frame, with its box in pixels; left hands' joints mirrored to right ones."""
    frame = pq.read_table(ROOT / "demo" / "truth" / "hands.parquet").to_pandas()
    points = np.stack(frame["keypoints_px"]).reshape(len(frame), 21, 2)
    frame[["x1", "y1"]], frame[["x2", "y2"]] = points.min(axis=1), points.max(axis=1)
    joints_m = np.stack(frame["keypoints_m"]).reshape(len(frame), 21, 3)
    joints_m[(frame["side"] == "left").to_numpy(), :, 0] *= -1
    frame["joints_m"] = list(joints_m)
    return frame


def rows_of(stage: str, schema: pa.Schema, columns: list[str]) -> pd.DataFrame:
    tables = [open_arrow(path, schema).select(columns) for path in sorted((RESULTS / stage / "demo").glob("*.arrow"))]
    return pa.concat_tables(tables).to_pandas()


def nearest_true_hand(hands: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """For each detected hand the true one of its frame with the nearest centre, and their distance in box sizes."""
    pairs = hands.reset_index(names="hand").merge(truth, on=["video_id", "frame_index"], suffixes=("", "_true"))
    apart = [(pairs[f"{a}1"] + pairs[f"{a}2"] - pairs[f"{a}1_true"] - pairs[f"{a}2_true"]) / 2 for a in "xy"]
    pairs["apart"] = np.hypot(*apart) / np.maximum(
        pairs["x2_true"] - pairs["x1_true"], pairs["y2_true"] - pairs["y1_true"]
    )
    return pairs.sort_values("apart").groupby("hand").first()


def test_mined_pairs_are_truly_similar(truth: pd.DataFrame) -> None:
    members = pq.read_table(RESULTS / "pools/demo/members.parquet").to_pandas()
    boxes = rows_of("crops", CROPS, ["hand_id", "x1", "y1", "x2", "y2"])
    members = members.merge(boxes, on="hand_id").set_index("row").sort_index()
    true = nearest_true_hand(members, truth)
    known = true.index[true["apart"] < 0.25]
    assert len(known) > 0.97 * len(members)
    joints = true["joints_m"]
    neighbours = pq.read_table(sorted((RESULTS / "pools/demo/neighbours").iterdir())).to_pandas()
    first = neighbours[neighbours["rank"] == 1].set_index("row")["neighbour"]
    videos = members["video_id"].astype("category").cat.codes.to_numpy()

    def distance(partners: np.ndarray) -> float:
        pairs = [(row, other) for row, other in zip(members.index, partners, strict=True) if {row, other} <= set(known)]
        ours, others = (np.stack([joints[row] for row in rows]) for rows in zip(*pairs, strict=True))
        return float(root_aligned_distance(ours, others).mean())

    mined, random = distance(first.loc[members.index].to_numpy()), distance(random_other_video(videos, seed=0))
    print(
        f"\nmined Top-1 pairs: {mined:.3f} bone lengths, random: {random:.3f}, ratio {mined / random:.3f} (at most 0.6)"
    )
    assert mined <= 0.6 * random


def test_every_hand_of_the_pool_has_all_its_neighbours_in_other_videos() -> None:
    videos = pq.read_table(RESULTS / "pools/demo/members.parquet")["video_id"].to_numpy(zero_copy_only=False)
    neighbours = pq.read_table(sorted((RESULTS / "pools/demo/neighbours").iterdir())).to_pandas()
    assert (videos[neighbours["row"]] != videos[neighbours["neighbour"]]).all()
    assert neighbours.groupby("row")["rank"].apply(list).map(lambda ranks: ranks == list(range(1, 11))).all()
    assert neighbours["row"].nunique() == len(videos)


def test_the_neighbours_are_those_of_brute_force() -> None:
    pool = RESULTS / "pools/demo"
    videos = pq.read_table(pool / "members.parquet")["video_id"].to_pandas().astype("category").cat.codes.to_numpy()
    neighbours = pq.read_table(sorted((pool / "neighbours").iterdir())).to_pandas().sort_values(["row", "rank"])
    rows, squared = brute_force(np.load(pool / "embeddings.npy"), videos, range(len(videos)), 10)
    np.testing.assert_array_equal(neighbours["neighbour"].to_numpy().reshape(-1, 10), rows)
    np.testing.assert_array_equal(
        neighbours["distance"].to_numpy().reshape(-1, 10), np.sqrt(squared).astype(np.float32)
    )


def test_most_rendered_hands_are_found_and_on_their_side(truth: pd.DataFrame) -> None:
    hands = pd.concat(pq.read_table(path).to_pandas() for path in sorted((RESULTS / "hands/demo").glob("*.parquet")))
    sampled = rows_of("frames", FRAMES, ["video_id", "frame_index"])
    visible = truth[truth["visible"]].reset_index(names="true").merge(sampled, on=["video_id", "frame_index"])
    true = nearest_true_hand(hands.reset_index(drop=True), visible)
    found = true[true["apart"] < 0.5]
    share, right_side = found["true"].nunique() / len(visible), float((found["side"] == found["side_true"]).mean())
    print(
        f"\nMediaPipe found {share:.1%} of {len(visible)} visible hands (at least 80 %), {right_side:.1%} on their side"
    )
    assert share >= 0.8
    assert right_side >= 0.95
    assert not (hands["video_id"] == "no_hand.mp4").any()


def test_the_table_has_its_rows_with_plausible_errors() -> None:
    with (RESULTS / "report/table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["labelled"], row["run"]) for row in rows] == [(name, run) for name in LABELLED for run in RUNS]
    assert all(1 < float(row["mpjpe_mm"]) < 100 for row in rows)


def test_table_1_has_the_same_errors_beside_the_papers() -> None:
    with (RESULTS / "report/table.csv").open() as file:
        errors = {(row["labelled"], row["run"]): row["mpjpe_mm"] for row in csv.DictReader(file)}
    with (RESULTS / "report/paper/table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["labelled"], row["run"]): row["mpjpe_mm"] for row in rows} == errors
    papers = {(row["labelled set"], row["method"]): float(row["mpjpe_mm_paper"]) for row in rows}
    assert papers["FreiHAND", "SiMHand"] == 16.15
    assert papers["AssemblyHands", "w/o pre-training"] == 19.17


def test_two_jobs_side_by_side_fit_into_six_gigabytes() -> None:
    peaks = {}
    for path in (RESULTS / "benchmarks").rglob("*.tsv"):
        peaks[str(path.relative_to(RESULTS))] = max(
            float(row) for row in pd.read_csv(path, sep="\t")["max_rss"].replace("-", 0)
        )
    largest = sorted(peaks.items(), key=lambda item: -item[1])[:2]
    print("\nlargest peaks:", ", ".join(f"{name} {mb:.0f} MB" for name, mb in largest))
    assert sum(mb for _, mb in largest) < 6000


def test_nothing_is_left_to_do() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Nothing to be done" in finished.stdout + finished.stderr
