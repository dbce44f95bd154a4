"""Stores of crops as stage 5 writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.files import arrow_writer
from simhand.pretraining.pool import Pool
from simhand.tables import CROPS

SHARDS = 16


def write_store(folder: Path, jpegs: list[bytes], keypoints: np.ndarray | None = None) -> Pool:
    """A pool of crops in shards; keypoints (n, 21, 2) in crop units, all 0 where there are none."""
    shards = np.array_split(np.arange(len(jpegs)), SHARDS)
    paths = tuple(folder / f"{number:02d}.arrow" for number in range(SHARDS))
    for path, rows in zip(paths, shards, strict=True):
        columns = {f.name: [""] * len(rows) if f.type == pa.string() else np.zeros(len(rows)) for f in CROPS}
        table = pa.table({**columns, "jpeg": [jpegs[row] for row in rows]}).cast(CROPS)
        with arrow_writer(path, CROPS) as writer:
            writer.write_table(table, max_chunksize=256)
    store = np.repeat(np.arange(SHARDS, dtype=np.int32), [len(rows) for rows in shards])
    store_row = np.concatenate([np.arange(len(rows), dtype=np.int32) for rows in shards])
    return Pool(paths, store, store_row, np.zeros((len(jpegs), 21, 2), np.float32) if keypoints is None else keypoints)
