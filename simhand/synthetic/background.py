"""Rooms without people: walls, boards, panes and grain, in greys and cold colours that do not pass for skin."""

from __future__ import annotations

import cv2
import numpy as np

_MARGIN_PX = 20  # of the picture beyond the frame, for a camera that is not quite still


class Backdrop:
    """A background as a hand-held camera sees it.

    Args:
        rng: draws the picture and how the camera drifts.
        width: of the frames, in pixels.
        height: of the frames, in pixels.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        self._size = (width, height)
        self._picture = draw_background(rng, width + 2 * _MARGIN_PX, height + 2 * _MARGIN_PX)
        self._swing_px = rng.uniform(0, 0.45 * _MARGIN_PX, (2, 2))
        self._rate_hz, self._phase = rng.uniform(0.03, 0.25, (2, 2)), rng.uniform(0, 2 * np.pi, (2, 2))

    def at(self, time_s: float) -> np.ndarray:
        """What is seen at a time: (height, width, 3) uint8, RGB."""
        shift = (self._swing_px * np.sin(2 * np.pi * self._rate_hz * time_s + self._phase)).sum(axis=0)
        x, y = (np.array(self._size) - 1) / 2 + _MARGIN_PX + shift
        return cv2.getRectSubPix(self._picture, self._size, (x, y))


def draw_background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A picture (height, width, 3) uint8, RGB."""
    top, bottom = _colour(rng), _colour(rng)
    ramp = np.linspace(0, 1, height)[:, None, None]
    picture = np.broadcast_to(top + ramp * (bottom - top), (height, width, 3)).astype(np.float32)
    picture = np.ascontiguousarray(picture)
    for _ in range(rng.integers(4, 14)):
        _PATTERNS[rng.integers(len(_PATTERNS))](rng, picture)
    picture += _grain(rng, width, height)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 3.0)) * 255, 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """Mostly grey, else green to violet."""
    value, saturation = rng.uniform(0.12, 0.92), rng.choice([rng.uniform(0, 0.08), rng.uniform(0.1, 0.5)])
    hsv = np.array([[[rng.uniform(90, 290), saturation, value]]], dtype=np.float32)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])


def _grain(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Clouds of several sizes (height, width, 1)."""
    total = np.zeros((height, width), np.float32)
    for cells in (3, 7, 15, 40):
        noise = rng.normal(0, 0.12 / cells**0.5, (cells, cells)).astype(np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return total[..., None]


def _box(rng: np.random.Generator, picture: np.ndarray) -> tuple[slice, slice]:
    height, width = picture.shape[:2]
    x, y = rng.integers(-20, width), rng.integers(-20, height)
    w, h = rng.integers(width // 12, width // 2), rng.integers(height // 12, height // 2)
    return slice(max(y, 0), max(y + h, 0)), slice(max(x, 0), max(x + w, 0))


def _board(rng: np.random.Generator, picture: np.ndarray) -> None:
    rows, columns = _box(rng, picture)
    edge = _colour(rng)
    picture[rows, columns] = edge * 0.7
    picture[rows.start + 2 : rows.stop - 2, columns.start + 2 : columns.stop - 2] = edge


def _stripes(rng: np.random.Generator, picture: np.ndarray) -> None:
    rows, columns = _box(rng, picture)
    first, second, period = _colour(rng), _colour(rng), rng.integers(6, 40)
    patch = picture[rows, columns]
    along = np.arange(patch.shape[1])[None, :] if rng.random() < 0.5 else np.arange(patch.shape[0])[:, None]
    stripe = np.broadcast_to((along // period % 2 == 0), patch.shape[:2])
    patch[:] = np.where(stripe[..., None], first, second)


def _panes(rng: np.random.Generator, picture: np.ndarray) -> None:
    rows, columns = _box(rng, picture)
    patch, side = picture[rows, columns], rng.integers(14, 60)
    y, x = np.ogrid[: patch.shape[0], : patch.shape[1]]
    frame = (y % side < 3) | (x % side < 3)
    patch[:] = np.where(frame[..., None], _colour(rng) * 0.5, np.clip(_colour(rng) + 0.15, 0, 1))


def _rods(rng: np.random.Generator, picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    for _ in range(rng.integers(1, 5)):
        first, second = rng.integers(0, [width, height], (2, 2)).tolist()
        cv2.line(picture, first, second, _colour(rng).tolist(), int(rng.integers(2, 9)), cv2.LINE_AA)


_PATTERNS = (_board, _board, _stripes, _panes, _rods)
