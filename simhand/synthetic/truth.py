"""What is true in the rendered videos: one row a hand a frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from simhand.files import keypoints_column
from simhand.synthetic.camera import Camera
from simhand.synthetic.hands import Hand
from simhand.tables import N_JOINTS

# video_id is the file's path below the folder of videos. keypoints_px: 21 x (x, y) in pixels of the frame, the middle
# of the first at (0, 0). keypoints_m: 21 x (x, y, z) in the camera's frame. visible: most joints are in the picture
# and behind no other hand.
TRUTH = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in (
            ("video_id", pa.string()),
            ("frame_index", pa.int32()),
            ("timestamp_s", pa.float64()),
            ("side", pa.string()),
            ("visible", pa.bool_()),
            ("keypoints_px", pa.list_(pa.float32(), 2 * N_JOINTS)),
            ("keypoints_m", pa.list_(pa.float32(), 3 * N_JOINTS)),
        )
    ]
)


# What is true in labelled sets: one row a hand an image. set is the folder; name as the readers have it; keypoints_px
# in the image as it lies on disk, also those of left hands.
LABELLED_TRUTH = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in (
            ("set", pa.string()),
            ("name", pa.string()),
            ("side", pa.string()),
            ("keypoints_px", pa.list_(pa.float32(), 2 * N_JOINTS)),
        )
    ]
)


def labelled_truth_table(folder: str, rows: Sequence[tuple[str, str, list[list[float]]]]) -> pa.Table:
    """The rows of one labelled set, from names, sides and keypoints (21, 2)."""
    names, sides, keypoints = zip(*rows, strict=True)
    columns = [pa.array([folder] * len(rows)), pa.array(names), pa.array(sides), keypoints_column(np.array(keypoints))]
    return pa.table(columns, schema=LABELLED_TRUTH)


def truth_table(
    video_id: str, times_s: np.ndarray, hands: Sequence[Hand], visible: np.ndarray, camera: Camera
) -> pa.Table:
    """The rows of one video, hand by hand.

    Args:
        video_id: names the video.
        times_s: (n,) when each frame is shown.
        hands: the video's hands.
        visible: bool (hands, n).
        camera: projects the joints.
    """
    tables = [_hand_table(video_id, times_s, hand, seen, camera) for hand, seen in zip(hands, visible, strict=True)]
    return pa.concat_tables([TRUTH.empty_table(), *tables])


def _hand_table(video_id: str, times_s: np.ndarray, hand: Hand, visible: np.ndarray, camera: Camera) -> pa.Table:
    frames = len(times_s)
    columns = [
        pa.array([video_id] * frames),
        pa.array(np.arange(frames, dtype=np.int32)),
        pa.array(times_s),
        pa.array([hand.side] * frames),
        pa.array(visible),
        keypoints_column(camera.project(hand.joints_m)),
        keypoints_column(hand.joints_m),
    ]
    return pa.table(columns, schema=TRUTH)


def joints_array(column: pa.ChunkedArray) -> np.ndarray:
    """A column of keypoints of a truth table as float32 (n, 21, 2 or 3)."""
    values = np.asarray(column.combine_chunks().flatten(), dtype=np.float32)
    return values.reshape(len(column), N_JOINTS, -1)
