"""What became of each video: a row a video."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from simhand.errors import TableError
from simhand.files import open_arrow, read_parquet
from simhand.reporting.data_inputs import Shard
from simhand.reporting.data_tables import VIDEOS
from simhand.reporting.shard_hands import hands_of
from simhand.tables import CROPS, DROPPED, KEYPOINTS, VIDEO_STATUS

_SIDES = ("left", "right")
_OF_HANDS = ["hands", *_SIDES, *(f"dropped_{reason}" for reason in DROPPED), "kept", "kept_left", "kept_right"]
_COUNTS = [*_OF_HANDS, "crops", "keypoints"]


def videos_table(shards: Sequence[Shard]) -> pa.Table:
    """One row a video of all shards (VIDEOS), in their order.

    Raises:
        TableError: a table is missing or damaged, or two of a shard do not belong together.
    """
    frames = [_videos_of(shard) for shard in shards]
    rows = pd.concat(frames, ignore_index=True) if frames else VIDEOS.empty_table().to_pandas()
    return pa.Table.from_pandas(rows[VIDEOS.names], VIDEOS, preserve_index=False)


def _videos_of(shard: Shard) -> pd.DataFrame:
    videos = read_parquet(shard.status, VIDEO_STATUS).to_pandas()
    hands = hands_of(shard, ["video_id", "side"])
    for reason in DROPPED:
        hands[f"dropped_{reason}"] = hands["dropped"] == reason
    for side in _SIDES:
        hands[side] = hands["side"] == side
        hands[f"kept_{side}"] = hands[side] & hands["kept"]
    counts = hands.assign(hands=1).groupby("video_id")[_OF_HANDS].sum()
    crops = _crops_of(shard).groupby("video_id")["found"].agg(crops="size", keypoints="sum")
    counts = counts.join(crops, how="outer")
    joined = videos.join(counts, on="video_id")
    joined[_COUNTS] = joined[_COUNTS].astype("float64").fillna(0).astype("int64")
    return joined.assign(source=shard.source)


def _crops_of(shard: Shard) -> pd.DataFrame:
    """Columns video_id, found: a row a crop, and whether it has keypoints."""
    crops, keypoints = open_arrow(shard.crops, CROPS), read_parquet(shard.keypoints, KEYPOINTS, ["hand_id", "status"])
    if not crops["hand_id"].equals(keypoints["hand_id"]):
        raise TableError("crops and keypoints do not belong together", where=shard.keypoints)
    return pd.DataFrame(
        {"video_id": crops["video_id"].to_pandas(), "found": keypoints["status"].to_pandas() == "found"}
    )
