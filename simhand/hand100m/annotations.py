"""The released annotations as a table: the JSON is read once, and everything else starts from here."""

from __future__ import annotations

import pyarrow as pa

from simhand.tables import N_JOINTS

FRAMES_PER_S = 30  # the released frames are every 30th; `timestamp_s` counts on 30 frames a second, as Ego4D has
SIDES = {"Left": "left", "Right": "right"}  # the annotations' word, and ours
SIDE_SOURCE = "hand100m"


def _required(*columns: tuple[str, pa.DataType]) -> list[pa.Field]:
    return [pa.field(name, kind, nullable=False) for name, kind in columns]


# One row an annotation, in the order of the JSON. `file_name` leads from the folder of images to the frame; its folder
# is the `video_id`. The frame's size is null where the JSON does not state it. Boxes are float64: the official code
# truncates them as they stand. `keypoints` are the JSON's: in units of the official square, not yet mirrored.
ANNOTATIONS = pa.schema(
    [
        *_required(
            ("hand_id", pa.string()), ("file_name", pa.string()), ("video_id", pa.string()), ("frame_index", pa.int32())
        ),
        pa.field("frame_width", pa.int32()),
        pa.field("frame_height", pa.int32()),
        *_required(*((name, pa.float64()) for name in ("x1", "y1", "x2", "y2"))),
        *_required(
            ("left_right", pa.string()),
            ("keypoints", pa.list_(pa.float32(), 3 * N_JOINTS)),
            ("positives", pa.list_(pa.string())),
            ("distances", pa.list_(pa.float32())),
        ),
    ]
)


def pool_hand_id(source: str, hand_id: str) -> str:
    """What an annotated hand is called in our tables: no two sources share a name."""
    return f"{source}/{hand_id}"
