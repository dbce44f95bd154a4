"""The way from videos to pairs: how many came this far, and why the others did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from simhand.files import read_parquet
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import Pool, Shard
from simhand.tables import BALANCED, KEYPOINTS, MEMBERS, VIDEO_STATUS

_STATUSES = ("ok", "empty", "corrupt", "timeout")


def funnel(shards: Sequence[Shard], pools: Sequence[Pool]) -> pd.DataFrame:
    """Counts for each source, stage by stage: columns source, what, count.

    Raises:
        TableError: a table is missing or damaged.
    """
    in_pools = {pool.name: Counter(read_parquet(pool.members, MEMBERS)["source"].to_pylist()) for pool in pools}
    rows: list[tuple[str, str, int]] = []
    for source in dict.fromkeys(shard.source for shard in shards):
        counts = _source_counts([shard for shard in shards if shard.source == source])
        counts |= {f"hands in pool {name}": members[source] for name, members in in_pools.items()}
        rows += [(source, what, count) for what, count in counts.items()]
    return pd.DataFrame(rows, columns=["source", "what", "count"])


def _source_counts(shards: Sequence[Shard]) -> dict[str, int]:
    statuses = _all([shard.status for shard in shards], VIDEO_STATUS)
    by_status = Counter(statuses["status"].to_pylist())
    balanced = _all([shard.balanced for shard in shards], BALANCED).to_pandas()
    kept = balanced[balanced["kept"]]
    keypoints = Counter(_all([shard.keypoints for shard in shards], KEYPOINTS)["status"].to_pylist())
    return {
        "videos": len(statuses),
        **{f"videos {status}": by_status[status] for status in _STATUSES},
        "frames": sum(statuses["frames"].to_pylist()),
        "left hands found": int((balanced["side"] == "left").sum()),
        "right hands found": int((balanced["side"] == "right").sum()),
        "left hands kept": int((kept["side"] == "left").sum()),
        "right hands kept": int((kept["side"] == "right").sum()),
        "crops": keypoints.total(),
        "crops with keypoints": keypoints["found"],
        "crops without keypoints": keypoints["missed"],
    }


def funnel_grid(counts: pd.DataFrame) -> Grid:
    """The counts for reading: a line a stage, a column a source, and all sources together."""
    wide = counts.pivot_table(index="what", columns="source", values="count", sort=False)
    sources = list(dict.fromkeys(counts["source"]))
    wide = wide[sources].assign(**{"all sources": wide.sum(axis=1)} if len(sources) > 1 else {}).astype(int)
    rows = [
        [str(what), *(f"{count:,}" for count in line)] for what, line in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return Grid(["", *wide.columns], rows, frozenset(range(1, len(wide.columns) + 1)))


def failed_videos(shards: Sequence[Shard]) -> pd.DataFrame:
    """The videos that gave no frames, or not all of them, and why: columns source, video_id, status, reason, frames."""
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
