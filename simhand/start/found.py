"""What a folder or file of the user's is, found out by looking at it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from simhand.errors import InputError
from simhand.finetuning.settings import Format, LabelledSettings
from simhand.stable import stable_hash
from simhand.videos.image_names import is_image
from simhand.videos.probe import Prober
from simhand.videos.sources import is_video, listed_files, names_below

Kind = Literal["videos", "list", "frames", "annotations", "labelled"]

_ASKED = 100  # videos that are asked how long they are; the hours of more follow from their bytes
_HEAD = 1 << 16  # bytes of a JSON that tell whether it is one of Hand100M
_SIGNS: Mapping[Format, Sequence[str]] = {  # of each layout, paths of which any is enough to recognise it
    "freihand": ("training_K.json", "training_xyz.json", "training/rgb", "evaluation_xyz.json"),
    "dexycb": ("calibration/intrinsics", "*-subject-[0-9][0-9]"),
    "assemblyhands": ("annotations/*/assemblyhands_*.json",),
}
_EXPECTED = """a folder of videos or of frames, a .txt that lists videos, a JSON of Hand100M, or a labelled set as it is
            downloaded (FreiHAND, DexYCB, AssemblyHands)"""


@dataclass(frozen=True)
class Found:
    """What a path is.

    Args:
        path: as the user wrote it.
        kind: the key of a source (simhand.videos.settings.SOURCE_KINDS), or labelled.
        said: the same in words.
        videos: how many.
        hours: of video, where it is known.
        labelled: of kind labelled, its block in the configuration.
    """

    path: Path
    kind: Kind
    said: str
    videos: int = 0
    hours: float | None = None
    labelled: LabelledSettings | None = None


def look_at(path: Path) -> Found:
    """Finds out what a folder or file is.

    Raises:
        InputError: it is missing, or none of what simhand knows.
        ConfigError: it cannot be listed, or is a wrong list of videos.
    """
    if path.is_dir():
        return _labelled(path) or _folder(path)
    if not path.is_file():
        raise InputError("no such folder or file", where=path)
    if path.suffix.lower() == ".json":
        return _annotations(path)
    if path.suffix.lower() in {".txt", ".tsv", ".lst"}:
        files = listed_files(path)
        return _videos(path, "list", "a list of videos", list(files.values()))
    what = "a single video: name its folder" if is_video(path.name) else path.suffix or "a file"
    raise InputError("a file that is no source of hands", where=path, expected=_EXPECTED, got=what)


def _labelled(folder: Path) -> Found | None:
    """A labelled set in one of the layouts that fine-tuning reads."""
    for layout in get_args(Format):
        if any(next(folder.glob(sign), None) for sign in _SIGNS[layout]):
            settings = _complete(folder, layout)
            said = f"a labelled set as {layout} is downloaded"
            return Found(folder, "labelled", said, labelled=settings)
    return None


def _complete(folder: Path, layout: Format) -> LabelledSettings:
    """The settings with which all files of labels are there."""
    tries = [LabelledSettings(format=layout, path=folder)]
    if layout == "assemblyhands":
        tries.append(LabelledSettings(format=layout, path=folder, evaluation_split="val"))
    missing = [[path for path in settings.label_files() if not path.is_file()] for settings in tries]
    for settings, paths in zip(tries, missing, strict=True):
        if not paths:
            return settings
    names = ", ".join(path.relative_to(folder).as_posix() for path in missing[0])
    hint = "download what is missing, or do not name this folder"
    raise InputError(f"looks like {layout}, but not all of it is there", where=folder, expected=names, hint=hint)


def _folder(folder: Path) -> Found:
    names = list(names_below(str(folder)))
    videos = [name for name in names if is_video(name)]
    images = [name for name in names if is_image(Path(name).name)]
    if videos:
        beside = f", and {len(images):,} images, which are passed over" if images else ""
        paths = [str(folder / name) for name in videos]
        return _videos(folder, "videos", "a folder of videos", paths, beside)
    folders = {os.path.dirname(name) for name in images}  # noqa: PTH120 - millions of names
    if "" in folders:
        hint = "name the folder above: each folder below it is a video"
        raise InputError("images lie in the folder itself", where=folder, expected="a folder a video", hint=hint)
    if not folders:
        raise InputError("nothing that simhand knows", where=folder, expected=_EXPECTED, got=_some(folder))
    said = f"extracted frames: {len(images):,} images in {len(folders):,} folders, each of a video"
    return Found(folder, "frames", said, len(folders))


def _some(folder: Path) -> str:
    names = sorted(path.name for path in islice(folder.iterdir(), 5))
    return ", ".join(names) or "an empty folder"


def _annotations(path: Path) -> Found:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not (head.lstrip()[:1] == b"{" and any(f'"{key}"'.encode() in head for key in ("images", "annotations"))):
        raise InputError(
            "a JSON that is none of Hand100M", where=path, expected='{"images": [...], "annotations": ...}'
        )
    return Found(path, "annotations", f"hands in the layout of Hand100M, {_size(path.stat().st_size)}")


def _videos(path: Path, kind: Kind, called: str, paths: Sequence[str], beside: str = "") -> Found:
    sizes = {name: Path(name).stat().st_size for name in paths if Path(name).is_file()}
    hours, asked = _hours(sizes)
    missing = f", {len(paths) - len(sizes):,} of which are missing" if len(sizes) < len(paths) else ""
    long = "of unknown length" if hours is None else f"{_plain(hours)}{'' if asked == len(sizes) else ' or so'}"
    said = f"{called}: {len(paths):,}{missing}, {long}, {_size(sum(sizes.values()))}{beside}"
    return Found(path, kind, said, len(paths), hours)


def _plain(hours: float) -> str:
    return f"{60 * hours:,.1f} minutes" if hours < 2 else f"{hours:,.0f} hours"


def _size(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"


def _hours(sizes: Mapping[str, int]) -> tuple[float | None, int]:
    """Of videos by their sizes in bytes, and how many were asked; None: none of them told.

    Of more than 100 the hours of 100, drawn by their names, are multiplied by the share of the bytes.
    """
    drawn = sorted(sizes, key=stable_hash)[:_ASKED]
    seconds = dict(_durations(drawn))
    size = sum(sizes[name] for name in seconds)
    if not size:
        return None, 0
    return sum(seconds.values()) / 3600 * sum(sizes.values()) / size, len(seconds)


def _durations(paths: Sequence[str]) -> Iterator[tuple[str, float]]:
    """In seconds, of those videos that state them."""
    prober = Prober()
    try:
        for path in paths:
            if (seconds := prober.duration_s(path)) > 0:
                yield path, seconds
    finally:
        prober.close()
