"""Reading and writing the files that pass between stages: whole or not at all, and only of the agreed schema."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simhand.errors import TableError
from simhand.locks import Lock, lock
from simhand.tables import N_JOINTS

_REMAKE = "the file is damaged or from another version: delete it and start the workflow again, it will be made anew"


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Yields a temporary path beside `path`; it becomes `path` at the end, or vanishes if anything failed.

    What killed writers of the same file left behind is removed first. The temporary file exists already, and stays
    locked: overwrite it in place.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary, locked = _new_temporary(path)
    try:
        with locked:
            yield temporary
            os.fsync(locked.fileno())  # or a node that loses power may leave the name without the content
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _new_temporary(path: Path) -> tuple[Path, IO[bytes]]:
    """A new file beside `path`, open and locked, where the disk has locks."""
    while True:
        temporary = path.with_name(f".{path.name}.{uuid4().hex}.partial")  # two writers, on two nodes say, do not meet
        file = temporary.open("wb")
        if lock(file) is not Lock.TAKEN and temporary.exists():
            return temporary, file
        file.close()  # in that moment another writer took it for a leftover


def _remove_leftovers(path: Path) -> None:
    """Removes the temporary files of writers that are no more; where the disk has no locks, nobody knows of which."""
    for temporary in path.parent.glob(f".{escape(path.name)}.*.partial"):
        with suppress(FileNotFoundError), temporary.open("r+b") as file:
            if lock(file) is Lock.OURS:
                temporary.unlink()


def write_parquet(table: pa.Table, path: Path | str, schema: pa.Schema) -> None:
    """Writes a table of exactly `schema` as Parquet.

    Raises:
        TableError: a column has another type, or nulls where it must not.
    """
    try:
        table = table.cast(schema)
    except (ValueError, pa.ArrowInvalid) as error:
        raise TableError("a table does not fit its schema", where=path, got=error) from error
    with whole_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_parquet(path: Path | str, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Reads a Parquet table and checks that it has `schema`; only `columns`, in their order, if given.

    Raises:
        TableError: missing, damaged or of another schema.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_schema(file.schema_arrow, path, schema)
            return file.read(columns).select(columns or schema.names)
    except (OSError, pa.ArrowInvalid) as error:
        raise TableError("cannot read a table", where=path, got=error, hint=_REMAKE) from error


@contextmanager
def arrow_writer(path: Path | str, schema: pa.Schema) -> Iterator[pa.RecordBatchFileWriter]:
    """Opens an uncompressed Arrow IPC file for writing batch by batch; the file appears when the block ends well."""
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        yield writer


def open_arrow(path: Path | str, schema: pa.Schema) -> pa.Table:
    """Memory-maps an Arrow IPC file: a row is read when it is looked at.

    Raises:
        TableError: missing, damaged or of another schema.
    """
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise TableError("cannot read a table", where=path, got=error, hint=_REMAKE) from error
    _check_schema(table.schema, path, schema)
    return table


def _check_schema(found: pa.Schema, path: Path | str, schema: pa.Schema) -> None:
    found = pa.schema([field.remove_metadata() for field in found])
    if not found.equals(schema):
        raise TableError(
            "a table has another schema",
            where=path,
            expected=", ".join(f"{f.name} {f.type}" for f in schema),
            got=", ".join(f"{f.name} {f.type}" for f in found),
            hint=_REMAKE,
        )


def keypoints_array(column: pa.ChunkedArray, dimensions: int = 3) -> np.ndarray:
    """A column of keypoints (no nulls) as float32 (n, 21, dimensions)."""
    values = column.combine_chunks().flatten()  # honours the offset of a slice
    return np.asarray(values, dtype=np.float32).reshape(-1, N_JOINTS, dimensions)


def keypoints_column(keypoints: np.ndarray) -> pa.FixedSizeListArray:
    """Keypoints, float (n, 21, 3) or (n, 21, 2), as a column of keypoints."""
    flat = np.ascontiguousarray(keypoints, dtype=np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), int(np.prod(keypoints.shape[1:])))


def file_sha256(path: Path | str) -> str:
    """What a file hashes to, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(value: Any, path: Path | str) -> None:
    """Writes JSON, keys sorted, so that equal values are equal bytes."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
