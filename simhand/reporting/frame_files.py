"""The frames that hands were found in: rows of the sampled frames, or the images of annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.frames.images import frame_image
from simhand.hand100m.annotations import ANNOTATIONS
from simhand.hand100m.frame_files import AnnotatedImages
from simhand.tables import FRAMES

_OPEN = 4  # files that are kept open; ask for the hands of a shard one after the other
_AGAIN = "start the workflow again: frames and crops will be made anew"


class FrameFiles:
    """The frames of some hands, each read when it is asked for.

    They are no input of the rule: who has deleted them for their size wants a report, not the whole chain again.

    Args:
        folder: holds {source}/{shard}.arrow, of FRAMES, of the sources that are videos.
        annotated: the images of the other sources.
        hands: those of MEMBERS that will be asked for.

    Raises:
        TableError: annotations are missing, damaged, or not those of the hands.
    """

    def __init__(
        self, folder: Path, annotated: Mapping[str, AnnotatedImages], hands: Iterable[Mapping[str, Any]]
    ) -> None:
        self._folder = folder
        self._opened = lru_cache(_OPEN)(lambda path: open_arrow(path, FRAMES))
        hands = list(hands)
        self._images: dict[tuple[str, str, int], Path] = {}
        for source, images in annotated.items():
            self._images |= _image_paths(source, images, [hand for hand in hands if hand["source"] == source])

    def has(self, hand: Mapping[str, Any]) -> bool:
        """Whether the file that holds the hand's frame is there."""
        return self._path(hand).is_file()

    def of(self, hand: Mapping[str, Any], frame_row: int) -> np.ndarray:
        """The frame of one hand, uint8 (h, w, 3) RGB.

        Args:
            hand: a row of MEMBERS.
            frame_row: of its crop.

        Raises:
            TableError: the frame is missing or damaged, or not that of the hand.
        """
        return _read_image(self._path(hand)) if _key(hand) in self._images else self._sampled(hand, frame_row)

    def _path(self, hand: Mapping[str, Any]) -> Path:
        sampled = self._folder / hand["source"] / f"{hand['shard']}.arrow"
        return self._images.get(_key(hand), sampled)

    def _sampled(self, hand: Mapping[str, Any], row: int) -> np.ndarray:
        path = self._path(hand)
        frames: pa.Table = self._opened(path)
        own = (hand["video_id"], hand["frame_index"])
        if row >= len(frames) or tuple(frames[name][row].as_py() for name in ("video_id", "frame_index")) != own:
            raise TableError(
                "the frames are not those of the crops",
                where=f"{path}, row {row}",
                expected=f"frame {own[1]} of {own[0]}",
                hint=_AGAIN,
            )
        return frame_image(frames, row, path)


def _key(hand: Mapping[str, Any]) -> tuple[str, str, int]:
    return hand["source"], hand["video_id"], hand["frame_index"]


def _image_paths(
    source: str, images: AnnotatedImages, hands: list[Mapping[str, Any]]
) -> dict[tuple[str, str, int], Path]:
    if not hands:
        return {}
    table = open_arrow(images.annotations, ANNOTATIONS).select(["video_id", "frame_index", "file_name"])
    found = table.filter(pc.field("video_id").isin(sorted({hand["video_id"] for hand in hands})))
    rows = zip(*(column.to_pylist() for column in found.columns), strict=True)
    paths = {(source, video, index): images.folder / name for video, index, name in rows}
    for hand in hands:
        if _key(hand) not in paths:
            expected = f"an image {hand['frame_index']} of {hand['video_id']}"
            raise TableError(
                "the annotations are not those of the pool", where=images.annotations, expected=expected, hint=_AGAIN
            )
    return paths


def _read_image(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        hint = "mend or delete the image, or set report.gallery_frames to 0"
        raise TableError("cannot read an image of the gallery", where=path, hint=hint)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
