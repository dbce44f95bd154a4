"""Two million hands: a pool drawn, embedded, one of 16 shards of it mined, and the data report of all.

    python -m benchmarks.pool

writes made-up tables of 256 shards (real poses before moving cameras; needs SIMHAND_SHARED), then runs
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
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.hand_like import hand_like_keypoints
from simhand.files import arrow_writer, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.mining.knn import mine_neighbours
from simhand.mining.pca import embed_pool
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import PoolSettings
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.data_report import write_data_report
from simhand.reporting.settings import ReportSettings
from simhand.tables import BALANCED, CROPS, HANDS, KEYPOINTS, VIDEO_STATUS

JPEG = encode_jpeg(np.full((32, 32, 3), 90, np.uint8), 50)


def write_shards(folder: Path, hands: int, shards: int) -> None:
    """The tables of stages 2 to 6, a file of each kind a shard."""
    keypoints, videos = hand_like_keypoints(hands)
    for shard in range(shards):
        rows = np.flatnonzero(videos % shards == shard)
        tables = shard_tables(folder, shard, shards)
        ids = [f"wild/{videos[row] % 100:02d}/{videos[row]:011d}.mp4#{row}.0" for row in rows]
        count = len(rows)
        known = {"hand_id": ids, "video_id": [name.rsplit("#")[0] for name in ids], "side": ["right"] * count}
        known |= {name: np.full(count, 1e6) for name in ("frame_width", "frame_height", "square_x2", "square_y2")}
        known |= {"frame_index": rows, "frame_row": np.arange(count), "jpeg": [JPEG] * count, "kept": [True] * count}
        with arrow_writer(tables.crops, CROPS) as writer:
            writer.write_table(filled(CROPS, known, count), max_chunksize=256)
        write_parquet(filled(HANDS, known, count), folder / "hands" / tables.keypoints.name, HANDS)
        write_parquet(filled(BALANCED, known, count), folder / "balanced" / tables.keypoints.name, BALANCED)
        points = np.concatenate([keypoints[rows], np.zeros((count, 21, 1), np.float32)], axis=2).reshape(-1)
        found = {"hand_id": ids, "status": ["found"] * count, "reason": [""] * count, "score": np.full(count, 0.9)}
        lists = pa.ListArray.from_arrays(np.arange(0, 63 * count + 1, 63, dtype=np.int32), points)
        write_parquet(pa.table({**found, "keypoints": lists}), tables.keypoints, KEYPOINTS)
        status = {"video_id": sorted(set(known["video_id"])), "status": ["ok"] * len(set(known["video_id"]))}
        write_parquet(filled(VIDEO_STATUS, status, len(status["status"])), tables.statuses, VIDEO_STATUS)


def filled(schema: pa.Schema, known: dict[str, Any], count: int) -> pa.Table:
    """A table of `schema`; columns that are not known hold nulls where they may, or zeros or empty text."""
    return pa.table({field.name: known.get(field.name, _empty(field, count)) for field in schema}).cast(schema)


def _empty(field: pa.Field, count: int) -> pa.Array | list[str] | np.ndarray:
    if field.nullable:
        return pa.nulls(count, field.type)
    return [""] * count if field.type == pa.string() else np.zeros(count)


def shard_tables(folder: Path, shard: int, shards: int) -> ShardTables:
    """Where the tables of a shard lie."""
    name = f"{shard:03d}of{shards:03d}"
    return ShardTables(
        "wild", name, folder / f"{name}.status.parquet", folder / "wild" / f"{name}.arrow", folder / f"{name}.parquet"
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
    elif stage == "mine":
        mine_neighbours(embeddings, members, settings, 0, folder / "neighbours.parquet", pool="large", workers=2)
    else:
        write_data_report(report_inputs(folder, shards), ReportSettings(gallery_frames=0), folder / "report")


def report_inputs(folder: Path, shards: int) -> DataInputs:
    """What the data report reads; of the neighbours the one shard that was mined."""
    found = []
    for shard in range(shards):
        own = shard_tables(folder, shard, shards)
        hands, balanced = (folder / name / Path(own.keypoints).name for name in ("hands", "balanced"))
        found.append(Shard("wild", Path(own.statuses), hands, balanced, Path(own.crops), Path(own.keypoints)))
    files = folder / "members.parquet", folder / "pca.npz", folder / "embeddings.npy"
    return DataInputs(found, [Pool("large", ["wild"], 0.0, *files, [folder / "neighbours.parquet"])], folder, folder)


def main(hands: int, shards: int) -> None:
    """Prints a line a stage."""
    with tempfile.TemporaryDirectory() as name:
        write_shards(Path(name), hands, shards)
        for stage in ("draw", "embed", "mine", "report"):
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
