"""JPEG in and out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from simhand.errors import TableError


def encode_jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """uint8 (h, w, 3) RGB to JPEG."""
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(f"cannot encode an image of shape {rgb.shape} as JPEG")
    return data.tobytes()


def frame_image(frames: pa.Table, row: int, path: Path | str) -> np.ndarray:
    """The image of one row of a table of frames or crops, uint8 (h, w, 3) RGB; `path` is where the table lies.

    Raises:
        TableError: it is no JPEG.
    """
    try:
        return decode_jpeg(frames["jpeg"][row])
    except ValueError as error:
        raise TableError(
            "an image is damaged", where=f"{path}, row {row}", got=error, hint="delete the file: it will be made anew"
        ) from error


def decode_jpeg(cell: pa.BinaryScalar) -> np.ndarray:
    """One cell of a column of JPEGs to uint8 (h, w, 3) RGB."""
    image = cv2.imdecode(np.frombuffer(cell.as_buffer(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{len(cell.as_buffer())} bytes are not a JPEG")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
