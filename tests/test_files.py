from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def writing_half(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has written half of a file and goes on for a minute."""
    code = (
        "import sys, time; from simhand.files import whole_file\n"
        "with whole_file(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half'); print('written', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_killed_write_leaves_no_half_file_and_the_next_one_no_leftovers(tmp_path: Path) -> None:
    with writing_half(tmp_path / "x") as process:
        process.kill()
    assert not (tmp_path / "x").exists()
    assert len(list(tmp_path.glob(".x.*.partial"))) == 1
    with whole_file(tmp_path / "x") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "whole"


def test_a_living_writer_of_the_same_file_keeps_what_it_wrote(tmp_path: Path) -> None:
    with writing_half(tmp_path / "x"):
        with whole_file(tmp_path / "x") as temporary:
            temporary.write_text("whole")
        (other,) = tmp_path.glob(".x.*.partial")
        assert other.read_text() == "half"


def test_only_the_asked_columns_are_read_in_their_order(tmp_path: Path) -> None:
    write_parquet(TABLE, tmp_path / "t.parquet", SCHEMA)
    assert read_parquet(tmp_path / "t.parquet", SCHEMA, ["value", "name"]).to_pydict() == {
        "value": [1.5, None],
        "name": ["a", "b"],
    }


def test_keypoints_survive_their_column_even_sliced() -> None:
    keypoints = np.random.default_rng(0).normal(size=(5, 21, 3)).astype(np.float32)
    column = pa.chunked_array([keypoints_column(keypoints)])
    assert np.array_equal(keypoints_array(column), keypoints)
    assert np.array_equal(keypoints_array(column.slice(2, 2)), keypoints[2:4])


def test_a_column_without_rows_has_no_keypoints() -> None:
    assert keypoints_array(pa.chunked_array([keypoints_column(np.zeros((0, 21, 3)))])).shape == (0, 21, 3)


def test_on_a_disk_without_locks_files_are_written_whole_and_leftovers_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(file: object, operation: int) -> None:  # what Lustre answers that is mounted without flock
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    (tmp_path / ".x.0.partial").write_text("half, perhaps of a writer that still works")
    with whole_file(tmp_path / "x") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "x").read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".x.0.partial", "x"]
