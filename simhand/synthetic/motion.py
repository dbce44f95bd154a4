"""How a hand moves through a video: it rests in a posture, glides to the next, sways, and may leave for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simhand.synthetic.anatomy import N_ANGLES, within_limits
from simhand.synthetic.postures import draw_posture
from simhand.synthetic.views import draw_view

_POSTURE_EVERY_S, _VIEW_EVERY_S, _PLACE_EVERY_S = (1.3, 2.4), (2.0, 4.0), (1.5, 3.5)
_GLIDE_S = 1.1  # the longest time between two rests
_LEAVE_S = 1.4
_ABSENT_S = (1.5, 4.0)
_BELOW = 1.35  # heights of the picture that a leaving hand goes down


@dataclass(frozen=True)
class Region:
    """Where in the picture a hand may be, and how large: fractions of the width, of the height, of the width."""

    x: tuple[float, float]
    y: tuple[float, float]
    size: tuple[float, float]

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """A place (3,): x, y and the length of an open hand."""
        return np.array([rng.uniform(*self.x), rng.uniform(*self.y), rng.uniform(*self.size)])


@dataclass(frozen=True)
class Motion:
    """One hand in the n frames of a video."""

    angles_deg: np.ndarray  # (n, 23)
    view_deg: np.ndarray  # (n, 3) yaw, pitch, roll
    place: np.ndarray  # (n, 3) as `Region.draw` gives it


def draw_motion(rng: np.random.Generator, times_s: np.ndarray, region: Region, leaves: bool) -> Motion:
    """Draws a motion at the times (n,) of a video's frames; a hand that leaves is out of the picture for a while."""
    angles = _glide(rng, times_s, draw_posture, _POSTURE_EVERY_S) + _sway(rng, times_s, np.full(N_ANGLES, 1.0))
    place = _glide(rng, times_s, region.draw, _PLACE_EVERY_S) + _sway(rng, times_s, np.array([0.006, 0.006, 0.004]))
    if leaves:
        place[:, 1] += _BELOW * _absence(rng, times_s)
    return Motion(
        angles_deg=within_limits(angles),
        view_deg=_glide(rng, times_s, draw_view, _VIEW_EVERY_S) + _sway(rng, times_s, np.full(3, 1.0)),
        place=place,
    )


def _glide(
    rng: np.random.Generator,
    times_s: np.ndarray,
    draw: Callable[[np.random.Generator], np.ndarray],
    every_s: tuple[float, float],
) -> np.ndarray:
    """Values (n, D) that rest at drawn ones and move smoothly between them."""
    values, start = [draw(rng)], -rng.uniform(0, every_s[0])
    path = np.tile(values[0], (len(times_s), 1))
    while start < times_s[-1]:
        gap = rng.uniform(*every_s)
        values.append(draw(rng))
        path += _ease((times_s - (start + gap)) / min(_GLIDE_S, gap) + 1)[:, None] * (values[-1] - values[-2])
        start += gap
    return path


def _ease(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 with no jerk at either end (the minimum-jerk polynomial)."""
    s = np.clip(share, 0, 1)
    return np.asarray(s**3 * (10 - 15 * s + 6 * s**2))


def _sway(rng: np.random.Generator, times_s: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Slow small waves (n, D)."""
    size = (2, 1, len(amplitude))
    waves = np.sin(2 * np.pi * (rng.uniform(0.1, 0.5, size) * times_s[:, None] + rng.uniform(0, 1, size)))
    return np.asarray(amplitude * waves.sum(axis=0))


def _absence(rng: np.random.Generator, times_s: np.ndarray) -> np.ndarray:
    """0 while the hand is there, 1 while it is away (n,)."""
    longest = min(_ABSENT_S[1], 0.4 * times_s[-1])
    away = rng.uniform(min(_ABSENT_S[0], longest), longest)
    begin = rng.uniform(-0.5 * away, times_s[-1] - 0.5 * away)
    return _ease((times_s - begin) / _LEAVE_S + 1) - _ease((times_s - begin - away) / _LEAVE_S)
