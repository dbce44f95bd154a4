"""Random views of a training image (spec: section 10).

The official blur of at most half a pixel is drawn, and used by `official_views` alone: cutting smooths as much anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SHIFT = 0.1  # of the square's side
_SCALE_DEVIATION, _SCALE_RANGE = 0.1, (0.9, 1.1)
_MAX_ROTATION_RAD = np.pi / 2
_MAX_BLUR_PX = 0.5
_COLOUR_FACTOR, _HUE_SHIFT = (0.5, 1.5), 0.15  # of brightness, contrast and saturation; of hue, in turns


@dataclass(frozen=True)
class View:
    """Which square of an image is seen, and how."""

    center_px: np.ndarray  # (2,)
    side_px: float
    rotation_rad: float
    colours: tuple[tuple[str, float], ...]  # what is changed, in this order, and by how much
    blur_px: float = 0.0  # deviation of the Gaussian


def plain_view(center_px: np.ndarray, side_px: float) -> View:
    """The square itself."""
    return View(center_px, side_px, 0.0, ())


def random_view(center_px: np.ndarray, side_px: float, rng: np.random.Generator) -> View:
    """A square shifted by up to a tenth of its side, up to a tenth greater or smaller, turned by up to 90 degrees."""
    shift = np.trunc(_SHIFT * side_px * rng.uniform(-1, 1, size=2))
    scale = np.clip(1 + _SCALE_DEVIATION * rng.standard_normal(), *_SCALE_RANGE)
    rotation = rng.uniform(-_MAX_ROTATION_RAD, _MAX_ROTATION_RAD)
    colours = _random_colours(rng)
    return View(center_px + shift, side_px * scale, rotation, colours, rng.uniform(0, _MAX_BLUR_PX))


def _random_colours(rng: np.random.Generator) -> tuple[tuple[str, float], ...]:
    changes = [(name, rng.uniform(*_COLOUR_FACTOR)) for name in ("brightness", "contrast", "saturation")]
    changes.append(("hue", rng.uniform(-_HUE_SHIFT, _HUE_SHIFT)))
    return tuple(changes[place] for place in rng.permutation(len(changes)))
