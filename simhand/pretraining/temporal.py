"""TempCLR's positives: the same hand a little earlier or later (Ziani et al. 2022)."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.errors import PoolError
from simhand.files import read_parquet
from simhand.tables import MEMBERS

log = logging.getLogger(__name__)


def read_temporal_positives(members_path: Path, max_gap_s: float) -> np.ndarray:
    """The positive of every hand of a pool: as `temporal_positives`, int64 (n,).

    Raises:
        TableError: the table is damaged.
        PoolError: no hand has a neighbouring frame.
    """
    members = read_parquet(members_path, MEMBERS, ["source", "video_id", "side", "frame_index", "timestamp_s"])
    positives = temporal_positives(
        _codes(members, "source", "video_id", "side"),
        members["frame_index"].to_numpy(),
        members["timestamp_s"].to_numpy(),
        max_gap_s,
    )
    alone = int((positives == np.arange(len(positives))).sum())
    if alone == len(positives):
        raise PoolError(
            "no hand has a neighbouring frame in the pool",
            where=members_path,
            expected=f"hands of the same video and side at most max_gap_s = {max_gap_s:g} s apart",
            hint="raise max_gap_s, or draw a larger pool",
        )
    level = logging.WARNING if alone > len(positives) / 2 else logging.INFO
    paired = len(positives) - alone
    log.log(level, "%d of %d hands have a neighbouring frame within %g s", paired, len(positives), max_gap_s)
    return positives


def temporal_positives(
    tracks: np.ndarray, frame_index: np.ndarray, timestamp_s: np.ndarray, max_gap_s: float
) -> np.ndarray:
    """The hand of the same video and side in the nearest other frame of the pool; of two as near the later one.

    Args:
        tracks: int64 (n,), equal for hands of the same video and side.
        frame_index: int (n,).
        timestamp_s: float (n,).
        max_gap_s: a hand that has no other frame within so many seconds is its own positive.

    Returns:
        int64 (n,), rows.
    """
    order = np.lexsort((frame_index, tracks))
    tracks, frames, times = tracks[order], frame_index[order], timestamp_s[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(tracks) != 0) | (np.diff(frames) != 0)])  # of a track's frames
    frame = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(order)]))  # (n,), which of them
    earlier, later = (starts[np.clip(frame + step, 0, len(starts) - 1)] for step in (-1, 1))
    gaps = np.stack([_gap(tracks, times, other, max_gap_s) for other in (later, earlier)])  # (2, n)
    chosen = np.where(gaps.argmin(axis=0) == 0, later, earlier)
    chosen = np.where(np.isfinite(gaps.min(axis=0)), chosen, np.arange(len(order)))
    positives = np.empty(len(order), dtype=np.int64)
    positives[order] = order[chosen]
    return positives


def _gap(tracks: np.ndarray, times: np.ndarray, other: np.ndarray, most: float) -> np.ndarray:
    """Seconds to the hands `other`; infinite where they are of another track, too far away, or in the same frame."""
    gap = np.abs(times[other] - times)
    return np.where((tracks[other] == tracks) & (gap > 0) & (gap <= most), gap, np.inf)


def _codes(members: pa.Table, *names: str) -> np.ndarray:
    """A number for each combination of the values of some columns, int64 (n,)."""
    codes = np.zeros(len(members), dtype=np.int64)
    for name in names:
        column = members[name].combine_chunks().dictionary_encode()
        codes = codes * len(column.dictionary) + column.indices.to_numpy()
    return codes
