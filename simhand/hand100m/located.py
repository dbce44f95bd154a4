"""Where the hands of a pool lie in their frames, gathered from the tables of crops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.tables import CROPS

_BOX = ["x1", "y1", "x2", "y2"]
_SQUARE = [f"square_{name}" for name in _BOX]
_SIZE = ["frame_width", "frame_height"]


@dataclass(frozen=True)
class Located:
    """Row i of each array is row i of the pool's members; pixels of the frame."""

    boxes: np.ndarray  # float32 (n, 4)
    squares: np.ndarray  # float32 (n, 4), what the crop shows
    sizes: np.ndarray  # int32 (n, 2), width and height of the frame
    frame_rows: np.ndarray  # int32 (n,), in the shard's table of frames
    flipped: np.ndarray  # bool (n,)


def locate(members: pa.Table, crops_folder: Path) -> Located:
    """Looks up the crop of each hand; the images stay untouched.

    Args:
        members: hand_id, source, shard, shard_row of MEMBERS.
        crops_folder: holds {source}/{shard}.arrow.

    Raises:
        TableError: the crops are missing, damaged, or not those that the pool was drawn from.
    """
    n = len(members)
    found = Located(
        boxes=np.empty((n, 4), np.float32),
        squares=np.empty((n, 4), np.float32),
        sizes=np.empty((n, 2), np.int32),
        frame_rows=np.empty(n, np.int32),
        flipped=np.empty(n, bool),
    )
    for (source, shard), rows in by_shard(members):
        path = crops_folder / source / f"{shard}.arrow"
        crops = _crops_of(members.take(pa.array(rows)), path)
        found.boxes[rows] = _columns(crops, _BOX)
        found.squares[rows] = _columns(crops, _SQUARE)
        found.sizes[rows] = _columns(crops, _SIZE)
        found.frame_rows[rows] = crops["frame_row"].to_numpy()
        found.flipped[rows] = crops["flipped"].to_numpy()
    return found


def by_shard(members: pa.Table) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """Each shard, and which rows of the members it holds, ascending."""
    source, shard = (members[name].combine_chunks().dictionary_encode() for name in ("source", "shard"))
    codes = source.indices.to_numpy().astype(np.int64) * len(shard.dictionary) + shard.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        yield (members["source"][rows[0]].as_py(), members["shard"][rows[0]].as_py()), rows


def _crops_of(members: pa.Table, path: Path) -> pa.Table:
    """The crops of these members of one shard, without their images."""
    crops = open_arrow(path, CROPS).select(["hand_id", "frame_row", "flipped", *_BOX, *_SQUARE, *_SIZE])
    crops = crops.combine_chunks()  # one chunk an image otherwise, in which rows are found slowly
    rows = members["shard_row"].to_numpy()
    if rows.max() >= len(crops) or not crops["hand_id"].take(pa.array(rows)).equals(members["hand_id"]):
        raise TableError(
            "the crops are not those of the pool",
            where=path,
            expected=f"the hands of the pool, such as {members['hand_id'][0].as_py()}",
            hint="start the workflow again: the pool will be made anew",
        )
    return crops.take(pa.array(rows))


def _columns(table: pa.Table, names: list[str]) -> np.ndarray:
    return np.stack([table[name].to_numpy() for name in names], axis=1)
