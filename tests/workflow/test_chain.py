"""The whole chain on a small demo. What runs again after a change: test_reruns.py."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simhand.files import open_arrow
from simhand.tables import CROPS
from tests.workflow.checkout import Checkout

RUNS = ["none", "simclr", "peclr", "simhand"]


def test_the_chain_ends_with_a_table(finished: Checkout) -> None:
    with (finished.folder / "results/report/table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(RUNS)
    for row in rows:
        assert 1 < float(row["mpjpe_mm"]) < 1000  # one epoch; NaN fails
        assert 0 <= float(row["pck_auc_20_50"]) <= 100
    assert (finished.folder / "results/report/hands_demo.png").stat().st_size > 50_000
    assert "Predicted hands of the labelled set demo" in (finished.folder / "results/report/index.html").read_text()
    statuses = pq.read_table(sorted((finished.folder / "results/frames/demo").glob("*.status.parquet"))).to_pylist()
    assert {row["video_id"]: row["status"] for row in statuses if row["status"] != "ok"} == {"truncated.mp4": "corrupt"}


def test_no_mined_neighbour_is_of_the_same_video(finished: Checkout) -> None:
    pool = finished.folder / "results/pools/demo"
    videos = pq.read_table(pool / "members.parquet")["video_id"].to_pylist()
    neighbours = pq.read_table(sorted((pool / "neighbours").iterdir())).to_pylist()
    assert len(neighbours) == 3 * len(videos)
    assert all(videos[row["row"]] != videos[row["neighbour"]] for row in neighbours)


def test_rendered_hands_keep_their_side_from_the_detector_to_the_pool(finished: Checkout) -> None:
    truth = pq.read_table(finished.folder / "demo/truth/hands.parquet").to_pandas()
    points = np.stack(truth["keypoints_px"]).reshape(len(truth), 21, 2)
    truth["x"], truth["y"] = points.mean(axis=1).T
    crops = pa.concat_tables(
        open_arrow(path, CROPS).drop_columns("jpeg")
        for path in sorted((finished.folder / "results/crops/demo").glob("*.arrow"))
    ).to_pandas()
    pairs = crops.merge(truth, on=["video_id", "frame_index"], suffixes=("", "_true"))
    apart = np.hypot((pairs["x1"] + pairs["x2"]) / 2 - pairs["x"], (pairs["y1"] + pairs["y2"]) / 2 - pairs["y"])
    true = pairs.assign(apart=apart).sort_values("apart").groupby("hand_id").first()
    assert len(true) >= 30
    assert (true["side"] == true["side_true"]).mean() >= 0.85
    assert true["detected_side"].str.lower().tolist() == true["side"].tolist()
    assert set(true["side_source"]) == {"mediapipe"}
    assert (true["flipped"] == (true["side"] == "left")).all()
    assert set(true["side"]) == {"left", "right"}


def test_a_second_call_does_nothing(finished: Checkout) -> None:
    assert finished.to_do() == set()
    assert "Nothing to be done" in finished.snakemake("--cores", "2", "all").stdout


@pytest.mark.slow
def test_the_same_neighbours_whatever_the_number_of_cores(finished: Checkout, tmp_path: Path) -> None:
    other = Checkout.new(tmp_path)
    other.write_config(finished.config())
    (tmp_path / "demo").symlink_to(finished.folder / "demo")
    other.snakemake("--cores", "1", "data")
    ours, theirs = (folder / "results/pools/demo" for folder in (finished.folder, tmp_path))
    names = ["members.parquet", "pca.npz", "embeddings.npy", "neighbours/0of2.parquet", "neighbours/1of2.parquet"]
    for name in names:
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
