"""The user's files: which are images and which videos, and what their drawings are called."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from simhand.errors import InputError
from simhand.videos.image_names import SUFFIXES
from simhand.videos.sources import SUFFIXES as VIDEO_SUFFIXES

IMAGE_SUFFIXES = (*SUFFIXES, ".bmp", ".tif", ".tiff")
_ANIMATIONS = (".gif",)
_DRAWN = {"image": ".jpg", "video": ".mp4"}


class Input(NamedTuple):
    """One file, and the name of its drawing."""

    path: Path
    kind: Literal["image", "video"]
    drawn: str


def find_inputs(paths: Sequence[Path], out: Path) -> list[Input]:
    """The files among `paths` and in the folders among them, each once, in the order given; folders by name.

    A file that is named counts as a video unless its name is an image's. Files of the same name get numbered drawings.

    Raises:
        InputError: a path leads nowhere, a folder has neither images nor videos, or `out` is the folder of an input, is
            no folder, or cannot be written to.
    """
    files = list({file.resolve(): file for path in paths for file in _files(path)}.values())
    for file in files:
        if file.resolve().parent == out.resolve():
            hint = "name another folder: drawings would stand between the files that they show"
            raise InputError("the output folder holds an input", where=file, got=out, hint=hint)
    _check_output(out)
    kinds = [_kind(file) for file in files]
    names = _distinct([f"{text_of(file.stem)}_hands{_DRAWN[kind]}" for file, kind in zip(files, kinds, strict=True)])
    return [Input(*one) for one in zip(files, kinds, names, strict=True)]


def _check_output(out: Path) -> None:
    """Tries whether a folder can be written to, or made, without leaving anything behind."""
    try:
        place = next(folder for folder in (out, *out.absolute().parents) if os.path.lexists(folder))
        if not place.is_dir():
            raise InputError("the output folder is a file", where=place, expected="a folder, or a new name")
        with tempfile.TemporaryFile(dir=place):
            return
    except OSError as error:
        raise InputError("cannot write to the output folder", where=out, got=error) from error


def text_of(path: Path | str) -> str:
    """A path as text that any file can hold; bytes in it that are no UTF-8 are replaced."""
    return os.fsencode(path).decode(errors="replace")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise InputError("no such file or folder", where=path)
        return [path]
    wanted = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, *_ANIMATIONS)
    found = sorted(file for file in path.iterdir() if file.name.lower().endswith(wanted) and file.is_file())
    visible = [file for file in found if not file.name.startswith(".")]
    if not visible:
        hint = "folders in it are not searched: name them"
        raise InputError("a folder without images and videos", where=path, expected=" ".join(wanted), hint=hint)
    return visible


def _kind(path: Path) -> Literal["image", "video"]:
    return "image" if path.name.lower().endswith(IMAGE_SUFFIXES) else "video"


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, a later one of two equal ones with a number that makes it another."""
    taken: set[str] = set()
    return [_free(name, taken) for name in names]


def _free(name: str, taken: set[str]) -> str:
    chosen = next(candidate for candidate in _numbered(name) if candidate.lower() not in taken)
    taken.add(chosen.lower())  # some disks do not tell A from a
    return chosen


def _numbered(name: str) -> Iterator[str]:
    stem, dot, suffix = name.rpartition(".")
    yield name
    number = 1
    while True:
        number += 1
        yield f"{stem}-{number}{dot}{suffix}"


def read_picture(path: Path) -> np.ndarray:
    """An image as it is to be seen, turned as its EXIF data say: uint8 (h, w, 3) RGB.

    Raises:
        InputError: missing, damaged, or no image.
    """
    try:
        with Image.open(path) as image:
            return np.array(_eight_bits(ImageOps.exif_transpose(image)).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError("cannot read an image", where=path, got=error) from error


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of kind {image.mode}, of more than 16 bits a channel")
    return image
