"""Stages 7 to 9 at the paper's scale: a pool of two million hands drawn, embedded, and one of 16 shards of it mined.

    python -m benchmarks.pool

writes made-up tables of 256 shards (real poses before moving cameras; no images; needs SIMHAND_SHARED), then runs
each stage in a process of its own and prints its time and peak memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.hand_like import hand_like_keypoints
from simhand.files import arrow_writer, write_parquet
from simhand.mining.knn import mine_neighbours
from simhand.mining.pca import embed_pool
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import PoolSettings
from simhand.tables import CROPS, KEYPOINTS, VIDEO_STATUS


def write_shards(folder: Path, hands: int, shards: int) -> None:
    """The tables that drawing reads, a file of each kind a shard."""
    keypoints, videos = hand_like_keypoints(hands)
    for shard in range(shards):
        rows = np.flatnonzero(videos % shards == shard)
        tables = shard_tables(folder, shard, shards)
        ids = [f"wild/{videos[row] % 100:02d}/{videos[row]:011d}.mp4#{row}.0" for row in rows]
        count = len(rows)
        known = {"hand_id": ids, "video_id": [name.rsplit("#")[0] for name in ids], "side": ["right"] * count}
        known |= {name: np.full(count, 1e6) for name in ("frame_width", "frame_height", "square_x2", "square_y2")}
        columns = {f.name: [""] * count if f.type in (pa.string(), pa.binary()) else np.zeros(count) for f in CROPS}
        with arrow_writer(tables.crops, CROPS) as writer:
            writer.write_table(pa.table(columns | known | {"frame_index": rows}).cast(CROPS))
        points = np.concatenate([keypoints[rows], np.zeros((count, 21, 1), np.float32)], axis=2).reshape(-1)
        found = {"hand_id": ids, "status": ["found"] * count, "reason": [""] * count, "score": np.full(count, 0.9)}
        lists = pa.ListArray.from_arrays(np.arange(0, 63 * count + 1, 63, dtype=np.int32), points)
        write_parquet(pa.table({**found, "keypoints": lists}), tables.keypoints, KEYPOINTS)
        write_parquet(VIDEO_STATUS.empty_table(), tables.statuses, VIDEO_STATUS)


def shard_tables(folder: Path, shard: int, shards: int) -> ShardTables:
    """Where the tables of a shard lie."""
    name = f"{shard:03d}of{shards:03d}"
    return ShardTables(
        "wild", name, folder / f"{name}.status.parquet", folder / f"{name}.arrow", folder / f"{name}.parquet"
    )


def run_stage(stage: str, folder: Path, shards: int) -> None:
    """One stage, in this process."""
    settings = PoolSettings(sources=("wild",), query_shards=16)
    members, embeddings = folder / "members.parquet", folder / "embeddings.npy"
    if stage == "draw":
        tables = [shard_tables(folder, shard, shards) for shard in range(shards)]
        draw_pool(tables, settings, members, pool="large")
    elif stage == "embed":
        embed_pool(members, settings, folder / "pca.npz", embeddings, pool="large")
    else:
        mine_neighbours(embeddings, members, settings, 0, folder / "neighbours.parquet", pool="large", workers=2)


def main(hands: int, shards: int) -> None:
    """Prints a line a stage."""
    with tempfile.TemporaryDirectory() as name:
        write_shards(Path(name), hands, shards)
        for stage in ("draw", "embed", "mine"):
            started = time.perf_counter()
            command = [
                sys.executable,
                "-m",
                "benchmarks.pool",
                "--stage",
                stage,
                "--folder",
                name,
                "--shards",
                str(shards),
            ]
            process = subprocess.Popen(command)
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                raise SystemExit(f"{stage} failed")
            print(f"{stage}: {time.perf_counter() - started:.1f} s, {usage.ru_maxrss / 1024:.0f} MB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hands", type=int, default=2_000_000)
    parser.add_argument("--shards", type=int, default=256)
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stage:
        run_stage(args.stage, args.folder, args.shards)
    else:
        main(args.hands, args.shards)
