"""A small finished workflow: one source with a shard, a pool of six hands, and models with their metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simhand.files import arrow_writer, keypoints_column, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.reporting.inputs import Pool, Result, Shard
from simhand.tables import BALANCED, CROPS, KEYPOINTS, MEMBERS, NEIGHBOURS, VIDEO_STATUS

HANDS = 6


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    status = [("a.mp4", "ok", "", 10), ("b.mp4", "ok", "", 5), ("c.mp4", "corrupt", "cut <off>", 1)]
    rows = [{"video_id": v, "status": s, "reason": r, "frames": n} for v, s, r, n in status]
    write_parquet(pa.Table.from_pylist(rows, VIDEO_STATUS), tmp_path / "status.parquet", VIDEO_STATUS)
    sides = ["left"] * 4 + ["right"] * 3
    kept = [True] * 3 + [False] + [True] * 3
    rows = [{"hand_id": f"h{i}", "side": s, "kept": k} for i, (s, k) in enumerate(zip(sides, kept, strict=True))]
    write_parquet(pa.Table.from_pylist(rows, BALANCED), tmp_path / "balanced.parquet", BALANCED)
    rows = [
        {"hand_id": f"h{i}", "status": "found", "reason": "", "score": 0.9, "keypoints": [0.5] * 63} for i in range(5)
    ]
    rows.append({"hand_id": "h5", "status": "missed", "reason": "no hand", "score": None, "keypoints": None})
    write_parquet(pa.Table.from_pylist(rows, KEYPOINTS), tmp_path / "keypoints.parquet", KEYPOINTS)
    return Shard("wild", *(tmp_path / f"{name}.parquet" for name in ("status", "balanced", "keypoints")))


def _write_crops(path: Path, keys: list[dict[str, object]]) -> None:
    square = {name: 0.0 for name in CROPS.names if name.endswith(("1", "2"))}
    crops = [
        {**key, "frame_row": i, "frame_width": 64, "frame_height": 64, "flipped": False, **square,
         **dict.fromkeys(("side", "detected_side", "side_source"), "right"),
         "jpeg": encode_jpeg(np.full((64, 64, 3), 40 * i, np.uint8), 95)}
        for i, key in enumerate(keys)
    ]  # fmt: skip
    with arrow_writer(path, CROPS) as writer:
        writer.write_table(pa.Table.from_pylist(crops, CROPS))


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """Six hands, two a video, each of its own grey (40 x row); a hand's neighbour is the next video's first."""
    keys: list[dict[str, object]] = [
        {"hand_id": f"h{i}", "video_id": f"${i // 2}_$.mp4", "frame_index": i, "timestamp_s": 0.0} for i in range(HANDS)
    ]
    _write_crops(tmp_path / "crops" / "wild" / "0of1.arrow", keys)
    keypoints = np.random.default_rng(0).uniform(0.2, 0.8, (HANDS, 21, 3))
    rows = [
        {**k, "row": i, "source": "wild", "shard": "0of1", "shard_row": i, "side": "right", "visible": 1.0}
        for i, k in enumerate(keys)
    ]
    members = pa.Table.from_pylist(rows).append_column("keypoints", keypoints_column(keypoints))
    write_parquet(members.select(MEMBERS.names), tmp_path / "members.parquet", MEMBERS)
    rows = [{"row": i, "rank": 1, "neighbour": (i // 2 * 2 + 2) % HANDS, "distance": 0.25} for i in range(HANDS)]
    parts = [tmp_path / "0of2.parquet", tmp_path / "1of2.parquet"]
    for part, own in zip(parts, (rows[:3], rows[3:]), strict=True):
        write_parquet(pa.Table.from_pylist(own, NEIGHBOURS), part, NEIGHBOURS)
    return Pool("all", tmp_path / "members.parquet", parts)


@pytest.fixture
def make_result(tmp_path: Path) -> Callable[..., Result]:
    """Writes the metrics and the curve of a fine-tuned model."""

    def make(
        run: str, seed: int, mpjpe_mm: float, auc: float, *, labelled: str = "hands", percent: int = 100
    ) -> Result:
        name = f"{labelled}-{run}-{percent}-{seed}"
        result = Result(labelled, run, percent, seed, tmp_path / f"{name}.json", tmp_path / f"{name}.jsonl")
        metrics = {"mpjpe_mm": mpjpe_mm, "pa_mpjpe_mm": mpjpe_mm / 2, "pck_auc_20_50": auc, "n_images": 40}
        metrics["mean_pose_mpjpe_mm"] = 59.25
        result.metrics.write_text(json.dumps(metrics))
        epochs = [{"epoch": epoch, "mpjpe_mm": mpjpe_mm + 10 / epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)]
        result.training.write_text("".join(json.dumps(epoch) + "\n" for epoch in epochs))
        return result

    return make


@pytest.fixture
def pretraining(tmp_path: Path) -> dict[str, Path]:
    """Two runs of two epochs of two steps."""
    runs = {name: tmp_path / f"pretraining-{name}.jsonl" for name in ("simclr", "simhand")}
    for path in runs.values():
        lines = [{"step": step + 1, "epoch": step // 2, "loss": 4.0 - step, "learning_rate": 0.1} for step in range(4)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return runs
