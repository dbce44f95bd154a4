"""The contract between stages: the Arrow schema of every table that one stage writes and another reads.

Boxes and squares are in pixels of the full frame, x to the right, y down. `keypoints` holds 21 x (x, y, z) in MediaPipe
order (wrist, then thumb to little finger, four joints each), in units of the training crop: (0, 0) is its upper left
corner, (1, 1) its lower right one; z is relative to the wrist, in the same unit, negative towards the camera.
"""

from __future__ import annotations

import pyarrow as pa

N_JOINTS = 21

_TEXT = pa.string()
_JPEG = pa.binary()
_KEYPOINTS = pa.list_(pa.float32(), 3 * N_JOINTS)


def _required(*columns: tuple[str, pa.DataType]) -> list[pa.Field]:
    return [pa.field(name, kind, nullable=False) for name, kind in columns]


_FRAME_KEY = (("video_id", _TEXT), ("frame_index", pa.int32()), ("timestamp_s", pa.float64()))

# Stage 2. One row a sampled frame, in the order of (video, time).
FRAMES = pa.schema(_required(*_FRAME_KEY, ("jpeg", _JPEG)))

# Stage 2. One row a video. status: ok; empty: no frame; or why some or all frames are missing. corrupt: damaged, or no
# video; unreadable: cannot be opened; changed: written to while it was read; timeout, memory: more than its limit.
VIDEO_FAILURES = ("corrupt", "unreadable", "changed", "timeout", "memory")
VIDEO_STATUSES = ("ok", "empty", *VIDEO_FAILURES)
VIDEO_STATUS = pa.schema(
    [
        *_required(("video_id", _TEXT), ("status", _TEXT), ("reason", _TEXT)),
        pa.field("fps", pa.float64()),
        pa.field("duration_s", pa.float64()),
        *_required(("frames", pa.int32())),
    ]
)

# The frame a hand lies in: its row in the shard's table of frames, and its size in pixels.
_FRAME = (("frame_row", pa.int32()), ("frame_width", pa.int32()), ("frame_height", pa.int32()))

# `side` is left or right, as the person would say; `detected_side` the detector's own word for it, `side_source` the
# detector that said so.
_SIDES = (("side", _TEXT), ("detected_side", _TEXT), ("side_source", _TEXT))

# Stage 3. `score` is the detector's own; MediaPipe tells none but how sure it is of the side. What follows the sides is
# null where the detector does not know it. `contact` is one of CONTACT_STATES. The offset points from the centre of the
# hand's box to that of the object it touches: a length in units of 1,000 px, and a direction of length 0.1. The object
# is the detected one nearest to that point.
CONTACT_STATES = ("none", "self", "other", "portable", "stationary")
OFFSET = ("offset_magnitude", "offset_x", "offset_y")
OBJECT = ("object_x1", "object_y1", "object_x2", "object_y2", "object_score")
HANDS = pa.schema(
    [
        *_required(("hand_id", _TEXT), *_FRAME_KEY, *_FRAME),
        *_required(*((name, pa.float32()) for name in ("x1", "y1", "x2", "y2", "score"))),
        *_required(*_SIDES),
        pa.field("contact", _TEXT),
        *(pa.field(name, pa.float32()) for name in (*OFFSET, *OBJECT)),
    ]
)

# Stage 4. Every detected hand, and whether it stays. `dropped` tells why not: one of DROPPED, empty where it is kept.
DROPPED = ("score", "size", "contact", "balance")
BALANCED = pa.schema(_required(("hand_id", _TEXT), ("side", _TEXT), ("kept", pa.bool_()), ("dropped", _TEXT)))

# Stage 5. Crops are square and show right hands; `flipped` tells which were mirrored for that. The box is the
# detector's, the square what the crop shows.
CROPS = pa.schema(
    _required(
        ("hand_id", _TEXT),
        *_FRAME_KEY,
        *_FRAME,
        *_SIDES,
        ("flipped", pa.bool_()),
        *((name, pa.float32()) for name in ("x1", "y1", "x2", "y2")),
        *((f"square_{name}", pa.float32()) for name in ("x1", "y1", "x2", "y2")),
        ("jpeg", _JPEG),
    )
)

# Stage 6. Row i belongs to row i of the shard's crops. status: found or missed; keypoints are null where missed
# (hence a list of no fixed size: Parquet knows no null in those).
KEYPOINTS = pa.schema(
    [
        *_required(("hand_id", _TEXT), ("status", _TEXT), ("reason", _TEXT)),
        pa.field("score", pa.float32()),
        pa.field("keypoints", pa.list_(pa.float32())),
    ]
)

# Stage 7. One row a hand of the pool, `row` counting from 0; its crop is row `shard_row` of the crops of
# source and shard. `visible` is the share of its keypoints that lie inside the frame.
MEMBERS = pa.schema(
    _required(
        ("row", pa.int64()),
        ("hand_id", _TEXT),
        ("source", _TEXT),
        ("shard", _TEXT),
        ("shard_row", pa.int32()),
        *_FRAME_KEY,
        ("side", _TEXT),
        ("visible", pa.float32()),
        ("keypoints", _KEYPOINTS),
    )
)

# Stage 9. Mined: ranks 1..K and further ones by (distance, neighbour), never a neighbour from the video of `row`; the
# distances are in PCA space. Annotated: rank and distance are the annotations', of any unit; a hand may be its own.
NEIGHBOURS = pa.schema(
    _required(("row", pa.int64()), ("rank", pa.int32()), ("neighbour", pa.int64()), ("distance", pa.float32()))
)

# Stage 11. One row an evaluation hand. `image` is its path below the labelled set; where `flipped` it is mirrored, and
# all numbers are those of the mirrored image, which shows a right hand. `sequence` numbers recordings, `view` names the
# camera (empty: unknown), `hidden` is the share of joints that something hides (null: unknown). `seen` tells which
# joints are judged; true joints that are not known are NaN. Joints are 21 x (x, y, z), millimetres in the camera frame.
# No head tells a hand's size, and DetNet not its place: the place and size of predicted_mm are the true hand's (place:
# the wrist; size: the bone from wrist to the middle finger's base). mean_mm is the mean of the training hands of unit
# size, there and in that unit. absolute_mm is where the model sees the hand, given the camera and the length of the
# middle finger's next bone, as FreiHAND's challenge gives them; NaN where that bone is unknown. Keypoints are 21 x (x,
# y) in pixels of the image.
PREDICTIONS = pa.schema(
    [
        *_required(("name", _TEXT), ("image", _TEXT), ("flipped", pa.bool_()), ("sequence", pa.int64())),
        *_required(("view", _TEXT)),
        pa.field("hidden", pa.float32()),
        *_required(("seen", pa.list_(pa.bool_(), N_JOINTS))),
        *_required(*((name, _KEYPOINTS) for name in ("predicted_mm", "true_mm", "mean_mm", "absolute_mm"))),
        *_required(*((name, pa.list_(pa.float32(), 2 * N_JOINTS)) for name in ("predicted_px", "true_px"))),
    ]
)
