"""Looks at a source: which videos it has, and whether one changed since the last look.

Looking at a video costs one `stat`; its content is read (in part) only when its size or its time changed. A file that
was touched but holds the same bytes keeps its fingerprint, so nothing runs again. A folder of frames is listed again
only when its own time changed, which adding, removing or renaming an image does; overwriting one in place does not.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from simhand.errors import ConfigError, TableError
from simhand.progress import Progress
from simhand.videos.image_names import SUFFIXES as IMAGE_SUFFIXES
from simhand.videos.image_names import frame_numbers, is_image
from simhand.videos.index import UNREADABLE, Video, read_index, write_index
from simhand.videos.probe import Prober

SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"
)  # fmt: skip
ONLY_LOOK = "SIMHAND_ONLY_LOOK"  # a variable of the environment; with it no index is written
_CHUNK = 256 * 1024
_CHUNKS = 16
_THREADS = 8  # a stat on a network disk waits most of its time
_GROUP = 16  # videos that a thread is given
_KEEP_EVERY_S = 10.0
_RECENT_NS = (
    2_000_000_000  # file systems tell times in steps of up to 2 s: what changes twice in a step looks unchanged
)

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


def update_index(kind: str, path: Path | str, index_path: Path | str, *, frame_rate: float = 30.0) -> list[Video]:
    """Brings the index of a source up to date.

    Args:
        kind: what the source is, a key of KINDS. videos: a folder of videos, searched with all folders below it; hidden
            files are passed over; an id is a path inside the folder. list: a text file that names videos, see
            `listed_files`. frames: a folder of folders of images; each that directly holds images is a video, its id
            the path inside the folder.
        path: the folder or file.
        index_path: where the index of the last look is kept (TSV); written only if something changed, and nobody only
            looks (ONLY_LOOK): jobs on other nodes read it.
        frame_rate: what makes seconds of the numbers of extracted frames (kind frames).

    Returns:
        The videos, sorted by id.

    Raises:
        ConfigError: the source is missing or empty, or names a video twice.
        TableError: the index cannot be read or written.
    """
    before = read_index(index_path) if Path(index_path).exists() else []
    last = LastLook({video.video_id: video for video in before}, frame_rate, _where_kept(index_path))
    videos = sorted(KINDS[kind](Path(path), last))
    if videos != before:
        if found := copies(videos):
            log.warning("%s: their hands will be each other's most similar", found)
        if last.index_path:
            _keep(videos, last.index_path)
    return videos


def _keep(videos: Iterable[Video], index_path: Path) -> None:
    try:
        write_index(videos, index_path)
    except OSError as error:
        hint = "make room on the disk, or see to the folder's permissions; finished files stay"
        raise TableError("cannot write an index of videos", where=index_path, got=error.strerror, hint=hint) from error


def _where_kept(index_path: Path | str) -> Path | None:
    return None if ONLY_LOOK in os.environ else Path(index_path)


def copies(videos: Iterable[Video]) -> str | None:
    """Which videos are copies of others, in words: their hands are the most similar ones of another video there are."""
    firsts: dict[tuple[int, str], str] = {}
    found: list[tuple[str, str]] = []
    for video in videos:
        first = firsts.setdefault((video.size_bytes, video.fingerprint), video.video_id)
        if video.size_bytes and first != video.video_id:
            found.append((video.video_id, first))
    if not found:
        return None
    some = "1 video is a copy of another" if len(found) == 1 else f"{len(found):,} videos are copies of others"
    copy, original = found[0]
    return f"{some}, {copy} of {original}{'' if len(found) == 1 else ' for one'}"


@dataclass(frozen=True)
class LastLook:
    """What was seen at the last look, and where to keep what is seen now (None: nowhere)."""

    known: dict[str, Video]
    frame_rate: float
    index_path: Path | None


def _look_at_folder(folder: Path, last: LastLook) -> list[Video]:
    ids = [name for name in names_below(str(folder)) if is_video(name)]
    if not ids:
        raise ConfigError("a source has no videos", where=folder, expected=" ".join(SUFFIXES), got="none of these")
    return _look_at_files([(name, os.path.join(folder, name)) for name in ids], last, folder)  # noqa: PTH118


def is_video(name: str) -> bool:
    """Whether a file counts as a video."""
    return name.lower().endswith(SUFFIXES)


def names_below(folder: str) -> Iterator[str]:
    """Paths of files inside a folder; links to folders are followed, each real folder once; hidden ones are not.

    Links come last, in the order of their names: a video's path does not depend on the order of a listing.

    Raises:
        ConfigError: a folder cannot be listed.
    """
    seen: set[tuple[int, int]] = set()
    starts = [folder]
    while starts:
        links: list[str] = []
        for root, directories, names in chain.from_iterable(os.walk(start, onerror=_refuse) for start in starts):
            state = os.stat(root)  # noqa: PTH116
            if (state.st_dev, state.st_ino) in seen:
                directories.clear()
                continue
            seen.add((state.st_dev, state.st_ino))
            directories[:] = [name for name in directories if not name.startswith(".")]
            links += filter(os.path.islink, (os.path.join(root, name) for name in directories))  # noqa: PTH118
            below = "" if root == folder else os.path.relpath(root, folder) + "/"
            yield from (below + name for name in names if not name.startswith("."))
        starts = sorted(links)


def _refuse(error: OSError) -> None:
    hint = "mend its permissions, or name the videos in a list"
    raise ConfigError("cannot look into a folder of a source", where=error.filename, got=error.strerror, hint=hint)


def _look_at_list(path: Path, last: LastLook) -> list[Video]:
    return _look_at_files(list(listed_files(path).items()), last, path)


def listed_files(path: Path) -> dict[str, str]:
    """The videos that a text file names, by id: a path a line, or `video_id<TAB>path`.

    Paths are absolute or relative to the file's own folder. Without an id, the path as it is written is the id. Blank
    lines, and lines that begin with #, say nothing.

    Raises:
        ConfigError: no video in it, an id or a file twice, or not UTF-8.
    """
    lines: dict[tuple[str, str], int] = {}
    found: dict[str, str] = {}
    for number, line in enumerate(_text_lines(path), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        given, tab, rest = line.partition("\t")
        written = (rest if tab else given).strip()
        video_id = given.strip() or written
        if not written:
            raise ConfigError("a list of videos has an id and no path", where=f"{path}, line {number}", got=line)
        if "\0" in line:
            raise ConfigError("no path can hold a NUL", where=f"{path}, line {number}", got=ascii(line))
        found[video_id] = os.path.join(path.parent, written)  # noqa: PTH118
        _check_first(lines, "id", video_id, path, number)
        _check_first(lines, "file", os.path.realpath(found[video_id]), path, number)
    if not found:
        raise ConfigError("a list of videos is empty", where=path, expected="a path a line", got="no path")
    return found


def _check_first(lines: dict[tuple[str, str], int], what: str, name: str, path: Path, number: int) -> None:
    """Refuses an id or a file that an earlier line has: similar hands are sought in other videos."""
    before = lines.setdefault((what, name), number)
    if before != number:
        other = ", or write another id and a tab before its path" if what == "id" else ""
        raise ConfigError(
            f"a list of videos has {'an' if what == 'id' else 'a'} {what} twice",
            where=f"{path}, lines {before} and {number}",
            expected=f"each {what} once",
            got=name,
            hint=f"remove one of the lines{other}",
        )


def _text_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8"
        raise ConfigError("a list of videos is not text in UTF-8", where=path, got=error.reason, hint=hint) from error
    except OSError as error:
        raise ConfigError("cannot read a list of videos", where=path, got=error.strerror) from error


def _look_at_files(ids_and_paths: Sequence[tuple[str, str]], last: LastLook, where: Path) -> list[Video]:
    _check_names((name for name, _ in ids_and_paths), where)
    seen = _on_threads(lambda pair: _seen_before(*pair, last.known), ids_and_paths)
    videos = [video for video in seen if video]
    new = [pair for pair, video in zip(ids_and_paths, seen, strict=True) if not video]
    return _look_at_new(new, videos, last.index_path) if new else videos


def _look_at_new(ids_and_paths: Sequence[tuple[str, str]], seen: list[Video], index_path: Path | None) -> list[Video]:
    """Files that are new or changed, after those that were `seen` before; kept in the index now and then.

    Thousands of videos take long: who stops meanwhile, even by Ctrl-C, goes on from there.
    """
    videos = list(seen)
    probers: list[Prober] = []
    own = threading.local()

    def begin() -> None:
        own.prober = Prober()
        probers.append(own.prober)

    def look(group: Sequence[tuple[str, str]]) -> list[Video]:
        return [_look_anew(*pair, own.prober) for pair in group]

    groups = [ids_and_paths[first : first + _GROUP] for first in range(0, len(ids_and_paths), _GROUP)]
    pool = ThreadPoolExecutor(_THREADS, initializer=begin)
    try:
        with Progress("new videos", len(ids_and_paths)) as progress:
            kept = time.monotonic()
            for found in pool.map(look, groups):
                videos += found
                progress.advance(len(found))
                if index_path and time.monotonic() - kept > _KEEP_EVERY_S:
                    _keep(sorted(videos), index_path)
                    kept = time.monotonic()
    finally:
        pool.shutdown(cancel_futures=True)
        for prober in probers:
            prober.close()
    return videos


def _seen_before(video_id: str, path: str, known: dict[str, Video]) -> Video | None:
    """The video as it was at the last look, if it is the same; also what is no file at all."""
    try:
        state = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return Video(video_id, path, 0, 0, f"{UNREADABLE}{error.strerror}", 0.0)
    if not stat.S_ISREG(state.st_mode):
        return Video(video_id, path, 0, 0, "not a file", 0.0)
    before = known.get(video_id)
    same = before and before[1:4] == (path, state.st_size, state.st_mtime_ns) and not before.unreadable
    return before if same else None


def _look_anew(video_id: str, path: str, prober: Prober) -> Video:
    """A file that is new or changed."""
    looked_ns = time.time_ns()
    try:
        state = os.stat(path)  # noqa: PTH116
        fingerprint = content_fingerprint(Path(path))
    except OSError as error:
        return Video(video_id, path, 0, 0, f"{UNREADABLE}{error.strerror}", 0.0)
    mtime_ns = state.st_mtime_ns if abs(looked_ns - state.st_mtime_ns) > _RECENT_NS else 0
    return Video(video_id, path, state.st_size, mtime_ns, fingerprint, prober.duration_s(path))


def content_fingerprint(path: Path) -> str:
    """A hash of a file's size and of up to 16 pieces of 256 KiB spread evenly over it: all of a file below 4 MiB."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(str(size).encode(), digest_size=16)
        for i in range(_CHUNKS):
            file.seek(max(size - _CHUNK, 0) * i // (_CHUNKS - 1) if size > _CHUNK * _CHUNKS else i * _CHUNK)
            digest.update(file.read(_CHUNK))
    return digest.hexdigest()


def _look_at_frames(folder: Path, last: LastLook) -> list[Video]:
    videos: list[Video] = []
    seen: set[tuple[int, int]] = set()
    level: list[str] = [""]
    links: list[str] = []
    while level or links:  # all folders of one depth at a time, links after all real folders
        if not level:
            level, links = sorted(links), []
        found = _on_threads(lambda name: _look_at_frame_folder(folder, name, last), level)
        level = []
        for video, below, linked, identity in found:
            if identity in seen:  # a link to a folder that has been looked at
                continue
            seen.add(identity)
            level += below
            links += linked
            if video and video.video_id:
                videos.append(video)
    if not videos:
        hint = "name the folder above: each folder below it is a video" if any(_images(folder)) else None
        expected = f"folders with {' '.join(IMAGE_SUFFIXES)}"
        raise ConfigError("a source has no frames", where=folder, expected=expected, got="none of these", hint=hint)
    _check_names((video.video_id for video in videos), folder)
    return videos


def _look_at_frame_folder(
    folder: Path, name: str, last: LastLook
) -> tuple[Video | None, list[str], list[str], tuple[int, int]]:
    """A folder as a video, if it directly holds images; folders and links in it; and what tells it from other folders.

    Folders that were listed before, held nothing but files, and did not change are not listed again.
    """
    path = os.path.join(folder, name)  # noqa: PTH118
    looked_ns = time.time_ns()
    try:
        state = os.stat(path)  # noqa: PTH116
        identity = (state.st_dev, state.st_ino)
        before = last.known.get(name)
        if before and (before.path, before.mtime_ns, before.frame_rate) == (path, state.st_mtime_ns, last.frame_rate):
            return before, [], [], identity
        with os.scandir(path) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
        folders = [entry for entry in shown if entry.is_dir()]
        below, linked = (
            [f"{name}/{entry.name}".lstrip("/") for entry in folders if entry.is_symlink() == link]
            for link in (False, True)
        )
        sizes = {entry.name: _size(entry) for entry in shown if is_image(entry.name) and not entry.is_dir()}
    except OSError as error:
        return Video(name, path, 0, 0, f"{UNREADABLE}{error.strerror}", 0.0, last.frame_rate), [], [], (0, hash(path))
    stable = not folders and abs(looked_ns - state.st_mtime_ns) > _RECENT_NS
    video = _frames_video(name, path, sizes, state.st_mtime_ns if stable else 0, last.frame_rate) if sizes else None
    return video, below, linked, identity


def _size(image: os.DirEntry[str]) -> int:
    """Its bytes; 0 for a link that leads nowhere, which costs itself when it is read."""
    try:
        return image.stat().st_size
    except OSError:
        return 0


def _frames_video(name: str, path: str, sizes: dict[str, int], mtime_ns: int, frame_rate: float) -> Video:
    names_and_sizes = "".join(f"{image}\0{size}\0" for image, size in sorted(sizes.items()))
    digest = hashlib.blake2b(names_and_sizes.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    numbers = list(frame_numbers(sizes).values())
    duration_s = round((numbers[-1] - numbers[0] + 1) / frame_rate, 3)
    return Video(name, path, sum(sizes.values()), mtime_ns, digest, duration_s, frame_rate)


def _images(folder: Path) -> Iterator[str]:
    return (entry.name for entry in folder.iterdir() if is_image(entry.name))


def _check_names(names: Iterable[str], where: Path) -> None:
    for name in names:
        not_utf8 = not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name)
        if not_utf8 or "\r" in name:
            wrong = "is not UTF-8" if not_utf8 else "holds a carriage return"
            raise ConfigError(f"the name of a video {wrong}", where=where, got=ascii(name), hint="rename the file")


def _on_threads(look: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`look` at each item; in groups, since handing over a single stat takes longer than a stat."""
    size = max(-(-len(items) // _THREADS), _GROUP)
    groups = [items[first : first + size] for first in range(0, len(items), size)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(chain.from_iterable(pool.map(lambda group: [look(item) for item in group], groups)))


KINDS: dict[str, Callable[[Path, LastLook], list[Video]]] = {
    "videos": _look_at_folder,
    "list": _look_at_list,
    "frames": _look_at_frames,
}
