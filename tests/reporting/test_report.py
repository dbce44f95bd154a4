from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from simhand.files import arrow_writer, keypoints_column, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.reporting.funnel import failed_videos, funnel, missed_hands
from simhand.reporting.inputs import Pool, ReportInputs, Result, Shard
from simhand.reporting.neighbours_sheet import neighbours_sheet
from simhand.reporting.page import Section, page
from simhand.reporting.report import write_report
from simhand.reporting.settings import ReportSettings
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


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """Six hands, two a video, each of its own grey; the neighbour of a hand is the next video's first."""
    key = [
        {"hand_id": f"h{i}", "video_id": f"v{i // 2}.mp4", "frame_index": i, "timestamp_s": 0.0} for i in range(HANDS)
    ]
    square = {name: 0.0 for name in CROPS.names if name.endswith(("1", "2"))}
    crops = [
        {**k, "frame_row": i, "side": "right", "flipped": False, **square,
         "jpeg": encode_jpeg(np.full((64, 64, 3), 40 * i, np.uint8), 95)}
        for i, k in enumerate(key)
    ]  # fmt: skip
    (tmp_path / "crops" / "wild").mkdir(parents=True)
    with arrow_writer(tmp_path / "crops" / "wild" / "0of1.arrow", CROPS) as writer:
        writer.write_table(pa.Table.from_pylist(crops, CROPS))
    keypoints = np.random.default_rng(0).uniform(0.2, 0.8, (HANDS, 21, 3))
    members = pa.Table.from_pylist(
        [{**k, "row": i, "source": "wild", "shard": "0of1", "shard_row": i, "side": "right"} for i, k in enumerate(key)]
    )
    members = members.append_column("keypoints", keypoints_column(keypoints)).select(MEMBERS.names)
    write_parquet(members, tmp_path / "members.parquet", MEMBERS)
    rows = [{"row": i, "rank": 1, "neighbour": (i // 2 * 2 + 2) % HANDS, "distance": 0.25} for i in range(HANDS)]
    write_parquet(pa.Table.from_pylist(rows, NEIGHBOURS), tmp_path / "neighbours.parquet", NEIGHBOURS)
    return Pool("all", tmp_path / "members.parquet", [tmp_path / "neighbours.parquet"])


def test_the_funnel_by_hand(shard: Shard, pool: Pool) -> None:
    counts = {(row["where"], row["what"]): row["count"] for row in funnel([shard], [pool]).to_dict("records")}
    assert counts["wild", "videos"] == 3
    assert counts["wild", "videos: ok"] == 2
    assert counts["wild", "videos: corrupt"] == 1
    assert counts["wild", "frames"] == 16
    assert (counts["wild", "hands found: left"], counts["wild", "hands found: right"]) == (4, 3)
    assert (counts["wild", "hands kept: left"], counts["wild", "hands kept: right"]) == (3, 3)
    assert (counts["wild", "crops"], counts["wild", "keypoints found"]) == (6, 5)
    assert counts["pool all", "hands"] == HANDS
    assert failed_videos([shard]).to_numpy().tolist() == [["wild", "c.mp4", "corrupt", "cut <off>", 1]]
    assert missed_hands([shard]).to_numpy().tolist() == [["wild", "no hand", 1]]


def test_the_whole_report(tmp_path: Path, shard: Shard, pool: Pool) -> None:
    metrics = {"mpjpe_mm": 20.0, "pa_mpjpe_mm": 9.0, "pck_auc_20_50": 0.75, "n_images": 4}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "training.jsonl").write_text('{"epoch": 1, "mpjpe_mm": 50.0}\n{"epoch": 2, "mpjpe_mm": 40.0}\n')
    (tmp_path / "run.jsonl").write_text('{"step": 1, "loss": 4.0}\n{"step": 2, "loss": 3.0}\n')
    result = Result("labels", "none", 100, 0, tmp_path / "metrics.json", tmp_path / "training.jsonl")
    inputs = ReportInputs([result], {"simhand": tmp_path / "run.jsonl"}, [shard], [pool], tmp_path / "crops")
    settings = ReportSettings(title="Hands & <videos>", queries=3)
    write_report(inputs, settings, tmp_path / "report")
    first = {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()}
    write_report(inputs, settings, tmp_path / "report")
    assert {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()} == first

    html = first["index.html"].decode()
    assert "Hands &amp; &lt;videos&gt;" in html
    assert "cut &lt;off&gt;" in html
    assert html.count("data:image/png;base64,") == 3
    assert "http" not in html
    with (tmp_path / "report" / "table.csv").open() as file:
        assert next(csv.DictReader(file))["mpjpe_mm"] == "20.0"
    assert b"without pre-training" in first["table.md"]


def test_the_sheet_shows_the_query_beside_its_neighbour(tmp_path: Path, shard: Shard, pool: Pool) -> None:
    neighbours_sheet(pool, tmp_path / "crops", 3, 0, tmp_path / "sheet.png")
    image = cv2.imread(str(tmp_path / "sheet.png"))
    greys = {int(value) for value in np.unique(image[(image == image[..., :1]).all(axis=2)])}
    shown = {i for i in range(HANDS) if any(abs(grey - 40 * i) <= 2 for grey in greys)}
    assert {0, 2, 4} <= shown  # the neighbours, the first hand of each video


def test_a_page_escapes_what_it_shows() -> None:
    html = page("<t>", "<l>", [Section("<h>", "<x>", [])])
    for name in ("t", "l", "h", "x"):
        assert f"&lt;{name}&gt;" in html
