"""From which sides hands are seen: one distribution for everybody."""

from __future__ import annotations

import numpy as np

from simhand.synthetic.rotations import X, Y, Z, turn

# (yaw, pitch, roll) in degrees. Yaw 0 shows the palm, -90 the thumb, -180 the back; positive pitch tips the fingers
# towards the camera; roll turns the picture.
VIEWS_DEG: dict[str, tuple[float, float, float]] = {
    "palm": (0, 0, 0),
    "palm_and_thumb": (-38, 5, 0),
    "thumb": (-105, 0, 5),
    "back_and_thumb": (-135, -5, -10),
    "back": (-180, 0, 0),
    "reaching": (-170, -30, -10),
}
_SPREAD_DEG = np.array([9.0, 8.0, 12.0])

_PALM_TO_CAMERA = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])


def draw_view(rng: np.random.Generator) -> np.ndarray:
    """One of the views, up to two spreads off: (3,) yaw, pitch, roll in degrees."""
    centres = list(VIEWS_DEG.values())
    return np.asarray(centres[rng.integers(len(centres))] + _SPREAD_DEG * np.clip(rng.normal(size=3), -2, 2))


def orientation(view_deg: np.ndarray) -> np.ndarray:
    """Rotations (n, 3, 3) from the hand's frame to the camera's, for views (n, 3)."""
    yaw, pitch, roll = np.radians(view_deg).T
    return np.asarray(turn(Z, roll) @ turn(X, pitch) @ _PALM_TO_CAMERA @ turn(Y, yaw))
