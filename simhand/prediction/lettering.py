"""Text on pictures, in the font that Pillow carries."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]


def write_text(picture: np.ndarray, text: str, place: tuple[float, float], height_px: int, colour: Colour) -> None:
    """Writes a line of text on a picture, uint8 (h, w, 3); what lies outside is cut off.

    Args:
        picture: is written on.
        text: the line.
        place: x and y of its upper left corner.
        height_px: of the font.
        colour: RGB.
    """
    mask = _mask(text, height_px)
    x, y = round(place[0]), round(place[1])
    part = picture[max(y, 0) : y + mask.shape[0], max(x, 0) : x + mask.shape[1]]
    top, left = max(-y, 0), max(-x, 0)
    share = mask[top : top + part.shape[0], left : left + part.shape[1], None]  # (h, w, 1) in 0..1
    part[:] = np.rint(part * (1 - share) + np.array(colour) * share).astype(np.uint8)


def text_width(text: str, height_px: int) -> int:
    """Pixels that a line of text takes."""
    return int(_mask(text, height_px).shape[1])


@lru_cache(maxsize=256)  # a video has the same few words in each frame
def _mask(text: str, height_px: int) -> np.ndarray:
    """How much of each pixel a line of text covers: float32 (h, w) in 0..1."""
    font = ImageFont.load_default(height_px)
    assert isinstance(font, ImageFont.FreeTypeFont)
    line = Image.new("L", (math.ceil(font.getlength(text)) + 1, sum(font.getmetrics())))
    ImageDraw.Draw(line).text((0, 0), text, fill=255, font=font)
    return np.asarray(line, dtype=np.float32) / 255
