"""Finds the hands in a shard's frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from simhand.files import open_arrow, write_parquet
from simhand.frames.images import frame_image
from simhand.hands.boxes import iou
from simhand.hands.detector import DETECTORS, Detection
from simhand.hands.settings import DetectionSettings
from simhand.hands.workers import in_workers
from simhand.progress import Progress
from simhand.tables import FRAMES, HANDS

log = logging.getLogger(__name__)
_AT_ONCE = 8  # decoded frames that a detector is given
_PART = 32  # frames that a worker is given


def detect_shard(
    source: str,
    frames_path: Path | str,
    model: Path | str,
    hands_path: Path | str,
    settings: DetectionSettings,
    *,
    workers: int = 1,
) -> None:
    """Stage 3: writes the hands of a shard's frames (HANDS), in the order of the frames, best score first.

    A hand's id is `source/video_id#frame_index.k`, k counting the hands of a frame. The hands are the same whatever the
    number of `workers`, processes of one thread each.

    Raises:
        TableError: a frame is no JPEG.
        WorkerError: a worker died.
    """
    count = len(open_arrow(frames_path, FRAMES))
    parts = [range(first, min(first + _PART, count)) for first in range(0, count, _PART)]
    start = partial(_start, source, frames_path, model, settings)
    tables = [HANDS.empty_table()]
    with Progress("frames", count) as progress:
        for part, hands in zip(parts, in_workers(start, parts, workers), strict=True):
            tables.append(hands)
            progress.advance(len(part), hands=len(hands))
    write_parquet(pa.concat_tables(tables), hands_path, HANDS)


def _start(
    source: str, frames_path: Path | str, model: Path | str, settings: DetectionSettings
) -> Callable[[range], pa.Table]:
    """What a worker does with a range of frames: their hands."""
    frames = open_arrow(frames_path, FRAMES)
    detector = DETECTORS[settings.detector](settings, model).__enter__()  # for the life of the process

    def hands_in(rows: range) -> pa.Table:
        batches = [rows[first : first + _AT_ONCE] for first in range(0, len(rows), _AT_ONCE)]
        hands = chain.from_iterable(_hands_in(batch) for batch in batches)
        return pa.Table.from_pylist(list(hands), HANDS)

    def _hands_in(rows: range) -> Iterator[dict]:
        images = [frame_image(frames, row, frames_path) for row in rows]
        keys = frames.slice(rows.start, len(rows)).drop_columns("jpeg").to_pylist()
        for row, key, image, found in zip(rows, keys, images, detector.detect(images), strict=True):
            height, width = image.shape[:2]
            frame = {**key, "frame_row": row, "frame_width": width, "frame_height": height}
            yield from _hands_of_frame(source, frame, found, settings)

    return hands_in


def _hands_of_frame(
    source: str, frame: dict, detections: list[Detection], settings: DetectionSettings
) -> Iterator[dict]:
    for k, hand in enumerate(suppress_overlaps(detections, settings.max_overlap)):
        x1, y1, x2, y2 = hand.box
        yield {
            **frame,
            "hand_id": f"{source}/{frame['video_id']}#{frame['frame_index']}.{k}",
            **{"x1": x1, "y1": y1, "x2": x2, "y2": y2},
            **{"score": hand.score, "side": hand.side, "detected_side": hand.detected_side, "contact": hand.contact},
            "side_source": settings.detector,
        }


def suppress_overlaps(detections: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """The detections, best score first, without those that overlap a better one by more than `max_overlap` (IoU)."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        if all(iou(detection.box, other.box) <= max_overlap for other in kept):
            kept.append(detection)
    return kept
