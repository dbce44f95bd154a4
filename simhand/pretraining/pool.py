"""A pool of hands as training needs it: where each crop lies, its 2D keypoints, and its mined positive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.errors import PoolError, TableError
from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.tables import CROPS, MEMBERS, NEIGHBOURS

_REMINE = "the pool, its crops and its neighbours come from different runs: start the workflow again"


@dataclass(frozen=True)
class Pool:
    """n hands; row i of every array is row i of members.parquet."""

    stores: tuple[Path, ...]  # the files of crops
    store: np.ndarray  # int32 (n,), which of them holds the hand
    store_row: np.ndarray  # int32 (n,), and in which row
    keypoints: np.ndarray  # float32 (n, 21, 2), x and y in crop units

    def __len__(self) -> int:
        return len(self.store)

    def equal_chances(self) -> np.ndarray:
        """How likely each hand is drawn where all sources are to be equally frequent, float64 (n,)."""
        _, source = np.unique([path.parent.name for path in self.stores], return_inverse=True)
        of_hand = source[self.store]
        return 1.0 / np.bincount(of_hand)[of_hand]


def read_pool(members_path: Path, crops_folder: Path, least: int = 2) -> Pool:
    """Reads a pool and checks that the crops it names are there.

    Args:
        members_path: members.parquet.
        crops_folder: holds {source}/{shard}.arrow.
        least: hands that there must be: two for each process that shares a batch.

    Raises:
        TableError: a table is damaged, or the crops are not those that the pool was drawn from.
        PoolError: the pool holds fewer hands.
    """
    members = read_parquet(members_path, MEMBERS)
    if len(members) < least:
        expected = f"{least} hands or more"
        raise PoolError("a pool too small to contrast", where=members_path, expected=expected, got=len(members))
    if not np.array_equal(members["row"].to_numpy(), np.arange(len(members))):
        raise TableError("rows are not numbered from 0 on", where=members_path, hint=_REMINE)
    stores, store = _stores(members, crops_folder)
    pool = Pool(
        stores=stores,
        store=store,
        store_row=members["shard_row"].to_numpy(),
        keypoints=np.ascontiguousarray(keypoints_array(members["keypoints"])[..., :2]),
    )
    _check_keypoints(pool.keypoints, members_path)
    _check_crops(pool, members["hand_id"].combine_chunks())
    return pool


def _stores(members: pa.Table, folder: Path) -> tuple[tuple[Path, ...], np.ndarray]:
    """The files of crops, and which of them holds each hand, int32 (n,)."""
    source, shard = (members[name].combine_chunks().dictionary_encode() for name in ("source", "shard"))
    codes = source.indices.to_numpy().astype(np.int64) * len(shard.dictionary) + shard.indices.to_numpy()
    found, store = np.unique(codes, return_inverse=True)
    names = [divmod(code, len(shard.dictionary)) for code in found.tolist()]
    paths = tuple(folder / source.dictionary[i].as_py() / f"{shard.dictionary[j].as_py()}.arrow" for i, j in names)
    return paths, store.astype(np.int32)


def _check_keypoints(keypoints: np.ndarray, path: Path) -> None:
    extent = np.ptp(keypoints, axis=1).max(axis=1)  # (n,), nan where a keypoint is
    wrong = np.flatnonzero(~(np.isfinite(extent) & (extent > 0)))
    if len(wrong):
        raise TableError("keypoints are not finite, or all in one point", where=f"{path}, row {wrong[0]}", hint=_REMINE)


def _check_crops(pool: Pool, hand_ids: pa.StringArray) -> None:
    """Each hand's row in its store must bear its hand_id."""
    order = np.argsort(pool.store, kind="stable")
    ends = np.cumsum(np.bincount(pool.store, minlength=len(pool.stores)))
    for path, rows in zip(pool.stores, np.split(order, ends[:-1]), strict=True):
        found = open_arrow(path, CROPS)["hand_id"]
        wanted = pa.chunked_array([hand_ids.take(pa.array(rows))])
        store_rows = pool.store_row[rows]
        if store_rows.max() >= len(found) or not found.take(pa.array(store_rows)).equals(wanted):
            raise TableError("the crops are not those of the pool", where=path, hint=_REMINE)


def read_positives(neighbour_paths: Iterable[Path], rank: int, hands: int) -> np.ndarray:
    """The mined positive of every hand: its neighbour of `rank` (paper Eq. 1 takes rank 1), int64 (hands,).

    Raises:
        TableError: a table is damaged, a hand has no neighbour of this rank, or a neighbour is not in the pool.
    """
    positives = np.full(hands, -1, dtype=np.int64)
    for path in neighbour_paths:
        table = read_parquet(path, NEIGHBOURS, ["row", "rank", "neighbour"])
        table = table.filter(pa.array(table["rank"].to_numpy() == rank))
        rows, neighbours = table["row"].to_numpy(), table["neighbour"].to_numpy()
        if len(table) and not (0 <= min(rows.min(), neighbours.min()) <= max(rows.max(), neighbours.max()) < hands):
            raise TableError(
                "a row that the pool does not have", where=path, expected=f"0 to {hands - 1}", hint=_REMINE
            )
        positives[rows] = neighbours
    missing = np.flatnonzero(positives < 0)
    if len(missing):
        raise TableError(
            f"{len(missing)} of {hands} hands have no neighbour of rank {rank}",
            where=f"row {missing[0]} of the pool",
            hint="set neighbour_rank to a rank that was mined for every hand, or mine more neighbours",
        )
    return positives


def data_digest(pool: Pool, positives: np.ndarray | None) -> str:
    """Identifies what a run trains on: the crops by their files' names and sizes, the keypoints and the positives."""
    digest = hashlib.blake2b(digest_size=16)
    for path in pool.stores:
        digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
    for array in (pool.store, pool.store_row, pool.keypoints, positives):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
