from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import TableError
from simhand.files import (
    arrow_writer,
    keypoints_array,
    keypoints_column,
    open_arrow,
    read_parquet,
    whole_file,
    write_parquet,
)

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("value", pa.float32())])
TABLE = pa.table({"name": ["a", "b"], "value": pa.array([1.5, None], pa.float32())}, schema=SCHEMA)


def test_parquet_round_trip(tmp_path: Path) -> None:
    write_parquet(TABLE, tmp_path / "new" / "t.parquet", SCHEMA)
    assert read_parquet(tmp_path / "new" / "t.parquet", SCHEMA).equals(TABLE)


def test_arrow_round_trip_in_batches_and_without_any(tmp_path: Path) -> None:
    with arrow_writer(tmp_path / "t.arrow", SCHEMA) as writer:
        writer.write_table(TABLE)
        writer.write_table(TABLE)
    assert open_arrow(tmp_path / "t.arrow", SCHEMA).to_pylist() == TABLE.to_pylist() * 2
    with arrow_writer(tmp_path / "empty.arrow", SCHEMA):
        pass
    assert len(open_arrow(tmp_path / "empty.arrow", SCHEMA)) == 0


def test_a_null_in_a_required_column_is_refused(tmp_path: Path) -> None:
    table = pa.table({"name": ["a", None], "value": pa.array([1, 2], pa.float32())})
    with pytest.raises(TableError, match="name"):
        write_parquet(table, tmp_path / "t.parquet", SCHEMA)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_table_is_named_with_what_to_do(tmp_path: Path) -> None:
    write_parquet(TABLE, tmp_path / "t.parquet", SCHEMA)
    with arrow_writer(tmp_path / "t.arrow", SCHEMA) as writer:
        writer.write_table(TABLE)
    for path, read in ((tmp_path / "t.parquet", read_parquet), (tmp_path / "t.arrow", open_arrow)):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(TableError, match=rf"(?s){path.name}.*delete it"):
            read(path, SCHEMA)
        path.unlink()
        with pytest.raises(TableError, match=path.name):
            read(path, SCHEMA)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    write_parquet(TABLE, tmp_path / "t.parquet", SCHEMA)
    with pytest.raises(TableError, match="another schema"):
        read_parquet(tmp_path / "t.parquet", pa.schema([pa.field("name", pa.string(), nullable=False)]))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_killed_write_leaves_no_half_file(tmp_path: Path) -> None:
    code = (
        "import sys, time; from simhand.files import whole_file\n"
        "with whole_file(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half'); print('written', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "x").exists()


def test_keypoints_survive_their_column_even_sliced() -> None:
    keypoints = np.random.default_rng(0).normal(size=(5, 21, 3)).astype(np.float32)
    column = pa.chunked_array([keypoints_column(keypoints)])
    assert np.array_equal(keypoints_array(column), keypoints)
    assert np.array_equal(keypoints_array(column.slice(2, 2)), keypoints[2:4])


def test_a_column_without_rows_has_no_keypoints() -> None:
    assert keypoints_array(pa.chunked_array([keypoints_column(np.zeros((0, 21, 3)))])).shape == (0, 21, 3)
