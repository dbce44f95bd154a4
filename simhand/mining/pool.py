"""Stage 7: a pool, drawn from the hands of one or more sources."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.errors import FailedVideosError, PoolError, TableError
from simhand.files import keypoints_array, open_arrow, read_parquet, write_parquet
from simhand.mining.settings import DrawSettings
from simhand.stable import stable_hash
from simhand.tables import CROPS, KEYPOINTS, MEMBERS, N_JOINTS, VIDEO_FAILURES, VIDEO_STATUS

_log = logging.getLogger(__name__)

_ORDER = [(name, "ascending") for name in ("source", "video_id", "frame_index", "hand_id")]
_FOUND = pa.schema([field for field in MEMBERS if field.name != "row"])
_SQUARE = ["square_x1", "square_y1", "square_x2", "square_y2"]
IN_FRAME = ["flipped", "frame_width", "frame_height", *_SQUARE]  # columns of CROPS: where a crop lies in its frame


@dataclass(frozen=True)
class ShardTables:
    """Where the tables of one shard of one source lie."""

    source: str
    shard: str
    statuses: Path | str
    crops: Path | str
    keypoints: Path | str


def draw_pool(shards: Sequence[ShardTables], settings: DrawSettings, members_path: Path | str, *, pool: str) -> None:
    """Draws hands whose keypoints were found and writes them as a table of members.

    Those with the smallest hashes of (hand_id, seed) are drawn, so that a smaller pool is part of a larger one; the
    rows are in the order of (source, video_id, frame_index, hand_id), whatever the order of the shards.

    Args:
        shards: all shards of `settings.sources`.
        settings: which hands to draw.
        members_path: Parquet file to write, of schema `MEMBERS`.
        pool: the pool's name, for messages.

    Raises:
        FailedVideosError: more videos failed than the quota allows.
        PoolError: fewer hands than asked for, or hands of fewer than two videos.
        TableError: a table is damaged, or two tables of a shard do not belong together.
    """
    check_failed_videos(shards, settings.max_failed_videos, pool=pool)
    found = pa.concat_tables([_FOUND.empty_table(), *map(_found_hands, shards)]).sort_by(_ORDER)
    found = found.filter(pc.field("visible") >= np.float32(settings.min_visible))
    drawn = found.take(_drawn_rows(found, settings, pool))
    _check_two_videos(drawn, pool)
    members = drawn.append_column("row", pa.array(np.arange(len(drawn))))
    write_parquet(members.select(MEMBERS.names), members_path, MEMBERS)
    _log.info("pool %s: %d of %d hands, %s", pool, len(drawn), len(found), _counts(drawn["source"], settings.sources))


def check_failed_videos(shards: Sequence[ShardTables], most: float, *, pool: str) -> None:
    """Refuses to go on where too many videos could not be read.

    Args:
        shards: all shards of the pool's sources.
        most: largest fraction of all videos that may have failed; a video without a frame has not.
        pool: the pool's name, for messages.

    Raises:
        FailedVideosError: more failed; names the reasons and the first few videos.
    """
    videos = pa.concat_tables(
        [VIDEO_STATUS.empty_table(), *(read_parquet(shard.statuses, VIDEO_STATUS) for shard in shards)]
    )
    failed = videos.filter(pc.field("status").isin(VIDEO_FAILURES)).sort_by("video_id").to_pylist()
    if not failed or len(failed) / len(videos) <= most:
        return
    reasons = Counter(f"{video['status']} ({video['reason']})" for video in failed).most_common(5)
    first = ", ".join(video["video_id"] for video in failed[:5])
    raise FailedVideosError(
        "too many videos could not be read",
        where=f"pool {pool}",
        expected=f"at most {most:.0%} of {len(videos)} videos",
        got=f"{len(failed)} ({len(failed) / len(videos):.0%}): "
        + "; ".join(f"{count} x {reason}" for reason, count in reasons)
        + f"; the first: {first}",
        hint="mend or remove these videos (where single images of annotated hands are lost: add them, and call "
        "snakemake with --forcerun import_hands), or raise max_failed_videos of this pool",
    )


def _found_hands(shard: ShardTables) -> pa.Table:
    """The rows of MEMBERS (but `row`) that a shard can give; the images are memory-mapped and never looked at."""
    crops = open_arrow(shard.crops, CROPS)
    keypoints = read_parquet(shard.keypoints, KEYPOINTS)
    if not crops["hand_id"].equals(keypoints["hand_id"]):
        raise TableError(
            "crops and keypoints do not belong together",
            where=shard.keypoints,
            expected=f"the hands of {shard.crops}, row by row ({len(crops)})",
            got=f"other hands ({len(keypoints)})",
            hint="delete the keypoints: they will be made anew",
        )
    columns = {
        **{name: crops[name] for name in ("hand_id", "video_id", "frame_index", "timestamp_s", "side")},
        "source": pa.repeat(shard.source, len(crops)),
        "shard": pa.repeat(shard.shard, len(crops)),
        "shard_row": pa.array(np.arange(len(crops), dtype=np.int32)),
        "keypoints": keypoints["keypoints"],
    }
    hands = pa.table({**columns, "status": keypoints["status"], **{name: crops[name] for name in IN_FRAME}})
    found = hands.filter(pc.field("status") == "found")
    _check_keypoints(found, shard.keypoints)
    visible = pa.array(visible_share(keypoints_array(found["keypoints"]), found.select(IN_FRAME)))
    return found.append_column("visible", visible).select(_FOUND.names).cast(_FOUND)


def visible_share(keypoints: np.ndarray, crops: pa.Table) -> np.ndarray:
    """The share of each hand's keypoints that lie inside its frame: what lies outside is the landmarker's guess.

    Args:
        keypoints: float (n, 21, 3), in units of the crop.
        crops: their rows of CROPS.

    Returns:
        float32 (n,), from 0 to 1.
    """
    flipped, width, height, x1, y1, x2, y2 = (crops[name].to_numpy() for name in IN_FRAME)
    x = np.where(flipped[:, None], 1 - keypoints[:, :, 0], keypoints[:, :, 0]) * (x2 - x1)[:, None] + x1[:, None]
    y = keypoints[:, :, 1] * (y2 - y1)[:, None] + y1[:, None]
    inside = (x >= 0) & (x <= width[:, None]) & (y >= 0) & (y <= height[:, None])
    return inside.mean(axis=1).astype(np.float32)


def _check_keypoints(found: pa.Table, path: Path | str) -> None:
    """Found hands have 21 x 3 finite numbers."""
    lists = found["keypoints"].combine_chunks()
    bad = np.diff(lists.offsets.to_numpy()) != 3 * N_JOINTS  # null: 0
    if not bad.any():
        bad = ~np.isfinite(lists.flatten().to_numpy()).reshape(-1, 3 * N_JOINTS).all(axis=1)
    if bad.any():
        row = found.slice(int(np.argmax(bad)), 1).to_pylist()[0]
        raise TableError(
            "a found hand has no full set of keypoints",
            where=f"{path}, row {row['shard_row']} (hand {row['hand_id']})",
            expected="21 x (x, y, z), all of them numbers",
            got=row["keypoints"],
            hint="delete the file: it will be made anew",
        )


def _drawn_rows(found: pa.Table, settings: DrawSettings, pool: str) -> np.ndarray:
    """The rows of `found` that are drawn, ascending."""
    if settings.size is None:
        return np.arange(len(found))
    if settings.size > len(found):
        raise PoolError(
            "a pool is larger than what there is to draw from",
            where=f"pool {pool}",
            expected=f"{settings.size} hands",
            got=f"{len(found)} hands with keypoints: {_counts(found['source'], settings.sources)}",
            hint="lower its size, leave it empty to take all, or add videos or sources",
        )
    hashes = np.array([stable_hash(name, settings.seed) for name in found["hand_id"].to_pylist()], dtype=np.uint64)
    return np.sort(np.argsort(hashes, kind="stable")[: settings.size])


def _counts(sources: pa.ChunkedArray, names: Sequence[str]) -> str:
    found = Counter(sources.to_pylist())
    return ", ".join(f"{found[name]} of {name}" for name in names)


def _check_two_videos(drawn: pa.Table, pool: str) -> None:
    videos = drawn.select(["source", "video_id"]).group_by(["source", "video_id"]).aggregate([]).to_pylist()
    if len(videos) < 2:
        names = ", ".join(f"{video['source']}/{video['video_id']}" for video in videos) or "no video"
        raise PoolError(
            "a pool needs hands of at least two videos: similar hands are sought in other videos",
            where=f"pool {pool}",
            expected="two videos or more",
            got=f"{len(drawn)} hands of {names}",
            hint="add videos or sources, or see in the tables of frames and keypoints why the others gave no hand",
        )
