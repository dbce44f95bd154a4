"""Writes the frames of a pool as loose JPEG files, as the official loader reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.hand100m.annotations import ANNOTATIONS
from simhand.hand100m.located import by_shard
from simhand.progress import Progress
from simhand.tables import FRAMES

_Read: TypeAlias = Callable[[int, str, int], Any]  # frame_row, video_id, frame_index to the bytes of the image
# The id of a listed video is its path as written: parts that would lead out of the exported folder.
_AS_NAME = {"": "%2F", ".": "%2E", "..": "%2E%2E"}


@dataclass(frozen=True)
class AnnotatedImages:
    """The images of a source that was imported from annotations, and so has no tables of frames."""

    folder: Path  # that the annotations' file_name starts from
    annotations: Path  # the table (ANNOTATIONS) that the hands were imported from


def file_name(source: str, video_id: str, frame_index: int) -> str:
    """Where a frame lies below the exported folder. The source is part of it: two of them may share a video's name."""
    folders = "/".join(_AS_NAME.get(part, part) for part in video_id.split("/"))
    return f"images/{source}/{folders}/frame_{frame_index:06d}.jpg"


def write_frames(
    members: pa.Table,
    frame_rows: np.ndarray,
    frames_folder: Path,
    annotated: Mapping[str, AnnotatedImages],
    out: Path,
) -> None:
    """Writes each frame that shows a hand of the pool once, its bytes as they are stored.

    Args:
        members: source, shard, video_id, frame_index of MEMBERS.
        frame_rows: (n,) each hand's row in its shard's frames.
        frames_folder: holds {source}/{shard}.arrow, of FRAMES.
        annotated: the images of sources that were imported from annotations.
        out: the folder of the export.

    Raises:
        TableError: a table of frames is missing or not that of the crops, or an image is missing.
    """
    from_images = {source: _from_images(images) for source, images in annotated.items()}
    with Progress("hands", len(members)) as progress:
        for (source, shard), rows in by_shard(members):
            table = frames_folder / source / f"{shard}.arrow"
            read = from_images.get(source) or _from_table(table, source)
            hands = members.take(pa.array(rows)).select(["video_id", "frame_index"]).to_pylist()
            written: set[tuple[str, int]] = set()
            for hand, frame_row in zip(hands, frame_rows[rows].tolist(), strict=True):
                key = (hand["video_id"], hand["frame_index"])
                if key not in written:
                    _write_whole(out / file_name(source, *key), read(frame_row, *key))
                    written.add(key)
                progress.advance()


def _from_images(images: AnnotatedImages) -> _Read:
    table = open_arrow(images.annotations, ANNOTATIONS)
    keys = zip(table["video_id"].to_pylist(), table["frame_index"].to_pylist(), strict=True)
    names = dict(zip(keys, table["file_name"].to_pylist(), strict=True))

    def read(frame_row: int, video_id: str, frame_index: int) -> bytes:
        name = names.get((video_id, frame_index))
        if name is None:
            raise TableError(
                "the annotations are not those of the pool",
                where=images.annotations,
                expected=f"an image {frame_index} of {video_id}",
                hint="start the workflow again: the pool will be made anew",
            )
        path = images.folder / name
        try:
            return path.read_bytes()
        except OSError as error:
            hint = "give the folder that the annotations' file_name starts from, or --skip-images"
            raise TableError("cannot read an image", where=path, got=error, hint=hint) from error

    return read


def _from_table(path: Path, source: str) -> _Read:
    if not path.exists():
        hint = f"if the source was imported from annotations: --images {source}=FOLDER; or --skip-images"
        raise TableError("no table of frames", where=path, hint=hint)
    frames = open_arrow(path, FRAMES)

    def read(frame_row: int, video_id: str, frame_index: int) -> Any:
        if frame_row < len(frames):
            key = (frames["video_id"][frame_row].as_py(), frames["frame_index"][frame_row].as_py())
            if key == (video_id, frame_index):
                return frames["jpeg"][frame_row].as_buffer()
        raise TableError(
            "the frames are not those of the crops",
            where=f"{path}, row {frame_row}",
            expected=f"frame {frame_index} of {video_id}",
            hint="start the workflow again: frames and crops will be made anew",
        )

    return read


def _write_whole(path: Path, data: Any) -> None:
    """Many files in a folder, so without the search for leftovers: another try writes over its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_bytes(data)
    temporary.replace(path)
