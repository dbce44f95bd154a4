"""Reads the official annotation JSON, gigabytes of it, item by item, and checks all that later stages rely on."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import ijson
import numpy as np
import pyarrow as pa

from simhand.errors import TableError
from simhand.files import arrow_writer
from simhand.hand100m.annotations import ANNOTATIONS, SIDES
from simhand.hand100m.geometry import has_area, official_square
from simhand.progress import Progress
from simhand.tables import N_JOINTS
from simhand.videos.image_names import last_number

log = logging.getLogger(__name__)

_BATCH = 4096  # annotations in memory at once
_BUFFER = 1 << 20
_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_LARGEST = 2**31 - 1  # the tables' whole numbers have 32 bits
_KEYS = ("hand_id", "image_id", "boxes", "keypoint_25d", "left_right", "positive_sample", "distance")


class _WrongValueError(ValueError):
    """One value of an annotation or image is not what it must be."""

    def __init__(self, key: str, expected: str, got: object) -> None:
        super().__init__(key)
        self.key, self.expected, self.got = key, expected, repr(got)[:200]


class _Image(NamedTuple):
    position: int  # in the JSON's list of images
    file_name: str
    video_id: str
    frame_index: int
    width: int | None
    height: int | None


def read_annotations(json_path: Path | str, out_path: Path | str) -> None:
    """Writes the annotations of an official JSON as a table (ANNOTATIONS), in their order.

    The JSON is passed through twice, images first, so it does not matter which list comes first. What stays in memory
    are the images' names (about 0.4 kB each) and the ids of the hands.

    A video is the folder part of `file_name`: `<video>/frame_000030.jpg` is frame 30 of `<video>`. Images without a
    folder count as one video, ".": pairs of one video, which mining must not make, are then not made by mistake. The
    index is the last number in the name; in a folder where some name has none, or two have the same, it is each
    image's place in the list of images.

    Raises:
        TableError: cannot be read, or an annotation lacks a key, has a wrong value, an unknown image, or a `hand_id`
            that another one has.
    """
    size_mb = _size_mb(json_path)
    images = _read_images(json_path, size_mb)
    hands = 0
    with arrow_writer(out_path, ANNOTATIONS) as writer, Progress("MB", size_mb) as progress:
        rows = _rows(json_path, images, progress)
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, ANNOTATIONS))
            hands += len(batch)
    if not hands:
        raise TableError("no annotations", where=json_path, expected='a list "annotations" with hands in it')
    log.info("%d annotated hands in %d images", hands, len(images))


def _size_mb(path: Path | str) -> int:
    try:
        return Path(path).stat().st_size // 1_000_000
    except OSError as error:
        raise TableError("cannot read annotations", where=path, got=error) from error


def _items(path: Path | str, name: str, progress: Progress) -> Iterator[Any]:
    """The items of one of the JSON's lists."""
    done = 0
    try:
        with Path(path).open("rb") as file:
            for item in ijson.items(file, f"{name}.item", use_float=True, buf_size=_BUFFER):
                yield item
                if (read := file.tell() // 1_000_000) > done:
                    progress.advance(read - done)
                    done = read
    except (OSError, ijson.JSONError, UnicodeDecodeError) as error:
        cut = isinstance(error, ijson.IncompleteJSONError)
        raise TableError(
            "cannot read annotations",
            where=path,
            expected='whole JSON: {"images": [...], "annotations": [...]}',
            got=_one_line(error),
            hint="the file may be cut short: compare its size with the original's" if cut else None,
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _read_images(path: Path | str, size_mb: int) -> dict[Any, _Image]:
    images: dict[Any, _Image] = {}
    with Progress("MB", size_mb) as progress:
        for position, item in enumerate(_items(path, "images", progress)):
            try:
                image = _image(position, item)
                if item["id"] in images:
                    raise _WrongValueError("id", "an id that no other image has", item["id"])
            except _WrongValueError as error:
                raise _refusal(error, f"{path}, image {position}") from None
            images[item["id"]] = image
            progress.advance(0, images=1)
    if not images:
        raise TableError("no images", where=path, expected='a list "images" with images in it')
    return _with_indices(images)


def _with_indices(images: dict[Any, _Image]) -> dict[Any, _Image]:
    """The images with a frame index each that no other of its folder has."""
    seen: set[tuple[str, int]] = set()
    unclear: set[str] = set()
    for image in images.values():
        key = (image.video_id, image.frame_index)
        if image.frame_index < 0 or key in seen:
            unclear.add(image.video_id)
        seen.add(key)
    if unclear:
        log.warning(
            "%d folders, %s for one, do not number their images by name: counted in the order of the list instead",
            len(unclear), min(unclear),
        )  # fmt: skip
    return {
        key: image._replace(frame_index=image.position) if image.video_id in unclear else image
        for key, image in images.items()
    }


def _image(position: int, item: Any) -> _Image:
    keys = ("id", "file_name")
    if not isinstance(item, dict) or any(key not in item for key in keys):
        raise _WrongValueError(" and ".join(keys), "both keys", item)
    name = item["file_name"]
    path = PurePosixPath(name) if isinstance(name, str) else None
    if path is None or not path.name or path.is_absolute() or ".." in path.parts:
        raise _WrongValueError("file_name", "a path that leads from the folder of images to the image", name)
    if not isinstance(item["id"], int | str):
        raise _WrongValueError("id", "a number or text", item["id"])
    number = last_number(path.name)
    index = number if number is not None and number <= _LARGEST else -1
    sides = (_side_px(item, key) for key in ("width", "height"))
    return _Image(position, name, sys.intern(path.parent.as_posix()), index, *sides)


def _side_px(item: dict[str, Any], key: str) -> int | None:
    """The width or height of an image, which the JSON may leave out."""
    pixels = item.get(key)
    if pixels is not None and not (isinstance(pixels, int) and 0 < pixels <= _LARGEST):
        raise _WrongValueError(key, "a number of pixels", pixels)
    return pixels


def _rows(path: Path | str, images: dict[Any, _Image], progress: Progress) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for position, item in enumerate(_items(path, "annotations", progress)):
        try:
            row = _row(item, images)
            if row["hand_id"] in seen:
                raise _WrongValueError("hand_id", "an id that no other annotation has", row["hand_id"])
        except _WrongValueError as error:
            name = f" (hand_id {item['hand_id']!r})" if isinstance(item, dict) and "hand_id" in item else ""
            raise _refusal(error, f"{path}, annotation {position}{name}") from None
        seen.add(row["hand_id"])
        yield row
        progress.advance(0, hands=1)


def _refusal(error: _WrongValueError, where: str) -> TableError:
    return TableError(
        f"wrong {error.key}",
        where=where,
        expected=error.expected,
        got=error.got,
        hint="counted from 0; mend the JSON or download it again",
    )


def _row(item: Any, images: dict[Any, _Image]) -> dict[str, Any]:
    if not isinstance(item, dict) or (missing := [key for key in _KEYS if key not in item]):
        raise _WrongValueError("keys" if not isinstance(item, dict) else missing[0], ", ".join(_KEYS), item)
    image = _image_of(item, images)
    if not isinstance(item["left_right"], str) or item["left_right"] not in SIDES:
        raise _WrongValueError("left_right", " or ".join(SIDES), item["left_right"])
    positives, distances = _positives(item)
    return {
        "hand_id": _hand_id("hand_id", item["hand_id"]),
        **_place(image),
        **dict(zip(("x1", "y1", "x2", "y2"), _box(item["boxes"], image), strict=True)),
        "left_right": item["left_right"],
        "keypoints": _keypoints(item["keypoint_25d"]),
        "positives": positives,
        "distances": distances,
    }


def _image_of(item: dict[str, Any], images: dict[Any, _Image]) -> _Image:
    key = item["image_id"]
    if not isinstance(key, int | str) or key not in images:
        raise _WrongValueError("image_id", "the id of one of the images", key)
    return images[key]


def _hand_id(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise _WrongValueError(key, "the id of a hand", value)
    return str(value)


def _place(image: _Image) -> dict[str, Any]:
    """Where a hand was seen."""
    return {
        "file_name": image.file_name,
        "video_id": image.video_id,
        "frame_index": image.frame_index,
        "frame_width": image.width,
        "frame_height": image.height,
    }


def _box(value: Any, image: _Image) -> list[float]:
    expected = "[x1, y1, x2, y2] in pixels, x1 < x2 and y1 < y2, as JSON or as JSON in a string"
    try:
        numbers = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        numbers = None
    if not _numbers(numbers) or len(numbers) != 4 or not has_area(box := [float(number) for number in numbers]):
        raise _WrongValueError("boxes", expected, value)
    if image.width and image.height and not has_area(official_square(box, image.width, image.height)):
        raise _WrongValueError("boxes", f"a box that shows some of the {image.width} x {image.height} image", value)
    return box


def _keypoints(value: Any) -> np.ndarray:
    count = 3 * N_JOINTS
    if not _numbers(value) or len(value) != count:
        raise _WrongValueError("keypoint_25d", f"{count} finite numbers: {N_JOINTS} x (x, y, z)", value)
    return np.array(value, np.float32)


def _numbers(values: Any) -> bool:
    """Whether this is a list of numbers that float32 can hold."""
    return isinstance(values, list) and all(isinstance(n, int | float) and abs(n) <= _LARGEST_FLOAT for n in values)


def _positives(item: dict[str, Any]) -> tuple[list[str], list[float]]:
    """The similar hands of a hand, the most similar first, and how far they are."""
    ids, distances = item["positive_sample"], item["distance"]
    if not isinstance(ids, list):
        raise _WrongValueError("positive_sample", "a list of hand_ids", ids)
    if not _numbers(distances) or len(distances) != len(ids):
        raise _WrongValueError("distance", f"a list of {len(ids)} numbers, one for each positive_sample", distances)
    return [_hand_id("positive_sample", value) for value in ids], distances
