"""The way from videos to pairs: how many came this far, and why the others did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from simhand.files import read_parquet
from simhand.reporting.inputs import Pool, Shard
from simhand.tables import BALANCED, KEYPOINTS, MEMBERS, VIDEO_STATUS


def funnel(shards: Sequence[Shard], pools: Sequence[Pool]) -> pd.DataFrame:
    """Counts for each source, stage by stage, and for each pool: columns where, what, count."""
    rows = []
    for source in dict.fromkeys(shard.source for shard in shards):
        own = [shard for shard in shards if shard.source == source]
        rows += [(source, what, count) for what, count in _source_counts(own)]
    rows += [(f"pool {pool.name}", "hands", len(read_parquet(pool.members, MEMBERS))) for pool in pools]
    return pd.DataFrame(rows, columns=["where", "what", "count"])


def _source_counts(shards: Sequence[Shard]) -> list[tuple[str, int]]:
    statuses = _all([shard.status for shard in shards], VIDEO_STATUS)
    by_status = Counter(statuses["status"].to_pylist())
    balanced = _all([shard.balanced for shard in shards], BALANCED).to_pandas()
    keypoints = Counter(_all([shard.keypoints for shard in shards], KEYPOINTS)["status"].to_pylist())
    counts = [("videos", len(statuses))]
    counts += [(f"videos: {status}", by_status[status]) for status in ("ok", "empty", "corrupt", "timeout")]
    counts.append(("frames", sum(statuses["frames"].to_pylist())))
    for when, hands in (("hands found", balanced), ("hands kept", balanced[balanced["kept"]])):
        counts += [(f"{when}: {side}", int((hands["side"] == side).sum())) for side in ("left", "right")]
    return [*counts, ("crops", keypoints.total()), ("keypoints found", keypoints["found"])]


def failed_videos(shards: Sequence[Shard]) -> pd.DataFrame:
    """The videos that could not be read, and why: columns source, video_id, status, reason, frames."""
    rows = [
        (shard.source, row["video_id"], row["status"], row["reason"], row["frames"])
        for shard in shards
        for row in read_parquet(shard.status, VIDEO_STATUS).to_pylist()
        if row["status"] != "ok"
    ]
    return pd.DataFrame(rows, columns=["source", "video_id", "status", "reason", "frames"])


def missed_hands(shards: Sequence[Shard]) -> pd.DataFrame:
    """Why hands have no keypoints: columns source, reason, count."""
    reasons: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        for row in read_parquet(shard.keypoints, KEYPOINTS).select(["status", "reason"]).to_pylist():
            if row["status"] == "missed":
                reasons[shard.source, row["reason"]] += 1
    rows = [(*key, count) for key, count in sorted(reasons.items())]
    return pd.DataFrame(rows, columns=["source", "reason", "count"])


def _all(paths: Sequence[Path], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *(read_parquet(path, schema) for path in paths)])
