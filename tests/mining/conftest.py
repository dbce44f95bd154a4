"""Made-up shards: tables as the earlier stages write them, without images worth looking at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simhand.files import arrow_writer, write_parquet
from simhand.mining.pool import ShardTables
from simhand.stable import stable_hash
from simhand.tables import CROPS, KEYPOINTS, VIDEO_STATUS

WriteShard = Callable[..., ShardTables]


def _keypoints_of(hand_id: str) -> np.ndarray:
    return np.random.default_rng(stable_hash(hand_id)).uniform(size=(21, 3)).astype(np.float32)


def _write_crops(path: Path, hands: list[tuple[str, str, int]]) -> None:
    count = len(hands)
    columns = {
        "hand_id": [hand for hand, _, _ in hands],
        "video_id": [video for _, video, _ in hands],
        "frame_index": [frame for _, _, frame in hands],
        "timestamp_s": [float(frame) for _, _, frame in hands],
        "frame_row": list(range(count)),
        **{name: ["right"] * count for name in ("side", "detected_side", "side_source")},
        "flipped": [False] * count,
        "jpeg": [b"not looked at"] * count,
    }
    numbers = {field.name: np.zeros(count, np.float32) for field in CROPS if field.name not in columns}
    far = {name: np.full(count, 224, np.float32) for name in numbers if name.endswith(("2", "width", "height"))}
    with arrow_writer(path, CROPS) as writer:
        writer.write_table(pa.table(columns | numbers | far).select(CROPS.names).cast(CROPS))


def _write_keypoints(path: Path, hands: list[str], missed: set[str], keypoints: Mapping[str, np.ndarray]) -> None:
    lists = [None if hand in missed else keypoints.get(hand, _keypoints_of(hand)).ravel().tolist() for hand in hands]
    columns = {
        "hand_id": hands,
        "status": ["missed" if hand in missed else "found" for hand in hands],
        "reason": ["no hand" if hand in missed else "" for hand in hands],
        "score": [0.9] * len(hands),
        "keypoints": lists,
    }
    write_parquet(pa.table(columns), path, KEYPOINTS)


@pytest.fixture
def write_shard(tmp_path: Path) -> WriteShard:
    """Writes a shard: videos with so many hands each, some of them missed, and videos that failed (video -> status).

    `hand_id` is "{video}_{k}"; hand k lies in frame 30 k. Keypoints are random but for those given.
    """

    def write(
        source: str,
        shard: str,
        videos: Mapping[str, int],
        *,
        missed: set[str] = frozenset(),  # type: ignore[assignment]
        failed: Mapping[str, str] | None = None,
        keypoints: Mapping[str, np.ndarray] | None = None,
    ) -> ShardTables:
        tables = ShardTables(
            source,
            shard,
            statuses=tmp_path / f"{source}_{shard}.status.parquet",
            crops=tmp_path / f"{source}_{shard}.arrow",
            keypoints=tmp_path / f"{source}_{shard}.parquet",
        )
        hands = [(f"{video}_{k}", video, 30 * k) for video, count in videos.items() for k in range(count)]
        _write_crops(tables.crops, hands)
        _write_keypoints(tables.keypoints, [hand for hand, _, _ in hands], missed, keypoints or {})
        status = {**dict.fromkeys(videos, "ok"), **(failed or {})}
        columns = {
            "video_id": list(status),
            "status": list(status.values()),
            "reason": ["" if word in ("ok", "empty") else f"made {word}" for word in status.values()],
            "fps": pa.nulls(len(status), pa.float64()),
            "duration_s": pa.nulls(len(status), pa.float64()),
            "frames": [1] * len(status),
        }
        write_parquet(pa.table(columns), tables.statuses, VIDEO_STATUS)
        return tables

    return write
