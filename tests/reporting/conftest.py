"""A small finished workflow: one source with a shard, a pool of six hands, and models with their metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from matplotlib.figure import Figure

from simhand.files import arrow_writer, keypoints_column, open_arrow, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.joints import FINGERS
from simhand.mining.settings import NeighbourSettings
from simhand.paper.planning import Configured, paper_table
from simhand.paper.settings import PaperSettings
from simhand.pretraining.card import RunFacts, card_text, encoder_card
from simhand.pretraining.order import Plan
from simhand.pretraining.pool import Pool as PretrainingPool
from simhand.pretraining.settings import PretrainingSettings
from simhand.reporting import conditions, curves, data_figures, hands_sheet, joints, label_shares, pairs_sheet
from simhand.reporting.data_inputs import Pool, Shard
from simhand.reporting.figures import save_png
from simhand.reporting.inputs import PaperErrors, Result, Run
from simhand.tables import BALANCED, CROPS, FRAMES, HANDS, KEYPOINTS, MEMBERS, NEIGHBOURS, PREDICTIONS, VIDEO_STATUS

HANDS_IN_POOL = 6


@dataclass
class Hand:
    """A hand of a made-up shard: where it comes from, and how far it comes."""

    video: str
    side: str
    dropped: str = ""  # why it is not kept
    cropped: bool = True
    missed: str = ""  # why it has no keypoints
    outside: int = 0  # keypoints outside the frame, of 21
    frame: int = 0
    contact: str | None = None
    with_object: bool = False


WriteShard = Callable[..., Shard]


def _crop_row(i: int, hand: Hand, grey: int) -> dict[str, object]:
    corners = {"x1": 10.0, "y1": 20.0, "x2": 42.0, "y2": 36.0}  # 32 px of 64
    square = {f"square_{name}": 0.0 if name.endswith("1") else 64.0 for name in corners}
    return {
        **{"hand_id": f"h{i}", "video_id": hand.video, "frame_index": hand.frame, "timestamp_s": 0.0},
        **{"frame_row": hand.frame, "frame_width": 64, "frame_height": 64, "flipped": False, **corners},
        **{"side": hand.side, "detected_side": hand.side.title(), "side_source": "made up"},
        **{**square, "jpeg": encode_jpeg(np.full((64, 64, 3), grey, np.uint8), 95)},
    }


def _keypoints_of(hand: Hand, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(0.2, 0.8, (21, 3)).astype(np.float32)
    points[: hand.outside, 0] += 1
    return points


def _write_frames(path: Path, hands: Sequence[Hand]) -> None:
    """Frames of 64 px by number, a hand's being that of its video."""
    videos = {hand.frame: hand.video for hand in hands}
    jpeg = encode_jpeg(np.full((64, 64, 3), 200, np.uint8), 95)
    rows = [
        {"video_id": videos.get(i, ""), "frame_index": i, "timestamp_s": 0.0, "jpeg": jpeg}
        for i in range(max(videos, default=-1) + 1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with arrow_writer(path, FRAMES) as writer:
        writer.write_table(pa.Table.from_pylist(rows, FRAMES))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures as they are written."""
    figures: list[Figure] = []

    def keep(figure: Figure, path: Path) -> None:
        figures.append(figure)
        save_png(figure, path)

    for module in (conditions, curves, data_figures, hands_sheet, joints, label_shares, pairs_sheet):
        monkeypatch.setattr(module, "save_png", keep)
    return figures


@pytest.fixture
def write_shard(tmp_path: Path) -> WriteShard:
    """Writes the tables of a shard of one source; a video's status is "ok" unless given, with one frame each."""

    def write(source: str, name: str, hands: list[Hand], statuses: dict[str, tuple[str, str, int]]) -> Shard:
        folder = tmp_path / source
        rows = [{"video_id": v, "status": s, "reason": r, "frames": n} for v, (s, r, n) in statuses.items()]
        write_parquet(pa.Table.from_pylist(rows, VIDEO_STATUS), folder / f"{name}.status.parquet", VIDEO_STATUS)
        rows = [
            {**_crop_row(i, hand, 40 * i % 250), "score": 0.75, "contact": hand.contact}
            | ({"object_score": 0.5} if hand.with_object else {})
            for i, hand in enumerate(hands)
        ]
        found = pa.Table.from_pylist([{k: r[k] for k in HANDS.names if k in r} for r in rows], HANDS)
        write_parquet(found, folder / f"{name}.hands.parquet", HANDS)
        lines = [
            {"hand_id": f"h{i}", "side": hand.side, "kept": not hand.dropped, "dropped": hand.dropped}
            for i, hand in enumerate(hands)
        ]
        write_parquet(pa.Table.from_pylist(lines, BALANCED), folder / f"{name}.balanced.parquet", BALANCED)
        cropped = [i for i, hand in enumerate(hands) if hand.cropped and not hand.dropped]
        crops = tmp_path / "crops" / source / f"{name}.arrow"
        crops.parent.mkdir(parents=True, exist_ok=True)
        with arrow_writer(crops, CROPS) as writer:
            writer.write_table(pa.Table.from_pylist([{k: rows[i][k] for k in CROPS.names} for i in cropped], CROPS))
        lines = []
        for i in cropped:
            reason = hands[i].missed
            keypoints = None if reason else _keypoints_of(hands[i], i).ravel().tolist()
            status, score = ("missed", None) if reason else ("found", 0.5)
            lines.append(
                {"hand_id": f"h{i}", "status": status, "reason": reason, "score": score, "keypoints": keypoints}
            )
        write_parquet(pa.Table.from_pylist(lines, KEYPOINTS), folder / f"{name}.keypoints.parquet", KEYPOINTS)
        _write_frames(tmp_path / "frames" / source / f"{name}.arrow", hands)
        status, hands_path, balanced, keypoints_path = (
            folder / f"{name}.{kind}.parquet" for kind in ("status", "hands", "balanced", "keypoints")
        )
        return Shard(source, status, hands_path, balanced, crops, keypoints_path)

    return write


@pytest.fixture
def shard(write_shard: WriteShard) -> Shard:
    """Where everything happens: ten hands in three videos, of which one is damaged, and an empty one."""
    hands = [
        *(Hand("$a_$.mp4", "left", frame=i) for i in range(2)),
        *(Hand("b.mp4", "right", frame=2) for _ in range(2)),
        *(Hand("c.mp4", "left", frame=3) for _ in range(2)),
        Hand("b.mp4", "left", dropped="balance", frame=4),
        Hand("b.mp4", "right", cropped=False, frame=4),
        Hand("b.mp4", "right", missed="no hand", frame=5),
        Hand("c.mp4", "right", outside=7, frame=6),
    ]
    statuses = {
        "$a_$.mp4": ("ok", "", 10),
        "b.mp4": ("ok", "", 5),
        "c.mp4": ("corrupt", "cut <off>", 1),
        "d.mp4": ("empty", "no frame", 0),
    }
    return write_shard("wild", "0of1", hands, statuses)


@pytest.fixture
def pool(tmp_path: Path, shard: Shard) -> Pool:
    """The first six hands, two a video, each of its own grey; a hand's neighbour is the next video's first."""
    crops = open_arrow(shard.crops, CROPS).slice(0, HANDS_IN_POOL)
    keypoints = np.stack([_keypoints_of(Hand("", ""), row) for row in range(HANDS_IN_POOL)])
    rows = [
        {**key, "row": i, "source": "wild", "shard": "0of1", "shard_row": i, "visible": 1.0}
        for i, key in enumerate(crops.drop_columns("jpeg").to_pylist())
    ]
    rows = [{name: row[name] for name in MEMBERS.names if name in row} for row in rows]
    members = pa.Table.from_pylist(rows).append_column("keypoints", keypoints_column(keypoints))
    write_parquet(members.select(MEMBERS.names), tmp_path / "members.parquet", MEMBERS)
    rows = [
        {"row": i, "rank": 1, "neighbour": (i // 2 * 2 + 2) % HANDS_IN_POOL, "distance": 0.25 * (i + 1)}
        for i in range(HANDS_IN_POOL)
    ]
    parts = [tmp_path / "0of2.parquet", tmp_path / "1of2.parquet"]
    for part, own in zip(parts, (rows[:3], rows[3:]), strict=True):
        write_parquet(pa.Table.from_pylist(own, NEIGHBOURS), part, NEIGHBOURS)
    np.savez(tmp_path / "pca.npz", explained_variance_ratio=np.array([0.5, 0.25]))
    np.save(tmp_path / "embeddings.npy", np.arange(2 * HANDS_IN_POOL, dtype=np.float32).reshape(-1, 2))
    files = tmp_path / "members.parquet", tmp_path / "pca.npz", tmp_path / "embeddings.npy"
    return Pool("all", ["wild"], 0.9, *files, parts)


TRUE_MM = np.stack([np.linspace(0, 80, 21), np.linspace(0, 60, 21), np.full(21, 400.0)], axis=1)  # (21, 3)


def write_predictions(path: Path, errors_mm: Sequence[float], right_px: float = 2.0) -> None:
    """Hands whose joints, but those that they are aligned by, are so deep behind their place that this is the MPJPE.

    Hand i is in recording i and in images/i.jpg, at (u, v) = x + 20, y + 10; the predicted one lies `right_px` beside.
    """
    count = len(errors_mm)
    predicted_mm = np.repeat(TRUE_MM[None], count, axis=0)
    moved = [joint for joint in range(21) if joint not in (0, 9)]
    predicted_mm[:, moved, 2] += 21 / 19 * np.array(errors_mm)[:, None]
    true_px = np.repeat(TRUE_MM[None, :, :2] + np.array([20.0, 10.0]), count, axis=0)
    table = {
        "name": [f"hand {i}" for i in range(count)],
        "image": [f"images/{i}.jpg" for i in range(count)],
        "flipped": [i % 2 == 1 for i in range(count)],
        "sequence": list(range(count)),
        "view": [""] * count,
        "hidden": [None] * count,
        "seen": [[True] * 21] * count,
        **{name: keypoints_column(predicted_mm) for name in ("predicted_mm", "mean_mm", "absolute_mm")},
        "true_mm": keypoints_column(np.repeat(TRUE_MM[None], count, axis=0)),
        **{"predicted_px": keypoints_column(true_px + np.array([right_px, 0.0])), "true_px": keypoints_column(true_px)},
    }
    columns = [pa.array(table[field.name], field.type) for field in PREDICTIONS]
    write_parquet(pa.table(columns, schema=PREDICTIONS), path, PREDICTIONS)


@pytest.fixture
def make_result(tmp_path: Path) -> Callable[..., Result]:
    """Writes the metrics and the curve of a fine-tuned model."""

    def make(
        run: str, seed: int, mpjpe_mm: float, auc: float, *, labelled: str = "hands", percent: int = 100
    ) -> Result:
        name = f"{labelled}-{run}-{percent}-{seed}"
        files = (tmp_path / f"{name}.{kind}" for kind in ("json", "parquet", "jsonl"))
        result = Result(labelled, run, percent, seed, *files)
        metrics: dict[str, Any] = {"mpjpe_mm": mpjpe_mm, "pa_mpjpe_mm": mpjpe_mm / 2, "mean_pose_mpjpe_mm": 59.25}
        metrics |= {"pck_auc_20_50": auc, "pck_auc_0_50": auc / 2, "n_images": 40}
        metrics["per_finger_mm"] = {finger: mpjpe_mm + place for place, finger in enumerate(FINGERS)}
        metrics["per_joint_mm"] = [0.0, *[mpjpe_mm] * 20]  # hands are aligned at the wrist
        write_predictions(result.predictions, [mpjpe_mm] * 4)
        result.metrics.write_text(json.dumps(metrics))
        epochs = [{"epoch": epoch, "mpjpe_mm": mpjpe_mm + 10 / epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)]
        result.training.write_text("".join(json.dumps(epoch) + "\n" for epoch in epochs))
        return result

    return make


@pytest.fixture
def paper(make_result: Callable[..., Result]) -> PaperErrors:
    """Table 1 with two seeds of three models on two labelled sets; errors rise by 2 mm a line, 10 a set, 1 a seed."""
    runs = {name: PretrainingSettings.model_validate({"method": name, "pool": "all"}) for name in ("simclr", "simhand")}
    settings = PaperSettings(
        methods={"SimCLR": "simclr", "SiMHand": "simhand"},
        pools={"Ego-1M": "all"},
        labelled={"FreiHAND": "x", "AssemblyHands": "y"},
    )
    table = paper_table("table1", Configured(settings, runs, {"all": NeighbourSettings()}))
    lowest = [20.0, 22.0, 24.0, 30.0, 32.0, 34.0]
    results = [
        make_result(cell.run, seed, error_mm + seed, 0.5, labelled=cell.labelled)
        for cell, error_mm in zip(table.cells(), lowest, strict=True)
        for seed in (0, 1)
    ]
    return PaperErrors.of(table, [result.metrics for result in results], [result.predictions for result in results])


def _line(step: int) -> dict[str, float]:
    values = {"loss": 4.0 - step, "learning_rate": 0.1 * step, "gradient_norm": 1.0 + step}
    return {"step": step + 1, "epoch": step // 2, **values, "images_per_s": 50.0, "data_wait_fraction": 0.25}


def _pairs(path: Path) -> None:
    """Eight pairs in a view of 32 px: pair i has the grey 20 i, its positive 10 more; keypoints on a diagonal."""
    greys = np.arange(8)[:, None] * 20 + np.array([0, 10])
    images = np.broadcast_to(greys[..., None, None, None], (8, 2, 32, 32, 3)).astype(np.uint8)
    keypoints_px = np.broadcast_to(np.linspace(8, 24, 21)[:, None], (8, 2, 21, 2)).astype(np.float32)
    np.savez(path, images=images, keypoints_px=keypoints_px, rows=np.arange(8) * 1000)


@pytest.fixture
def pretraining(tmp_path: Path) -> dict[str, Run]:
    """Two runs of two epochs of two steps of two pairs, the second with a weighted loss."""
    runs = {}
    crops = PretrainingPool((), np.zeros(5, np.int32), np.zeros(5, np.int32), np.zeros((5, 21, 2), np.float32))
    for name in ("simclr", "simhand"):
        run = Run(*(tmp_path / f"pretraining-{name}.{kind}" for kind in ("jsonl", "json", "npz")))
        run.metrics.write_text("".join(json.dumps(_line(step)) + "\n" for step in range(4)))
        weighting = {"simclr": "none", "simhand": "linear"}[name]
        values = {"method": name, "pool": "all", "weighting": weighting, "epochs": 2, "warmup_epochs": 1.0}
        settings = PretrainingSettings.model_validate(values)
        facts = RunFacts(
            settings, Plan(5, 2, 2, 1.0), crops, "d1935", "random", torch.device("cpu"), "c0de", run.metrics
        )
        run.card.write_text(card_text(encoder_card(facts, 2048)))
        _pairs(run.pairs)
        runs[name] = run
    return runs
