"""The way from videos to pairs: how many came how far, and why the others did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.mining.pool import IN_FRAME, visible_share
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.data_tables import FUNNEL
from simhand.reporting.grid import Grid
from simhand.reporting.pool_numbers import read_pairs
from simhand.tables import BALANCED, CROPS, HANDS, KEYPOINTS, MEMBERS, VIDEO_STATUS

_UNWANTED = {"score": "score too low", "size": "box too small or too large", "contact": "contact not wanted"}


@dataclass
class _Source:
    """Counts of one source, added up shard by shard."""

    videos: Counter[str] = field(default_factory=Counter)  # by status
    frames: int = 0
    frames_with_hands: int | None = 0  # None: hands are annotated
    found: Counter[str] = field(default_factory=Counter)  # by side
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)  # by reason and side
    crops: int = 0
    missed: Counter[str] = field(default_factory=Counter)  # by reason
    visible: list[np.ndarray] = field(default_factory=list)  # of hands with keypoints


def funnel(inputs: DataInputs) -> pa.Table:
    """Counts of each source, stage by stage, then of each pool, with all losses and their reasons (FUNNEL).

    Raises:
        TableError: a table is missing or damaged.
    """
    sources = {name: _Source() for name in inputs.sources}
    for shard in inputs.shards:
        _add_shard(sources[shard.source], shard)
    rows = [(name, "", *row) for name, source in sources.items() for row in _source_rows(source)]
    for pool in inputs.pools:
        rows += list(_pool_rows(pool, sources))
    return pa.table(list(map(pa.array, zip(*rows, strict=True))), FUNNEL.names).cast(FUNNEL)


def _add_shard(source: _Source, shard: Shard) -> None:
    statuses = read_parquet(shard.status, VIDEO_STATUS, ["status", "frames"])
    source.videos.update(statuses["status"].to_pylist())
    source.frames += int(statuses["frames"].to_numpy().sum())
    balanced = read_parquet(shard.balanced, BALANCED, ["side", "dropped"])
    source.found.update(balanced["side"].to_pylist())
    dropped = balanced.filter(pc.field("dropped") != "")
    source.dropped.update(zip(dropped["dropped"].to_pylist(), dropped["side"].to_pylist(), strict=True))
    if shard.hands is None:
        source.frames_with_hands = None
    elif source.frames_with_hands is not None:
        frames = read_parquet(shard.hands, HANDS, ["frame_row"])["frame_row"]
        source.frames_with_hands += len(np.unique(frames.to_numpy()))
    crops = open_arrow(shard.crops, CROPS).select(IN_FRAME)
    keypoints = read_parquet(shard.keypoints, KEYPOINTS, ["status", "reason", "keypoints"])
    found = keypoints["status"].to_numpy() == "found"
    source.crops += len(crops)
    source.missed.update(keypoints.filter(~found)["reason"].to_pylist())
    source.visible.append(visible_share(keypoints_array(keypoints.filter(found)["keypoints"]), crops.filter(found)))


def _source_rows(source: _Source) -> Iterator[tuple[str, str, str, int]]:
    """unit, stage, loss, count."""
    yield "videos", "listed", "", source.videos.total()
    for status, count in sorted(source.videos.items()):
        if status != "ok":
            yield "videos", "listed", "no frame" if status == "empty" else status, count
    yield "videos", "read in full", "", source.videos["ok"]
    yield "frames", "sampled", "", source.frames
    if source.frames_with_hands is not None:
        yield "frames", "sampled", "no hand found", source.frames - source.frames_with_hands
        yield "frames", "with hands", "", source.frames_with_hands
    yield "hands", "found", "", source.found.total()
    for reason, loss in _UNWANTED.items():
        if count := source.dropped[reason, "left"] + source.dropped[reason, "right"]:  # most users want all hands
            yield "hands", "found", loss, count
    for side in ("left", "right"):
        yield "hands", "found", f"surplus of {side} hands", source.dropped["balance", side]
    kept = source.found.total() - source.dropped.total()
    yield "hands", "balanced", "", kept
    annotated = source.frames_with_hands is None
    lost = "image missing or damaged" if annotated else "box outside the frame"
    yield "hands", "balanced", lost, kept - source.crops
    yield "hands", "cropped", "", source.crops
    for reason, count in sorted(source.missed.items()):
        yield "hands", "cropped", f"no keypoints: {reason}", count
    yield "hands", "with keypoints", "", source.crops - source.missed.total()


def _pool_rows(pool: Pool, sources: Mapping[str, _Source]) -> Iterator[tuple[str, str, str, str, str, int]]:
    """The rows of FUNNEL of one pool, for each of its sources."""
    members = read_parquet(pool.members, MEMBERS, ["source"])["source"].to_pandas()
    pairs = np.zeros(len(members), np.int64)
    for part in pool.neighbours:
        pairs += np.bincount(read_pairs(part, ["row"])["row"].to_numpy(), minlength=len(members))
    for name in pool.sources:
        visible = np.concatenate([np.zeros(0, np.float32), *sources[name].visible])
        drawn = (members == name).to_numpy()
        enough = int((visible >= np.float32(pool.min_visible)).sum())
        rows = [
            ("with keypoints", "", len(visible)),
            ("with keypoints", "too many keypoints outside the frame", len(visible) - enough),
            ("with keypoints", "not drawn", enough - int(drawn.sum())),
            ("in the pool", "", int(drawn.sum())),
            ("in the pool", "no similar hand", int((drawn & (pairs == 0)).sum())),
            ("with similar hands", "", int((drawn & (pairs > 0)).sum())),
        ]
        yield from ((name, pool.name, "hands", *row) for row in rows)
        yield name, pool.name, "pairs", "of them and their similar hands", "", int(pairs[drawn].sum())


def funnel_grid(counts: pa.Table) -> Grid:
    """The counts for reading: a line a stage or loss, a column a source, and all sources together."""
    frame = counts.to_pandas()
    sources = list(dict.fromkeys(frame["source"]))
    keys = list(dict.fromkeys(frame[["pool", "unit", "stage", "loss"]].itertuples(index=False, name=None)))
    keys = _in_order(keys)
    by_key = frame.groupby(["pool", "unit", "stage", "loss", "source"])["count"].sum()
    rows = []
    for pool, unit, stage, loss in keys:
        found = [int(by_key.get((pool, unit, stage, loss, source), 0)) for source in sources]
        if loss and not any(found):
            continue
        where = f"pool {pool}: " if pool else ""
        name = f"\N{MINUS SIGN} {loss}" if loss else f"{where}{unit} {stage}"
        total = [sum(found)] if len(sources) > 1 else []
        rows.append([name, *(f"{count:,}" for count in [*found, *total])])
    header = ["", *sources, *(["all sources"] if len(sources) > 1 else [])]
    return Grid(header, rows, frozenset(range(1, len(header))))


def _in_order(keys: Sequence[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Losses right after their stage, whichever source has them."""
    stages = list(dict.fromkeys((pool, unit, stage) for pool, unit, stage, _ in keys))
    return sorted(keys, key=lambda key: (stages.index(key[:3]), bool(key[3])))


def failed_videos(shards: Sequence[Shard]) -> pa.Table:
    """The videos that gave no frames, or not all of them, and why."""
    return pa.concat_tables([_failed(shard.source, shard.status) for shard in shards])


def _failed(source: str, status: Path) -> pa.Table:
    table = read_parquet(status, VIDEO_STATUS, ["video_id", "status", "reason", "frames"])
    failed = table.filter(pc.field("status") != "ok")
    return failed.add_column(0, "source", pa.array([source] * len(failed), pa.string()))
