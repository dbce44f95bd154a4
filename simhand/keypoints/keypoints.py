"""Finds the 21 keypoints of each crop's hand.

The landmarker looks at a square wider than the crop, cut from the frame and mirrored like the crop: on squares as tight
as the crop it misses many hands. What it finds is expressed in the crop's units.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from simhand.files import open_arrow, write_parquet
from simhand.frames.images import decode_jpeg
from simhand.hands.boxes import cut, iou, square_around
from simhand.hands.landmarker import LandmarkedHand, Landmarker
from simhand.keypoints.settings import LandmarkSettings
from simhand.tables import CROPS, FRAMES, KEYPOINTS

log = logging.getLogger(__name__)
_MAX_HANDS = 2  # in a square around one hand: it and the one beside it
_COLUMNS = ["hand_id", "frame_row", "flipped", "x1", "y1", "x2", "y2"]
_SQUARE = ["square_x1", "square_y1", "square_x2", "square_y2"]


def find_keypoints(
    frames_path: Path | str,
    crops_path: Path | str,
    model: Path | str,
    keypoints_path: Path | str,
    settings: LandmarkSettings,
) -> None:
    """Stage 6: writes the keypoints of a shard's crops (KEYPOINTS), row by row; missed hands keep their row.

    Keypoints: MediaPipe order, x, y, z in units of the crop, see `simhand.tables` (paper: section 3.2).
    """
    frames = open_arrow(frames_path, FRAMES)
    crops = open_arrow(crops_path, CROPS).select(_COLUMNS + _SQUARE).to_pylist()
    rows: list[dict] = []
    if crops:
        with Landmarker(model, _MAX_HANDS, settings.score_threshold) as landmarker:
            rows = list(_rows(frames, crops, landmarker, settings))
    found = sum(row["status"] == "found" for row in rows)
    log.info("keypoints of %d of %d hands", found, len(rows))
    write_parquet(pa.Table.from_pylist(rows, KEYPOINTS), keypoints_path, KEYPOINTS)


def _rows(frames: pa.Table, crops: list[dict], landmarker: Landmarker, settings: LandmarkSettings) -> Iterator[dict]:
    progress = tqdm(crops, desc="keypoints", unit="hand", disable=None)
    for frame_row, group in groupby(progress, key=lambda crop: crop["frame_row"]):
        image = decode_jpeg(frames["jpeg"][frame_row])
        for crop in group:
            yield _row(image, crop, landmarker, settings)


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
