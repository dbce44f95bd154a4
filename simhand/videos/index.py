"""The index of a source: which videos it has, and whether one changed since the last look.

Looking at a video costs one `stat`; its content is read (in part) only when its size or its time changed. A file that
was touched but holds the same bytes keeps its fingerprint, so nothing runs again.
"""

from __future__ import annotations

import csv
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path

import av

from simhand.errors import ConfigError, TableError
from simhand.files import whole_file
from simhand.stable import shard_of

SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)
_UNREADABLE = "unreadable: "  # in the place of a fingerprint; such a file is looked at again each time
_CHUNK = 256 * 1024
_CHUNKS = 16


@dataclass(frozen=True)
class Video:
    """One video of a source.

    `video_id` is the file's path inside the source's folder, with its suffix. `duration_s` is what the container
    states: negative if it states none, 0 if the file cannot be opened.
    """

    video_id: str
    path: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    duration_s: float

    @property
    def unreadable(self) -> bool:
        """Whether the file could not be read at the last look."""
        return self.fingerprint.startswith(_UNREADABLE)


LIST_COLUMNS = ("video_id", "path", "size_bytes", "fingerprint")


def update_index(folder: Path | str, index_path: Path | str) -> list[Video]:
    """Brings the index of a source up to date with its folder.

    Args:
        folder: searched with all folders below it; hidden files are passed over.
        index_path: where the index of the last look is kept (TSV); written only if something changed.

    Returns:
        The videos, sorted by id.

    Raises:
        ConfigError: the folder is missing or holds no video.
    """
    known = {video.video_id: video for video in read_index(index_path)} if Path(index_path).exists() else {}
    paths = sorted(_video_paths(Path(folder)))
    for path in paths:
        if not path.isascii() and any("\ud800" <= letter <= "\udfff" for letter in path):
            raise ConfigError("the name of a video is not UTF-8", where=folder, got=ascii(path), hint="rename the file")
    if not paths:
        raise ConfigError(
            "a source has no videos", where=folder, expected=" ".join(sorted(SUFFIXES)), got="none of these"
        )
    with ThreadPoolExecutor(8) as pool:
        videos = list(pool.map(partial(_look_at, Path(folder), known), paths))
    if videos != list(known.values()):
        _write_index(videos, index_path)
    return videos


def _video_paths(folder: Path) -> Iterator[str]:
    """Paths inside the folder; links to folders are followed, each real folder once."""
    seen: set[str] = set()
    for root, directories, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            directories.clear()
            continue
        seen.add(real)
        directories[:] = [name for name in directories if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(root, name).relative_to(folder).as_posix()


def _look_at(folder: Path, known: dict[str, Video], video_id: str) -> Video:
    path = folder / video_id
    try:
        status = path.stat()
    except OSError as error:
        return Video(video_id, str(path), 0, 0, f"{_UNREADABLE}{error.strerror}", 0.0)
    before = known.get(video_id)
    seen = (str(path), status.st_size, status.st_mtime_ns)
    if before and not before.unreadable and (before.path, before.size_bytes, before.mtime_ns) == seen:
        return before
    if not stat.S_ISREG(status.st_mode):
        return Video(video_id, str(path), 0, status.st_mtime_ns, "not a file", 0.0)
    try:
        fingerprint, duration_s = content_fingerprint(path), _duration_s(path)
    except OSError as error:
        fingerprint, duration_s = f"{_UNREADABLE}{error.strerror}", 0.0
    return Video(video_id, str(path), status.st_size, status.st_mtime_ns, fingerprint, duration_s)


def content_fingerprint(path: Path) -> str:
    """A hash of a file's size and of up to 16 pieces of 256 KiB spread evenly over it: all of a file below 4 MiB."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        for i in range(_CHUNKS):
            file.seek(max(size - _CHUNK, 0) * i // (_CHUNKS - 1) if size > _CHUNK * _CHUNKS else i * _CHUNK)
            digest.update(file.read(_CHUNK))
    return digest.hexdigest()


def _duration_s(path: Path) -> float:
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if container.duration is not None:
                return round(container.duration / av.time_base, 3)
            return -1.0
    except av.FFmpegError:
        return 0.0


def read_index(path: Path | str) -> list[Video]:
    """Reads the index as it was at the last look.

    Raises:
        TableError: missing or damaged.
    """
    try:
        with Path(path).open(newline="") as file:
            return [
                Video(
                    r["video_id"],
                    r["path"],
                    int(r["size_bytes"]),
                    int(r["mtime_ns"]),
                    r["fingerprint"],
                    float(r["duration_s"]),
                )
                for r in csv.DictReader(file, delimiter="\t")
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise TableError(
            "cannot read an index of videos", where=path, got=repr(error), hint="delete it; it is made anew"
        ) from error


def _write_index(videos: list[Video], path: Path | str) -> None:
    _write_tsv([field.name for field in fields(Video)], map(astuple, videos), path)


def _write_tsv(header: list[str], rows: Iterator[tuple], path: Path | str) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def shard_lists(videos: list[Video], shards: int) -> dict[str, list[tuple[str, str, int, str]]]:
    """The videos of each shard that has any, as plain rows (video_id, path, size_bytes, fingerprint)."""
    lists: dict[str, list[tuple[str, str, int, str]]] = {}
    for video in videos:
        row = (video.video_id, video.path, video.size_bytes, video.fingerprint)
        lists.setdefault(shard_of(video.video_id, shards), []).append(row)
    return dict(sorted(lists.items()))


def write_shard_list(rows: list[tuple[str, str, int, str]], path: Path | str) -> None:
    """Writes the list of one shard's videos (TSV)."""
    _write_tsv(list(LIST_COLUMNS), iter(rows), path)


def read_shard_list(path: Path | str) -> list[tuple[str, str]]:
    """The (video_id, path) of each video of a shard, in order."""
    with Path(path).open(newline="") as file:
        return [(row["video_id"], row["path"]) for row in csv.DictReader(file, delimiter="\t")]


def max_frames(videos: list[Video], fps: float) -> int | None:
    """The most frames that sampling can take from these videos; None if some video does not state its duration."""
    if any(video.duration_s < 0 for video in videos):
        return None
    return sum(int(video.duration_s * fps) + 2 for video in videos if video.duration_s > 0)
