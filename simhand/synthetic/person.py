"""People: the shape of their hands, their skin, their sleeves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Skin from light to dark, RGB in 0..1: the back of the hand and its palm, which darkens far less.
_BACKS = np.array([[0.93, 0.76, 0.67], [0.86, 0.66, 0.53], [0.74, 0.54, 0.40], [0.56, 0.38, 0.27], [0.38, 0.26, 0.19]])
_PALMS = np.array([[0.95, 0.76, 0.69], [0.90, 0.69, 0.59], [0.84, 0.63, 0.52], [0.76, 0.56, 0.45], [0.66, 0.48, 0.39]])


@dataclass(frozen=True)
class Person:
    """What stays the same whatever a person's hands do. Colours are RGB in 0..1."""

    shape: dict[str, float]
    back_rgb: np.ndarray
    palm_rgb: np.ndarray
    sleeve_rgb: np.ndarray
    bare_forearm_m: float
    mottling_seed: int


def draw_person(rng: np.random.Generator) -> Person:
    """Draws an adult."""
    tone, jitter = rng.uniform(0, len(_BACKS) - 1), rng.normal(0, 0.012, 3)
    return Person(
        shape=_draw_shape(rng),
        back_rgb=np.clip(_tone(_BACKS, tone) + jitter, 0, 1),
        palm_rgb=np.clip(_tone(_PALMS, tone) + jitter, 0, 1),
        sleeve_rgb=_draw_cloth(rng),
        bare_forearm_m=float(rng.choice([rng.uniform(0.01, 0.06), rng.uniform(0.06, 0.28)])),
        mottling_seed=int(rng.integers(2**31)),
    )


def _draw_shape(rng: np.random.Generator) -> dict[str, float]:
    ranges = {
        "gender": (0, 1),
        "age": (0.55, 1),
        "weight": (0.1, 0.9),
        "height": (0.35, 0.65),
        "proportions": (0, 1),
        "r-hand-fingers-length-incr": (0.25, 0.95),
        "r-hand-scale-incr": (-0.2, 0.2),
        "r-hand-fingers-diameter-incr": (-0.8, 1),
        "r-hand-fingers-distance-incr": (-0.5, 0.5),
        "measure-wrist-circ-incr": (-0.6, 0.4),
    }
    return {name: float(rng.uniform(*bounds)) for name, bounds in ranges.items()}


def _tone(colours: np.ndarray, tone: float) -> np.ndarray:
    return np.array([np.interp(tone, np.arange(len(colours)), channel) for channel in colours.T])


def _draw_cloth(rng: np.random.Generator) -> np.ndarray:
    """Greys and cold colours: nothing that could pass for skin."""
    grey, tint = rng.uniform(0.08, 0.85), rng.uniform(0, 0.35)
    cold = np.array([0.0, rng.uniform(0.2, 1), rng.uniform(0.4, 1)])
    return np.asarray(np.clip(grey * (1 - tint) + cold * tint * (0.3 + grey), 0.03, 0.95))
