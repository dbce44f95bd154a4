"""The whole chain on a small demo, and what runs again after a change."""

from __future__ import annotations

import csv
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simhand.files import open_arrow
from simhand.stable import shard_of
from simhand.tables import CROPS
from tests.workflow.checkout import Checkout

RUNS = ["none", "simclr", "peclr", "simhand"]
QUERIES = {f"mine_neighbours demo {i}of2" for i in range(2)}
REPORT = {"write_report", "all"}
ERRORS = REPORT | {"draw_hands demo", "write_paper_table table1"}
SETS = ["demo", "demo_dexycb"]  # of Table 1; the error table has the first
FINETUNED = {f"{rule} {name} {run} 100 0" for rule in ("finetune", "evaluate") for name in SETS for run in RUNS}
PRETRAINED = {f"pretrain {run}" for run in RUNS[1:]}
FROM_PRETRAINING = PRETRAINED | {job for job in FINETUNED if " none " not in job} | ERRORS
FROM_POSITIVES = {"pretrain simhand", *(job for job in FINETUNED if " simhand " in job)} | ERRORS
FROM_NEIGHBOURS = FROM_POSITIVES | {"write_data_report"}
FROM_PECLR = {job.replace("simhand", "peclr") for job in FROM_POSITIVES}
FROM_POOL = {"draw_pool demo", "embed_pool demo"} | QUERIES | FROM_PRETRAINING | {"write_data_report"}
HALF = {"draw_pool demo-half", "embed_pool demo-half", "mine_neighbours demo-half 0of1"}  # no run of `all` has it
STAGES = ["list_videos", "sample_frames", "detect_hands", "balance_hands", "crop_hands", "find_keypoints"]


def shards(checkout: Checkout) -> set[str]:
    return {shard_of(path.name, 3) for path in (checkout.folder / "demo" / "videos").iterdir()}


def chain(first: str, of_shards: set[str]) -> set[str]:
    """The jobs from a stage on, for some shards, with what follows the pools."""
    stages = STAGES[STAGES.index(first) :]
    return {f"{stage} demo {shard}" for stage in stages for shard in of_shards} | FROM_POOL | HALF


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


def test_touching_every_file_reruns_nothing(finished: Checkout) -> None:
    files = [path for path in finished.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    random.Random(0).shuffle(files)
    for path in files:
        os.utime(path)
    assert finished.to_do() == set()


def test_a_replaced_video_reruns_its_own_shard(restored: Checkout) -> None:
    videos = restored.folder / "demo" / "videos"
    shutil.copy(videos / "person_001.mp4", videos / "person_000.mp4")
    assert restored.to_do() == chain("list_videos", {shard_of("person_000.mp4", 3)})


def test_an_added_video_reruns_its_own_shard(restored: Checkout) -> None:
    videos = restored.folder / "demo" / "videos"
    shutil.copy(videos / "person_001.mp4", videos / "another.mp4")
    assert restored.to_do() == chain("list_videos", {shard_of("another.mp4", 3)})


def test_a_removed_video_reruns_its_own_shard(restored: Checkout) -> None:
    (restored.folder / "demo" / "videos" / "person_002.mp4").unlink()
    remaining = {shard_of("person_002.mp4", 3)} & shards(restored)
    assert restored.to_do() == chain("list_videos", remaining)


def set_key(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        *path, last = key.split(".")
        for part in path:
            config = config[part]
        config[last] = value

    return change


@pytest.mark.parametrize(
    ("key", "value", "first", "others"),
    [
        ("sampling.fps", 2, "sample_frames", set()),
        ("detection.score_threshold", 0.6, "detect_hands", set()),
        ("selection.min_box_px", 40, "balance_hands", set()),
        ("balance.seed", 1, "balance_hands", set()),
        ("crops.jpeg_quality", 80, "crop_hands", set()),
        ("keypoints.score_threshold", 0.6, "find_keypoints", set()),
        ("pools.demo.seed", 1, None, FROM_POOL),
        ("pools.demo.components", 12, None, {"embed_pool demo"} | QUERIES | FROM_NEIGHBOURS),
        ("pools.demo-half.components", 12, None, (HALF - {"draw_pool demo-half"}) | {"write_data_report", "all"}),
        ("pools.demo.neighbours", 2, None, QUERIES | FROM_NEIGHBOURS),
        ("pretraining.peclr.temperature", 0.4, None, FROM_PECLR),
        ("pretraining.peclr.workers", 1, None, set()),
        ("pretraining.peclr.checkpoint_every_steps", 7, None, set()),
        ("finetuning.learning_rate", 2e-3, None, FINETUNED | ERRORS),
        ("experiment.paper.few_labels", 20, None, set()),
        ("experiment.paper.ranks", [1, 3], None, set()),
        ("pools.demo.further_ranks", [4, 5], None, QUERIES | FROM_NEIGHBOURS),
        ("report.title", "Another title", None, REPORT | {"write_data_report"}),
        ("report.cases", 2, None, REPORT | {"write_data_report", "draw_hands demo"}),
    ],
)  # fmt: skip
def test_a_changed_value_reruns_its_stage_and_what_follows(
    restored: Checkout, key: str, value: Any, first: str | None, others: set[str]
) -> None:
    config = restored.config()
    set_key(key, value)(config)
    restored.write_config(config)
    assert restored.to_do() == (chain(first, shards(restored)) if first else others)


def test_edited_code_reruns_its_stage_and_looks_rerun_nothing(restored: Checkout) -> None:
    path = restored.folder / "simhand" / "mining" / "tree.py"
    text = path.read_text()
    path.write_text("# a comment\n" + text.replace('"""', '"""Edited. ', 1))
    assert restored.to_do() == set()
    path.write_text(text + "\n\nADDED = 1\n")
    assert restored.to_do() == QUERIES | {"mine_neighbours demo-half 0of1"} | FROM_NEIGHBOURS


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
