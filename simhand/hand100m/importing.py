"""Makes the annotated hands of one shard's videos into the tables that stages 2 to 6 would have made of videos."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.files import arrow_writer, keypoints_array, open_arrow, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.hand100m.annotations import ANNOTATIONS, FRAMES_PER_S, SIDE_SOURCE, SIDES, pool_hand_id
from simhand.hand100m.geometry import has_area, mirrored, official_square
from simhand.hand100m.image_file import LostImageError, read_image
from simhand.hand100m.settings import ImportSettings
from simhand.progress import Progress
from simhand.stable import shard_of
from simhand.tables import BALANCED, CROPS, KEYPOINTS, VIDEO_STATUS

log = logging.getLogger(__name__)

_BATCH = 256  # crops in memory at once
_BOX = ("x1", "y1", "x2", "y2")
_ORDER = [(name, "ascending") for name in ("video_id", "frame_index", "file_name")]


@dataclass(frozen=True)
class ImportedShard:
    """Where the tables of a shard are written."""

    status: Path | str
    balanced: Path | str
    crops: Path | str
    keypoints: Path | str


@dataclass
class _Video:
    """What became of a video's images."""

    images: int = 0
    hands: int = 0
    lost_hands: int = 0
    losses: list[LostImageError] = field(default_factory=list)

    def row(self, video_id: str) -> dict[str, Any]:
        """Its row of VIDEO_STATUS. Neither frame rate nor duration is known."""
        row = {"video_id": video_id, "status": "ok", "reason": "", "frames": self.images - len(self.losses)}
        if self.losses:
            counts = Counter(loss.status for loss in self.losses).most_common()
            lost = ", ".join(f"{count} {status}" for status, count in counts)
            row["status"] = counts[0][0]
            row["reason"] = (
                f"{len(self.losses)} of {self.images} images lost ({lost}), {self.lost_hands} of {self.hands} hands; "
                f"the first: {self.losses[0].reason}"
            )
        return row


def import_hands(
    annotations_path: Path | str,
    images_folder: Path | str,
    tables: ImportedShard,
    settings: ImportSettings,
    *,
    source: str,
    shard: str,
) -> None:
    """Writes crops, keypoints, balance and the videos' statuses of one shard of a source of annotations.

    A crop is the official loader's: the clipped square around the box, stretched to `settings.size` (bilinear), left
    hands mirrored. An image that is missing, damaged or of another size than annotated costs its own hands; its video's
    status then says so, and the hands stay in the table of balanced hands, all of which are kept. A hand whose
    keypoints are all one point counts as missed. Keypoints have no score, videos neither frame rate nor duration.

    Args:
        annotations_path: the source's annotations (ANNOTATIONS).
        images_folder: the folder that `file_name` starts from.
        tables: the files to write.
        settings: the stored crop.
        source: the source's name; it goes in front of each hand_id.
        shard: e.g. "03of08": the videos whose `simhand.stable.shard_of` this is.

    Raises:
        TableError: the annotations are missing or damaged.
    """
    hands = _hands_of_shard(annotations_path, source, shard)
    videos: dict[str, _Video] = {}
    keypoints: list[dict[str, Any]] = []
    with arrow_writer(tables.crops, CROPS) as writer:
        rows = _rows(hands, Path(images_folder), settings, videos)
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist([crop for crop, _ in batch], CROPS))
            keypoints += [found for _, found in batch]
    write_parquet(pa.Table.from_pylist(keypoints, KEYPOINTS), tables.keypoints, KEYPOINTS)
    balanced = [{"hand_id": hand["hand_id"], "side": hand["side"], "kept": True, "dropped": ""} for hand in hands]
    write_parquet(pa.Table.from_pylist(balanced, BALANCED), tables.balanced, BALANCED)
    statuses = [video.row(video_id) for video_id, video in videos.items()]
    write_parquet(pa.Table.from_pylist(statuses, VIDEO_STATUS), tables.status, VIDEO_STATUS)
    log.info("%d crops of %d hands in %d videos", len(keypoints), len(hands), len(videos))


def _hands_of_shard(path: Path | str, source: str, shard: str) -> list[dict[str, Any]]:
    """The annotated hands of the shard's videos, image by image, with keypoints as for a right hand."""
    table = open_arrow(path, ANNOTATIONS).drop_columns(["positives", "distances"])
    shards = int(shard.split("of")[1])
    videos = [name for name in table["video_id"].unique().to_pylist() if shard_of(name, shards) == shard]
    table = table.filter(pc.field("video_id").isin(pa.array(videos, pa.string()))).sort_by(_ORDER)
    hands = table.drop_columns("keypoints").to_pylist()
    flipped = np.array([hand["left_right"] == "Left" for hand in hands], bool)
    for hand, keypoints in zip(hands, mirrored(keypoints_array(table["keypoints"]), flipped), strict=True):
        hand["hand_id"] = pool_hand_id(source, hand["hand_id"])
        hand |= {"side": SIDES[hand["left_right"]], "keypoints": keypoints}
    return hands


def _rows(
    hands: list[dict[str, Any]], folder: Path, settings: ImportSettings, videos: dict[str, _Video]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of CROPS and KEYPOINTS of each hand whose image can be used; fills in `videos`."""
    with Progress("hands", len(hands)) as progress:
        for image_number, (_, group) in enumerate(groupby(hands, key=lambda hand: hand["file_name"])):
            in_image = list(group)
            video = videos.setdefault(in_image[0]["video_id"], _Video())
            video.images += 1
            video.hands += len(in_image)
            try:
                crops = _crops(in_image, image_number, folder, settings)
            except LostImageError as loss:
                log.warning("%s", loss.reason)
                video.losses.append(loss)
                video.lost_hands += len(in_image)
                progress.advance(len(in_image), lost=len(in_image))
            else:
                progress.advance(len(in_image))
                yield from zip(crops, map(_keypoints, in_image), strict=True)


def _crops(hands: list[dict[str, Any]], image_number: int, folder: Path, settings: ImportSettings) -> list[dict]:
    """The rows of CROPS of the hands in one image.

    Raises:
        LostImageError: the image cannot be used.
    """
    path = folder / hands[0]["file_name"]
    image = read_image(path, (hands[0]["frame_width"], hands[0]["frame_height"]))
    height, width = image.shape[:2]
    squares = [official_square([hand[name] for name in _BOX], width, height) for hand in hands]
    if not all(map(has_area, squares)):
        raise LostImageError("corrupt", f"{path}: {width} x {height} pixels, but a box lies outside")
    frame = {"frame_row": image_number, "frame_width": width, "frame_height": height}
    return [{**_crop(image, hand, square, settings), **frame} for hand, square in zip(hands, squares, strict=True)]


def _crop(image: np.ndarray, hand: dict[str, Any], square: tuple[int, int, int, int], settings: ImportSettings) -> dict:
    x1, y1, x2, y2 = square
    crop = cv2.resize(image[y1:y2, x1:x2], (settings.size, settings.size), interpolation=cv2.INTER_LINEAR)
    flipped = hand["side"] == "left"
    return {
        **{name: hand[name] for name in ("hand_id", "video_id", "frame_index", "side", *_BOX)},
        "timestamp_s": hand["frame_index"] / FRAMES_PER_S,
        "detected_side": hand["left_right"],
        "side_source": SIDE_SOURCE,
        "flipped": flipped,
        **{f"square_{name}": float(value) for name, value in zip(_BOX, square, strict=True)},
        "jpeg": encode_jpeg(crop[:, ::-1] if flipped else crop, settings.jpeg_quality),
    }


def _keypoints(hand: dict[str, Any]) -> dict[str, Any]:
    points = hand["keypoints"]
    if (points[:, :2] == points[0, :2]).all():  # no pose, and no size that a view could be cut by
        lost = {"status": "missed", "reason": "annotated in one point", "score": None, "keypoints": None}
        return {"hand_id": hand["hand_id"], **lost}
    found = {"status": "found", "reason": "", "score": None, "keypoints": points.ravel()}
    return {"hand_id": hand["hand_id"], **found}
