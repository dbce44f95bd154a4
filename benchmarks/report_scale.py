"""What the data report takes of time and memory for a pool of millions of hands.

    python -m benchmarks.report_scale CHECKOUT --hands 2000000

repeats the tables of a finished run's first pool, in shards as large as those of a large source, each hand with its own
keypoints and embedding, and 10 neighbours at random; crops and frames are those of the run. A
process of its own writes the report. Told are its time, its peak memory, and the share of what the rule asks for.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from simhand.tables import NEIGHBOURS

NEIGHBOURS_EACH = 10
PARTS = 256  # of the neighbours
REPEATS = 40  # of a shard's rows in a larger one
_OWN_MB, _MB_PER = 500, 2  # rules/reporting.smk
_SCRIPT = """
import resource, sys
from pathlib import Path
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.data_report import write_data_report
from simhand.reporting.settings import ReportSettings
root, source, pool = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[1]) / "pool"
kinds = ("frames", "hands", "balanced", "crops", "keypoints")
ends = (".status.parquet", ".parquet", ".parquet", ".arrow", ".parquet")
names = sorted(path.stem for path in (root / "hands" / source).iterdir())
shards = [Shard(source, *(root / kind / source / (name + end) for kind, end in zip(kinds, ends))) for name in names]
made = Pool("large", [source], 0.0, pool / "members.parquet", pool / "pca.npz", pool / "embeddings.npy",
            sorted((pool / "neighbours").iterdir()))
write_data_report(DataInputs(shards, [made], root / "crops", root / "frames"), ReportSettings(), root / "report")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def moved(table: pa.Table, generator: np.random.Generator) -> pa.Table:
    """With other keypoints, which take the room of others in a file."""
    if "keypoints" not in table.column_names:
        return table
    kept = table["keypoints"].combine_chunks()
    values = kept.values.to_numpy(zero_copy_only=False)
    values = (values + generator.normal(0, 1e-3, len(values))).astype(values.dtype)
    if pa.types.is_fixed_size_list(kept.type):
        column = pa.FixedSizeListArray.from_arrays(pa.array(values), type=kept.type)
    else:
        column = pa.ListArray.from_arrays(kept.offsets, pa.array(values), type=kept.type, mask=kept.is_null())
    place = table.column_names.index("keypoints")
    return table.set_column(place, table.schema.field(place), column)


def write_ipc(path: Path, out: Path) -> None:
    """The batches of an Arrow file, REPEATS times."""
    with pa.ipc.open_file(path) as file, pa.ipc.new_file(out, file.schema) as writer:
        for _ in range(REPEATS):
            for batch in range(file.num_record_batches):
                writer.write_batch(file.get_batch(batch))


def repeat_shards(results: Path, source: str, out: Path, copies: int) -> None:
    """The tables of all shards, with REPEATS times the rows, under `copies` names each."""
    generator = np.random.default_rng(0)
    for kind in ("hands", "balanced", "keypoints", "frames", "crops"):
        (out / kind / source).mkdir(parents=True)
        ends = {"frames": (".status.parquet", ".arrow"), "crops": (".arrow",)}.get(kind, (".parquet",))
        for end in ends:
            for path in sorted((results / kind / source).glob(f"*of*{end}")):
                if path.name.startswith("."):
                    continue
                first = out / kind / source / f"0_{path.name}"
                if end == ".parquet":
                    table = pq.read_table(path)
                    pq.write_table(pa.concat_tables([moved(table, generator) for _ in range(REPEATS)]), first)
                elif kind == "crops":
                    write_ipc(path, first)
                else:
                    shutil.copy(path, first)
                for copy in range(1, copies):
                    first.with_name(f"{copy}_{path.name}").hardlink_to(first)


def repeat_pool(pool: Path, out: Path, copies: int) -> int:
    """The pool's tables; returns the number of its hands."""
    generator = np.random.default_rng(1)
    out.mkdir()
    members = pq.read_table(pool / "members.parquet")
    shard = members.column_names.index("shard")
    with pq.ParquetWriter(out / "members.parquet", members.schema) as writer:
        for copy in range(copies):
            named = pa.array([f"{copy}_{name}" for name in members["shard"].to_pylist()])
            for repeat in range(REPEATS):
                rows = pa.array(np.arange(len(members)) + (copy * REPEATS + repeat) * len(members))
                piece = moved(members.set_column(shard, members.schema.field("shard"), named), generator)
                writer.write_table(piece.set_column(0, members.schema.field("row"), rows))
    count = copies * REPEATS * len(members)
    embeddings = np.load(pool / "embeddings.npy")
    tiled = np.tile(embeddings, (copies * REPEATS, 1))
    np.save(out / "embeddings.npy", tiled + generator.normal(0, 0.01, tiled.shape).astype(tiled.dtype))
    shutil.copy(pool / "pca.npz", out)
    (out / "neighbours").mkdir()
    for part, rows in enumerate(np.array_split(np.arange(count), PARTS)):
        columns = [
            np.repeat(rows, NEIGHBOURS_EACH),
            np.tile(np.arange(1, NEIGHBOURS_EACH + 1, dtype=np.int32), len(rows)),
            generator.integers(0, count, len(rows) * NEIGHBOURS_EACH),
            generator.random(len(rows) * NEIGHBOURS_EACH, dtype=np.float32),
        ]
        table = pa.table([pa.array(column) for column in columns], schema=NEIGHBOURS)
        pq.write_table(table, out / "neighbours" / f"{part:03d}.parquet")
    return count


def main(checkout: Path, hands: int, folder: Path | None) -> None:
    """Makes the tables, writes the report, and prints what that took."""
    config = yaml.safe_load((checkout / "config.yaml").read_text())
    name, settings = next(iter(config["pools"].items()))
    source, results = settings["sources"][0], checkout / "results"
    members = pq.read_metadata(results / "pools" / name / "members.parquet").num_rows
    copies = -(-hands // (members * REPEATS))
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        out = Path(temporary)
        repeat_shards(results, source, out, copies)
        count = repeat_pool(results / "pools" / name, out / "pool", copies)
        tables = [path for kind in ("hands", "keypoints", "pool") for path in (out / kind).rglob("*.*")]
        megabytes = sum(path.stat().st_size for path in tables) / 1e6
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, str(out), source], check=True, stdout=subprocess.PIPE, text=True
        )
        seconds, used_mb = time.monotonic() - started, int(done.stdout.splitlines()[-1]) / 1e6
    asked_mb = _OWN_MB + _MB_PER * megabytes
    print(
        f"{count:,} hands in {copies * len(list((results / 'hands' / source).glob('*of*.parquet')))} shards: ", end=""
    )
    print(f"{megabytes:,.0f} MB of tables; {seconds:.0f} s, {used_mb:,.0f} MB of {asked_mb:,.0f} MB that are asked for")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="where a run has finished")
    parser.add_argument("--hands", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path, help="for the tables, some GB (default: the temporary folder)")
    options = parser.parse_args()
    main(options.checkout, options.hands, options.folder)
