"""The index of a source, which videos it has, and the lists of its shards: the tables of stage 1."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from simhand.errors import TableError
from simhand.files import whole_file
from simhand.stable import shard_of

UNREADABLE = "unreadable: "  # in the place of a fingerprint, before why; such a file is looked at again each time


class Video(NamedTuple):
    """One video of a source: a file, or a folder of frames.

    `video_id` is unique in its source, and stays the same. `duration_s` is what the container states: negative if it
    states none, 0 if the file cannot be opened. `frame_rate` is that of a folder's frames; 0 for a file. `mtime_ns` is
    0 where the time of the last change does not tell whether there was another since.
    """

    video_id: str
    path: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    duration_s: float
    frame_rate: float = 0.0

    @property
    def unreadable(self) -> bool:
        """Whether the file could not be read at the last look."""
        return self.fingerprint.startswith(UNREADABLE)


class ListedVideo(NamedTuple):
    """A video as its shard's list names it; `frame_rate` is 0 for a file, and that of its frames for a folder."""

    video_id: str
    path: str
    frame_rate: float = 0.0


LIST_COLUMNS = ("video_id", "path", "size_bytes", "fingerprint", "frame_rate")


def read_index(path: Path | str) -> list[Video]:
    """Reads the index as it was at the last look.

    Raises:
        TableError: missing or damaged.
    """
    try:
        with Path(path).open(newline="") as file:
            rows = csv.reader(file, delimiter="\t")
            if tuple(next(rows)) != Video._fields:
                raise ValueError("other columns")
            return [
                Video(name, where, int(size), int(mtime_ns), fingerprint, float(duration_s), float(frame_rate))
                for name, where, size, mtime_ns, fingerprint, duration_s, frame_rate in rows
            ]
    except (OSError, StopIteration, TypeError, ValueError, csv.Error) as error:
        raise TableError(
            "cannot read an index of videos", where=path, got=repr(error), hint="delete it; it is made anew"
        ) from error


def write_index(videos: Iterable[Video], path: Path | str) -> None:
    """Writes the index (TSV)."""
    _write_tsv(Video._fields, videos, path)


def _write_tsv(header: Sequence[str], rows: Iterable[Sequence[object]], path: Path | str) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def shard_lists(videos: Iterable[Video], shards: int) -> dict[str, list[tuple[str, str, int, str, float]]]:
    """The videos of each shard that has any, as plain rows of LIST_COLUMNS."""
    row = attrgetter(*LIST_COLUMNS)
    lists: dict[str, list[tuple[str, str, int, str, float]]] = {}
    for video in videos:
        lists.setdefault(shard_of(video.video_id, shards), []).append(row(video))
    return dict(sorted(lists.items()))


def write_shard_list(rows: Iterable[Sequence[object]], path: Path | str) -> None:
    """Writes the list of one shard's videos (TSV): rows of LIST_COLUMNS, for files also without the last."""
    _write_tsv(LIST_COLUMNS, rows, path)


def read_shard_list(path: Path | str) -> list[ListedVideo]:
    """The videos of a shard, in order.

    Raises:
        TableError: missing or damaged.
    """
    try:
        with Path(path).open(newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if tuple(rows.fieldnames or ()) != LIST_COLUMNS:
                raise ValueError("other columns")
            return [ListedVideo(row["video_id"], row["path"], float(row["frame_rate"] or 0)) for row in rows]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        hint = "delete it; it is made anew"
        raise TableError("cannot read the list of a shard's videos", where=path, got=repr(error), hint=hint) from error


def max_frames(videos: Iterable[Video], fps: float) -> int | None:
    """The most frames that sampling can take from these videos; None if some video does not state its duration."""
    most = 0
    for video in videos:
        if video.duration_s < 0:
            return None
        most += int(video.duration_s * fps) + 2 if video.duration_s > 0 else 0
    return most
