"""Finds the hands in a shard's frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from simhand.files import open_arrow, write_parquet
from simhand.frames.images import frame_image
from simhand.hands.detector import Detection, HandDetector
from simhand.hands.workers import in_workers
from simhand.progress import Progress
from simhand.tables import FRAMES, HANDS, OBJECT, OFFSET

log = logging.getLogger(__name__)
_PART = 32  # frames that a worker is given


def detect_shard(
    source: str,
    frames_path: Path | str,
    hands_path: Path | str,
    open_detector: Callable[[], HandDetector],
    *,
    workers: int = 1,
    leaks: bool = True,
) -> None:
    """Stage 3: writes the hands of a shard's frames (HANDS), in the order of the frames, best score first.

    A hand's id is `source/video_id#frame_index.k`, k counting the hands of a frame. The hands are the same whatever the
    number of `workers`, processes of one thread each, which share a GPU where the detector runs on one.

    Args:
        source: name of the source that the shard belongs to.
        frames_path: the shard's frames (FRAMES).
        hands_path: what is written.
        open_detector: called once in each worker, in which the detector then stays; travels by pickle.
        workers: processes at a time.
        leaks: whether the detector leaks memory, so that workers are replaced from time to time.

    Raises:
        TableError: a frame is no JPEG.
        WorkerError: a worker died.
    """
    count = len(open_arrow(frames_path, FRAMES))
    parts = [range(first, min(first + _PART, count)) for first in range(0, count, _PART)]
    start = partial(_start, source, frames_path, open_detector)
    lifetime = {} if leaks else {"parts_a_worker": max(1, len(parts))}
    tables = [HANDS.empty_table()]
    with Progress("frames", count) as progress:
        for part, hands in zip(parts, in_workers(start, parts, workers, **lifetime), strict=True):
            tables.append(hands)
            progress.advance(len(part), hands=len(hands))
    write_parquet(pa.concat_tables(tables), hands_path, HANDS)


def _start(
    source: str, frames_path: Path | str, open_detector: Callable[[], HandDetector]
) -> Callable[[range], pa.Table]:
    """What a worker does with a range of frames: their hands."""
    frames = open_arrow(frames_path, FRAMES)
    detector = open_detector()

    def hands_in(rows: range) -> pa.Table:
        batches = [rows[first : first + detector.at_once] for first in range(0, len(rows), detector.at_once)]
        hands = chain.from_iterable(_hands_in(batch) for batch in batches)
        return pa.Table.from_pylist(list(hands), HANDS)

    def _hands_in(rows: range) -> Iterator[dict]:
        images = [frame_image(frames, row, frames_path) for row in rows]
        keys = frames.slice(rows.start, len(rows)).drop_columns("jpeg").to_pylist()
        for row, key, image, found in zip(rows, keys, images, detector.detect(images), strict=True):
            height, width = image.shape[:2]
            frame = {**key, "frame_row": row, "frame_width": width, "frame_height": height}
            yield from (_hand(source, frame, k, hand, detector.name) for k, hand in enumerate(found))

    return hands_in


def _hand(source: str, frame: dict, k: int, hand: Detection, detector: str) -> dict:
    """A row of HANDS."""
    row = {
        **frame,
        "hand_id": f"{source}/{frame['video_id']}#{frame['frame_index']}.{k}",
        **dict(zip(("x1", "y1", "x2", "y2"), hand.box, strict=True)),
        **{"score": hand.score, "side": hand.side, "detected_side": hand.detected_side, "contact": hand.contact},
        "side_source": detector,
    }
    if hand.offset is not None:
        row |= zip(OFFSET, hand.offset, strict=True)
    if hand.touched is not None:
        row |= zip(OBJECT, (*hand.touched.box, hand.touched.score), strict=True)
    return row
