"""Made-up hands and frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simhand.files import arrow_writer, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.tables import BALANCED, FRAMES, HANDS


def hand(
    hand_id: str, *, side: str = "right", box: tuple = (10, 10, 30, 30), frame_row: int = 0, **others: Any
) -> dict[str, Any]:
    """A row of HANDS; `others` are further columns."""
    key = {
        "hand_id": hand_id,
        "video_id": "v.mp4",
        "frame_index": frame_row,
        "timestamp_s": 1.0,
        "frame_row": frame_row,
        "frame_width": 64,
        "frame_height": 48,
    }
    corners = dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
    sides = {"side": side, "detected_side": side.title(), "side_source": "made up"}
    return {**key, **corners, **sides, "score": 0.9, "contact": None, **others}


def write_shard(folder: Path, images: list[np.ndarray], hands: list[dict], kept: list[bool] | None = None) -> None:
    """frames.arrow, hands.parquet and balanced.parquet of a made-up shard."""
    jpegs = [encode_jpeg(image, 100) for image in images]
    frames = [
        {"video_id": "v.mp4", "frame_index": i, "timestamp_s": float(i), "jpeg": jpeg} for i, jpeg in enumerate(jpegs)
    ]
    with arrow_writer(folder / "frames.arrow", FRAMES) as writer:
        writer.write_table(pa.Table.from_pylist(frames, FRAMES))
    write_parquet(pa.Table.from_pylist(hands, HANDS), folder / "hands.parquet", HANDS)
    keep = kept or [True] * len(hands)
    rows = [
        {"hand_id": h["hand_id"], "side": h["side"], "kept": k, "dropped": "" if k else "balance"}
        for h, k in zip(hands, keep, strict=True)
    ]
    write_parquet(pa.Table.from_pylist(rows, BALANCED), folder / "balanced.parquet", BALANCED)
