"""A made-up pool: small crops with coloured spots where the keypoints are, in two sources and three shards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor
from torchvision.io import encode_jpeg

from simhand.files import arrow_writer, keypoints_column, write_parquet
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs
from simhand.tables import CROPS, MEMBERS, NEIGHBOURS

SIDE_PX = 64
SHARDS = (("ego", "0of2"), ("ego", "1of2"), ("exo", "0of1"))


@dataclass(frozen=True)
class MadeUpPool:
    members: Path
    neighbours: list[Path]
    crops: Path
    keypoints: np.ndarray  # (n, 21, 3), crop units
    images: list[Tensor]  # uint8 (3, 64, 64), before JPEG


def _spots(keypoints: np.ndarray, colours: np.ndarray) -> Tensor:
    """Soft spots at keypoints (21, 2) in crop units, uint8 (3, side, side)."""
    centres = (np.arange(SIDE_PX) + 0.5) / SIDE_PX
    x, y = (np.exp(-(((centres - keypoints[:, axis, None]) / 0.05) ** 2)) for axis in (0, 1))  # (21, side)
    image = np.einsum("jc,jy,jx->cyx", colours, y, x)
    return torch.from_numpy(np.clip(image, 0, 255).astype(np.uint8))


def _rows_of(schema: pa.Schema, count: int, columns: dict[str, Any]) -> pa.Table:
    """A table of `schema`; columns that are not given hold zeros or empty text."""
    empty = {field.name: [pa.scalar("" if field.type == pa.string() else 0).cast(field.type)] * count
             for field in schema if field.name not in columns}  # fmt: skip
    return pa.table({**columns, **empty}).select(schema.names).cast(schema)


def _write_pool(folder: Path, hands: int) -> MadeUpPool:
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0.2, 0.8, (hands, 21, 3)).astype(np.float32)
    images = [_spots(points, rng.uniform(60, 250, (21, 3))) for points in keypoints]
    jpegs = [encode_jpeg(image, quality=98).numpy().tobytes() for image in images]
    shard = np.arange(hands) % len(SHARDS)
    for number, (source, name) in enumerate(SHARDS):
        rows = np.flatnonzero(shard == number)
        columns = {"hand_id": [f"hand{row}" for row in rows], "jpeg": [jpegs[row] for row in rows]}
        with arrow_writer(folder / "crops" / source / f"{name}.arrow", CROPS) as writer:
            writer.write_table(_rows_of(CROPS, len(rows), columns), max_chunksize=2)
    members = {
        "row": np.arange(hands),
        "hand_id": [f"hand{row}" for row in range(hands)],
        "source": [SHARDS[number][0] for number in shard],
        "shard": [SHARDS[number][1] for number in shard],
        "shard_row": np.arange(hands) // len(SHARDS),
        "frame_index": np.arange(hands),
        "timestamp_s": np.arange(hands) * 1.0,  # a hand a second of one video
        "keypoints": keypoints_column(keypoints),
    }
    write_parquet(_rows_of(MEMBERS, hands, members), folder / "members.parquet", MEMBERS)
    paths = [folder / f"neighbours{part}.parquet" for part in (0, 1)]
    for part, path in enumerate(paths):  # the neighbour of rank r is r rows further on
        rows = np.repeat(np.arange(part, hands, 2), 2)
        ranks = np.tile([1, 2], len(rows) // 2)
        columns = {"row": rows, "rank": ranks, "neighbour": (rows + ranks) % hands}
        write_parquet(_rows_of(NEIGHBOURS, len(rows), columns), path, NEIGHBOURS)
    return MadeUpPool(folder / "members.parquet", paths, folder / "crops", keypoints, images)


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> MadeUpPool:
    return _write_pool(tmp_path_factory.mktemp("pool"), hands=26)


@pytest.fixture(scope="session")
def write_pool() -> Callable[..., MadeUpPool]:
    """Writes a pool that a test may damage."""
    return _write_pool


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., pa.Table]:
    return _rows_of


@pytest.fixture(scope="session")
def small_settings() -> Callable[..., PretrainingSettings]:
    """Settings of a run that takes seconds."""

    def make(**changes: Any) -> PretrainingSettings:
        small = {"encoder": "resnet18", "image_size": 32, "batch_size": 8, "epochs": 10, "warmup_epochs": 1.0}
        fixed = {"pool": "made-up", "device": "cpu", "projection_hidden": 32, "projection_dim": 16}
        return PretrainingSettings.model_validate({"method": "simhand", **small, **fixed, **changes})

    return make


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path / "encoder.pt", tmp_path / "metrics.jsonl", tmp_path / "checkpoints")
