"""Writes the frames of a pool as loose JPEG files, as the official loader reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.hand100m.located import by_shard
from simhand.progress import Progress
from simhand.tables import FRAMES

_Read: TypeAlias = Callable[[int, str, int], Any]  # frame_row, video_id, frame_index to the bytes of the image


def file_name(source: str, video_id: str, frame_index: int) -> str:
    """Where a frame lies below the exported folder. The source is part of it: two of them may share a video's name."""
    return f"images/{source}/{_inside(video_id, frame_index)}"


def _inside(video_id: str, frame_index: int) -> str:
    return f"{video_id}/frame_{frame_index:06d}.jpg"


def write_frames(
    members: pa.Table,
    frame_rows: np.ndarray,
    frames_folder: Path,
    images_folders: Mapping[str, Path],
    out: Path,
) -> None:
    """Writes each frame that shows a hand of the pool once, its bytes as they are stored.

    Args:
        members: source, shard, video_id, frame_index of MEMBERS.
        frame_rows: (n,) each hand's row in its shard's frames.
        frames_folder: holds {source}/{shard}.arrow, of FRAMES.
        images_folders: for sources that were imported from annotations, and so have no such tables: the folder of
            their images, in which they are called {video_id}/frame_{index:06d}.jpg.
        out: the folder of the export.

    Raises:
        TableError: a table of frames is missing or not that of the crops, or an image is missing.
    """
    with Progress("hands", len(members)) as progress:
        for (source, shard), rows in by_shard(members):
            table = frames_folder / source / f"{shard}.arrow"
            read = _from_folder(images_folders[source]) if source in images_folders else _from_table(table, source)
            hands = members.take(pa.array(rows)).select(["video_id", "frame_index"]).to_pylist()
            written: set[tuple[str, int]] = set()
            for hand, frame_row in zip(hands, frame_rows[rows].tolist(), strict=True):
                key = (hand["video_id"], hand["frame_index"])
                if key not in written:
                    _write_whole(out / file_name(source, *key), read(frame_row, *key))
                    written.add(key)
                progress.advance()


def _from_folder(folder: Path) -> _Read:
    def read(frame_row: int, video_id: str, frame_index: int) -> bytes:
        path = folder / _inside(video_id, frame_index)
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
