"""One released frame, read from its file with everything that can be wrong with it found out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

_JPEG_START, _SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


class LostImageError(Exception):
    """An image that cannot be used.

    Args:
        status: unreadable or corrupt, as in VIDEO_STATUS.
        reason: the file, and what is wrong with it.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def read_image(path: Path, size: tuple[int | None, int | None]) -> np.ndarray:
    """Reads an image as uint8 (h, w, 3) RGB.

    Args:
        path: the file.
        size: width and height that it must have; None where they are not known.

    Raises:
        LostImageError: missing, cut short, no image, or of another size than its annotations are made for.
    """
    if not path.is_file():
        raise LostImageError("unreadable", f"{path}: no such file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LostImageError("unreadable", f"{path}: {error.strerror}") from error
    image = None if _is_cut_short(data) else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise LostImageError("corrupt", f"{path}: not a whole image")
    height, width = image.shape[:2]
    if (size[0] or width, size[1] or height) != (width, height):
        raise LostImageError("corrupt", f"{path}: {width} x {height} pixels, annotated as {size[0]} x {size[1]}")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _is_cut_short(data: bytes) -> bool:
    """Whether there is nothing in a file, or a JPEG without its end: the decoder would fill up the rest with grey."""
    return not data or (data.startswith(_JPEG_START) and data.rfind(_JPEG_END) < data.rfind(_SCAN))
