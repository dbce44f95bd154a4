"""What a camera adds to a picture: a little blur, a little noise."""

from __future__ import annotations

import cv2
import numpy as np

_BORDER_PX = 32


class Sensor:
    """One camera's blur and noise.

    Args:
        rng: draws how much of both.
        width: of the frames, in pixels.
        height: of the frames, in pixels.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        self._size = (width, height)
        self._blur_px, self._gain = rng.uniform(0.3, 0.7), rng.uniform(0.9, 1.08)
        noise = rng.standard_normal((height + _BORDER_PX, width + _BORDER_PX, 3), dtype=np.float32)
        self._noise = noise * np.float32(rng.uniform(1.0, 5.0))

    def expose(self, rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
        """A picture (height, width, 3), float32 in 0..255, as the camera stores it: uint8."""
        x, y = rng.integers(_BORDER_PX, size=2)
        width, height = self._size
        sharp = cv2.GaussianBlur(picture * np.float32(self._gain), (0, 0), self._blur_px)
        return np.clip(sharp + self._noise[y : y + height, x : x + width], 0, 255).astype(np.uint8)
