"""The joints of found hands as tables: joints.parquet for programs, joints.json for everybody.

Pixels are those of the image as it is seen (turned as its EXIF data or its container say, and never mirrored), x to the
right, y down, with the centre of the first pixel at (0, 0). Millimetres are relative to the wrist: x to the right, y
down, z away from the camera, whose focal length is assumed; so is the length of the bone from the wrist to the middle
finger's base, which all lengths are scaled with. Joints come in the order of `simhand.joints.JOINTS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from simhand.files import keypoints_array, keypoints_column, whole_file, write_parquet
from simhand.joints import JOINTS
from simhand.prediction.hands import FoundHand
from simhand.tables import N_JOINTS

# One row a hand, by source, frame, and from left to right. `source` is the file as it was named; `frame_index` counts
# the frames of a video, `timestamp_s` is from its first one on; both are 0 in images. `side` is left or right, as the
# person would say; `score` is the detector's, MediaPipe's being how sure it is of the side.
HAND_JOINTS = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in (
            ("source", pa.string()),
            ("frame_index", pa.int32()),
            ("timestamp_s", pa.float64()),
            ("hand", pa.int32()),
            ("side", pa.string()),
            ("score", pa.float32()),
            *((name, pa.float32()) for name in ("x1", "y1", "x2", "y2")),
            ("keypoints_px", pa.list_(pa.float32(), 2 * N_JOINTS)),
            ("joints_mm", pa.list_(pa.float32(), 3 * N_JOINTS)),
            ("bone_mm", pa.float32()),
            ("focal_px", pa.float32()),
        )
    ]
)
UNITS = {
    "joints_mm": "millimetres relative to the wrist, x to the right, y down, z away from the camera; bone_mm, from the "
    "wrist to the middle finger's base, and the camera's focal_px are assumed, not measured",
    "keypoints_px": "pixels of the image as it is seen, x to the right, y down, centre of the first pixel at (0, 0)",
    "box_px": "x1, y1, x2, y2 of the detected hand, pixels as in keypoints_px",
    "score": "the detector's: how sure it is of the side",
    "timestamp_s": "seconds after the video's first frame",
}
_PX_DIGITS, _MM_DIGITS, _S_DIGITS, _SCORE_DIGITS = 2, 2, 4, 4  # in JSON


class FrameHands(NamedTuple):
    """The hands of one frame."""

    frame_index: int
    timestamp_s: float
    hands: Sequence[FoundHand]


def rows_of(source: str, frames: Sequence[FrameHands]) -> pa.RecordBatch:
    """The hands of some frames of a file as rows of HAND_JOINTS."""
    rows = [(frame, number, hand) for frame in frames for number, hand in enumerate(frame.hands)]
    hands = [hand for *_, hand in rows]
    values = [
        [source] * len(rows),
        [frame.frame_index for frame, *_ in rows],
        [frame.timestamp_s for frame, *_ in rows],
        [number for _, number, _ in rows],
        [hand.side for hand in hands],
        [hand.score for hand in hands],
        *np.array([hand.box for hand in hands]).reshape(-1, 4).T,
        keypoints_column(np.array([hand.keypoints_px for hand in hands]).reshape(-1, N_JOINTS, 2)),
        keypoints_column(np.array([hand.joints_mm for hand in hands]).reshape(-1, N_JOINTS, 3)),
        [hand.bone_mm for hand in hands],
        [hand.focal_px for hand in hands],
    ]
    columns = [pa.array(column).cast(field.type) for column, field in zip(values, HAND_JOINTS, strict=True)]
    return pa.record_batch(columns, schema=HAND_JOINTS)


def write_joints(rows: Sequence[pa.RecordBatch], facts: Mapping[str, Any], out: Path) -> None:
    """Writes joints.parquet and joints.json into a folder.

    Args:
        rows: of HAND_JOINTS.
        facts: what else the JSON tells, plain values.
        out: the folder.
    """
    table = pa.Table.from_batches(rows, HAND_JOINTS)
    write_parquet(table.combine_chunks(), out / "joints.parquet", HAND_JOINTS)
    with whole_file(out / "joints.json") as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(_document(table, facts))


def _document(table: pa.Table, facts: Mapping[str, Any]) -> Iterator[str]:
    """JSON, a hand a line, piece by piece: a long video has many."""
    head = json.dumps({**facts, "joints": JOINTS, "units": UNITS}, indent=1, ensure_ascii=False)
    yield head.removesuffix("\n}") + ',\n "hands": ['
    separator = "\n  "
    for batch in table.to_batches(max_chunksize=1024):
        for hand in _hands(pa.Table.from_batches([batch])):
            yield separator + json.dumps(hand, ensure_ascii=False)
            separator = ",\n  "
    yield "\n ]\n}\n"


def _hands(table: pa.Table) -> Iterator[dict[str, Any]]:
    keypoints_px = keypoints_array(table["keypoints_px"], 2)
    joints_mm = keypoints_array(table["joints_mm"])
    plain = table.drop_columns(["keypoints_px", "joints_mm"]).to_pylist()
    for row, points, joints in zip(plain, keypoints_px, joints_mm, strict=True):
        yield {
            **{name: row[name] for name in ("source", "frame_index")},
            "timestamp_s": round(row["timestamp_s"], _S_DIGITS),
            **{name: row[name] for name in ("hand", "side")},
            "score": round(row["score"], _SCORE_DIGITS),
            "box_px": [round(row[name], _PX_DIGITS) for name in ("x1", "y1", "x2", "y2")],
            "keypoints_px": _rounded(points, _PX_DIGITS),
            "joints_mm": _rounded(joints, _MM_DIGITS),
            "bone_mm": round(row["bone_mm"], _MM_DIGITS),
            "focal_px": round(row["focal_px"], _PX_DIGITS),
        }


def _rounded(values: np.ndarray, digits: int) -> list[Any]:
    rounded: list[Any] = (np.round(values.astype(float), digits) + 0.0).tolist()  # no minus before a zero
    return rounded
