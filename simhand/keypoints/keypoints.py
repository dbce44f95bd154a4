"""Finds the 21 keypoints of each crop's hand.

The landmarker looks at a square wider than the crop, cut from the frame and mirrored like the crop: on squares as tight
as the crop it misses many hands. What it finds is expressed in the crop's units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.files import open_arrow, write_parquet
from simhand.frames.images import frame_image
from simhand.hands.boxes import cut, iou, square_around
from simhand.hands.landmarker import LandmarkedHand, Landmarker
from simhand.hands.workers import in_workers
from simhand.keypoints.settings import LandmarkSettings
from simhand.progress import Progress
from simhand.tables import CROPS, FRAMES, KEYPOINTS

_PART = 32  # hands that a worker is given
_MAX_HANDS = 2  # in a square around one hand: it and the one beside it
_COLUMNS = ["hand_id", "frame_row", "flipped", "x1", "y1", "x2", "y2"]
_SQUARE = ["square_x1", "square_y1", "square_x2", "square_y2"]


def find_keypoints(
    frames_path: Path | str,
    crops_path: Path | str,
    model: Path | str,
    keypoints_path: Path | str,
    settings: LandmarkSettings,
    *,
    workers: int = 1,
) -> None:
    """Stage 6: writes the keypoints of a shard's crops (KEYPOINTS), row by row; missed hands keep their row.

    Keypoints: MediaPipe order, x, y, z in units of the crop, see `simhand.tables` (paper: section 3.2). They are the
    same whatever the number of `workers`, processes of one thread each.

    Raises:
        TableError: a frame is no JPEG.
        WorkerError: a worker died.
    """
    frame_rows = open_arrow(crops_path, CROPS)["frame_row"].to_numpy()
    parts = _parts(frame_rows)
    tables = [KEYPOINTS.empty_table()]
    with Progress("hands", len(frame_rows)) as progress:
        start = partial(_start, frames_path, crops_path, model, settings)
        for part, keypoints in zip(parts, in_workers(start, parts, workers), strict=True):
            tables.append(keypoints)
            progress.advance(len(part), found=len(keypoints) - keypoints["keypoints"].null_count)
    write_parquet(pa.concat_tables(tables), keypoints_path, KEYPOINTS)


def _parts(frame_rows: np.ndarray) -> list[range]:
    """Ranges of crops of at most 32 hands, or one frame: the hands of a frame stay together, it is decoded once."""
    borders = np.flatnonzero(np.diff(frame_rows, prepend=-1, append=-1)).tolist()  # where a frame's hands begin
    firsts: list[int] = []
    for start, end in pairwise(borders):
        if not firsts or end - firsts[-1] > _PART:
            firsts.append(start)
    return [range(first, end) for first, end in pairwise([*firsts, len(frame_rows)])]


def _start(
    frames_path: Path | str, crops_path: Path | str, model: Path | str, settings: LandmarkSettings
) -> Callable[[range], pa.Table]:
    """What a worker does with a range of crops: their keypoints."""
    frames = open_arrow(frames_path, FRAMES)
    crops = open_arrow(crops_path, CROPS).select(_COLUMNS + _SQUARE)
    landmarker = Landmarker(model, _MAX_HANDS, settings.score_threshold)  # for the life of the process

    def keypoints_of(rows: range) -> pa.Table:
        found = []
        for frame_row, group in groupby(crops.slice(rows.start, len(rows)).to_pylist(), lambda crop: crop["frame_row"]):
            image = frame_image(frames, frame_row, frames_path)
            found += [_row(image, crop, landmarker, settings) for crop in group]
        return pa.Table.from_pylist(found, KEYPOINTS)

    return keypoints_of


def _row(image: np.ndarray, crop: dict, landmarker: Landmarker, settings: LandmarkSettings) -> dict:
    box = [crop[name] for name in ("x1", "y1", "x2", "y2")]
    others = 0
    for scale in settings.square_scales:
        hands = _hands_in_frame(image, square_around(box, scale), crop["flipped"], landmarker)
        best = max(hands, key=lambda hand: iou(hand.box, box), default=None)
        if best is not None and iou(best.box, box) >= settings.min_overlap:
            keypoints = in_crop_units(best.keypoints_px, [crop[name] for name in _SQUARE], crop["flipped"])
            found = {"status": "found", "reason": "", "score": best.score, "keypoints": keypoints.ravel()}
            return {"hand_id": crop["hand_id"], **found}
        others += len(hands)
    reason = "only other hands beside the box" if others else "no hand in the squares"
    return {"hand_id": crop["hand_id"], "status": "missed", "reason": reason, "score": None, "keypoints": None}


def _hands_in_frame(
    image: np.ndarray, square: tuple[int, int, int, int], flipped: bool, landmarker: Landmarker
) -> list[LandmarkedHand]:
    """The hands in a square of a frame, which is mirrored for looking; keypoints in pixels of the frame as it is."""
    view = cut(image, square)
    hands = landmarker.find(view[:, ::-1] if flipped else view)
    return [hand.moved(square, flipped) for hand in hands]


def in_crop_units(keypoints_px: np.ndarray, square: Sequence[float], flipped: bool) -> np.ndarray:
    """Keypoints (21, 3) in pixels of the frame to units of the crop, which shows `square`, mirrored if `flipped`.

    A clipped square has two side lengths; z is divided by the width, like x.
    """
    x1, y1, x2, y2 = square
    unit = (keypoints_px - [x1, y1, 0]) / [x2 - x1, y2 - y1, x2 - x1]
    if flipped:
        unit[:, 0] = 1 - unit[:, 0]
    return unit.astype(np.float32)
