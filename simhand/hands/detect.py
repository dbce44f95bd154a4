"""Finds the hands in a shard's frames."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from tqdm import tqdm

from simhand.files import open_arrow, write_parquet
from simhand.frames.images import decode_jpeg
from simhand.hands.boxes import iou
from simhand.hands.detector import DETECTORS, Detection
from simhand.hands.settings import DetectionSettings
from simhand.tables import FRAMES, HANDS

log = logging.getLogger(__name__)
_BATCH = 8


def detect_shard(
    source: str, frames_path: Path | str, model: Path | str, hands_path: Path | str, settings: DetectionSettings
) -> None:
    """Stage 3: writes the hands of a shard's frames (HANDS), in the order of the frames, best score first.

    A hand's id is `source/video_id#frame_index.k`, k counting the hands of a frame.
    """
    frames = open_arrow(frames_path, FRAMES)
    rows = list(_rows(source, frames, model, settings))
    log.info("%d hands in %d frames", len(rows), len(frames))
    write_parquet(pa.Table.from_pylist(rows, HANDS), hands_path, HANDS)


def _rows(source: str, frames: pa.Table, model: Path | str, settings: DetectionSettings) -> Iterator[dict]:
    if len(frames) == 0:
        return
    with (
        DETECTORS[settings.detector](settings, model) as detector,
        tqdm(total=len(frames), desc="frames", unit="frame", disable=None) as progress,
    ):
        for first in range(0, len(frames), _BATCH):
            batch = frames.slice(first, _BATCH)
            images = [decode_jpeg(cell) for cell in batch["jpeg"]]
            found = detector.detect(images)
            keys = batch.drop_columns("jpeg").to_pylist()
            for offset, (key, image, detections) in enumerate(zip(keys, images, found, strict=True)):
                height, width = image.shape[:2]
                frame = {**key, "frame_row": first + offset, "frame_width": width, "frame_height": height}
                yield from _hands_of_frame(source, frame, detections, settings)
            progress.update(len(batch))


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
