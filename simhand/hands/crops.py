"""Cuts out the kept hands as squares, left hands mirrored, so that every crop shows a right hand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.errors import TableError
from simhand.files import arrow_writer, open_arrow, read_parquet
from simhand.frames.images import encode_jpeg, frame_image
from simhand.hands.boxes import clipped_square, cut, resize, square_around
from simhand.hands.settings import CropSettings
from simhand.progress import Progress
from simhand.tables import BALANCED, CROPS, FRAMES, HANDS

log = logging.getLogger(__name__)
_BATCH = 256  # crops of a batch: each costs every process that reads the file some kilobytes


def crop_shard(
    frames_path: Path | str,
    hands_path: Path | str,
    balanced_path: Path | str,
    crops_path: Path | str,
    settings: CropSettings,
) -> None:
    """Stage 5: writes the crops of a shard's kept hands (CROPS), in the order of the table of hands.

    A box outside the frame, or with no area, gives no crop.
    """
    frames = open_arrow(frames_path, FRAMES)
    hands = _kept(read_parquet(hands_path, HANDS), read_parquet(balanced_path, BALANCED), balanced_path)
    count = 0
    with arrow_writer(crops_path, CROPS) as writer, Progress("hands", len(hands)) as progress:
        for first in range(0, len(hands), _BATCH):
            rows = list(_crops_of(hands.slice(first, _BATCH).to_pylist(), frames, frames_path, settings))
            writer.write_batch(pa.RecordBatch.from_pylist(rows, CROPS))
            count += len(rows)
            progress.advance(min(_BATCH, len(hands) - first), crops=len(rows))
    log.info("%d crops of %d hands", count, len(hands))


def _crops_of(hands: list[dict], frames: pa.Table, where: Path | str, settings: CropSettings) -> Iterator[dict]:
    for frame_row, group in groupby(hands, key=lambda hand: hand["frame_row"]):
        yield from _crops(frame_image(frames, frame_row, where), group, settings)


def _kept(hands: pa.Table, balanced: pa.Table, where: Path | str) -> pa.Table:
    if not hands["hand_id"].equals(balanced["hand_id"]):
        raise TableError("the balanced hands are not those of the table of hands", where=where)
    return hands.filter(pc.field("hand_id").isin(balanced.filter(pc.field("kept"))["hand_id"].combine_chunks()))


def _crops(image: np.ndarray, hands: Iterator[dict], settings: CropSettings) -> Iterator[dict]:
    height, width = image.shape[:2]
    for hand in hands:
        box = (hand["x1"], hand["y1"], hand["x2"], hand["y2"])
        if min(box[2], width) <= max(box[0], 0) or min(box[3], height) <= max(box[1], 0):
            log.warning("%s: its box %s lies outside the frame of %d x %d", hand["hand_id"], box, width, height)
            continue
        clip = settings.border == "clip"
        square = clipped_square(box, settings.scale, width, height) if clip else square_around(box, settings.scale)
        if min(square[2] - square[0], square[3] - square[1]) < 1:  # clipped, of a box of a pixel or less
            log.warning("%s: its box %s is too small for a crop", hand["hand_id"], box)
            continue
        crop = resize(cut(image, square), settings.size)
        flipped = hand["side"] == "left"
        yield {
            **{name: hand[name] for name in CROPS.names if name in hand},
            "flipped": flipped,
            **dict(zip(("square_x1", "square_y1", "square_x2", "square_y2"), map(float, square), strict=True)),
            "jpeg": encode_jpeg(crop[:, ::-1] if flipped else crop, settings.jpeg_quality),
        }
