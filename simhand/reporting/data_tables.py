"""The schemas of the data report's tables, for queries of one's own."""

from __future__ import annotations

import pyarrow as pa

from simhand.tables import DROPPED

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

# How many came how far. Where `loss` is empty, `count` is how many of a `unit` (videos, frames, hands) reached `stage`;
# the rows after it, of the same stage, tell how many did not come further, and why: stage minus losses is the next
# stage. `pool` is empty for what comes before pools.
FUNNEL = pa.schema(
    [("source", _TEXT), ("pool", _TEXT), ("unit", _TEXT), ("stage", _TEXT), ("loss", _TEXT), ("count", _COUNT)]
)

# One row a video. `hands`: as found, and of each side; `dropped_...`: those that are not kept, by reason (DROPPED);
# `kept`: after selection and balancing, and of each side; `keypoints`: hands with keypoints. Of annotated sources only
# those hands count whose image could be read.
VIDEOS = pa.schema(
    [
        ("source", _TEXT), ("video_id", _TEXT), ("status", _TEXT), ("reason", _TEXT), ("fps", _NUMBER),
        ("duration_s", _NUMBER), ("frames", _COUNT), ("hands", _COUNT), ("left", _COUNT), ("right", _COUNT),
        *((f"dropped_{reason}", _COUNT) for reason in DROPPED),
        ("kept", _COUNT), ("kept_left", _COUNT), ("kept_right", _COUNT), ("crops", _COUNT), ("keypoints", _COUNT),
    ]
)  # fmt: skip

# How many hands of a source touch what (`contact`: one of CONTACT_STATES, or unknown), as `detector` tells; how many of
# them are kept, and of how many an object is known that they touch (null: the detector tells neither).
UNKNOWN = "unknown"
CONTACTS = pa.schema(
    [
        ("source", _TEXT), ("detector", _TEXT), ("contact", _TEXT),
        ("hands", _COUNT), ("kept", _COUNT), ("with_object", _COUNT),
    ]
)  # fmt: skip

# How many hands of a source have a `quantity` from `low` up to `high`, which the last bin includes: box_px, the longer
# side of the box in pixels; box_share, the same in units of the frame's longer side; score, of detection;
# keypoint_score; visible, the share of keypoints inside the frame.
HISTOGRAMS = pa.schema([("source", _TEXT), ("quantity", _TEXT), ("low", _NUMBER), ("high", _NUMBER), ("hands", _COUNT)])

# Distances in PCA space, of annotated neighbours too, to the neighbour of each rank over all hands of a pool: quantiles
# and mean. Rank 0 stands for random hands of other videos.
DISTANCES = pa.schema(
    [("pool", _TEXT), ("rank", _COUNT), ("pairs", _COUNT), ("mean", _NUMBER)]
    + [(f"q{percent:02d}", _NUMBER) for percent in (5, 25, 50, 75, 95)]
)

# What each component of a pool's PCA explains of the variance of the keypoints, from 0 to 1.
EXPLAINED_VARIANCE = pa.schema(
    [("pool", _TEXT), ("component", _COUNT), ("explained", _NUMBER), ("cumulative", _NUMBER)]
)

# How many hands of a pool are the nearest neighbour (rank 1) of so many others.
CHOSEN = pa.schema([("pool", _TEXT), ("times", _COUNT), ("hands", _COUNT)])
