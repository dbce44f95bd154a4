"""The gallery's pictures, small enough for thousands on one page, and where a hand lies in its frame."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np

_TILE_PX, _TILE_QUALITY = 112, 55
_FRAME_PX, _FRAME_QUALITY = 400, 55  # of the longer side


def tile_picture(crop: np.ndarray) -> bytes:
    """A crop, uint8 (s, s, 3) RGB, as a WebP of 112 pixels."""
    return _webp(cv2.resize(crop, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA), _TILE_QUALITY)


def frame_picture(frame: np.ndarray) -> bytes:
    """A frame, uint8 (h, w, 3) RGB, as a WebP whose longer side has 400 pixels at most: 8 kB or so."""
    height, width = frame.shape[:2]
    scale = min(1.0, _FRAME_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _webp(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), _FRAME_QUALITY)


def as_text(picture: bytes) -> str:
    """Bytes in base64."""
    return base64.b64encode(picture).decode()


def in_frame(points: np.ndarray, square: Sequence[float], *, flipped: bool) -> np.ndarray:
    """Keypoints (21, 2) in units of a crop to pixels of the frame.

    Args:
        points: where the crop's corners are (0, 0) and (1, 1).
        square: x1, y1, x2, y2, what the crop shows, in pixels of the frame.
        flipped: whether the crop is mirrored.
    """
    corner, far = np.array(square[:2], np.float64), np.array(square[2:], np.float64)
    upright = np.column_stack([1 - points[:, 0], points[:, 1]]) if flipped else points
    return corner + upright * (far - corner)


def _webp(rgb: np.ndarray, quality: int) -> bytes:
    ok, data = cv2.imencode(".webp", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not ok:
        raise ValueError(f"cannot encode an image of shape {rgb.shape} as WebP")
    return data.tobytes()
