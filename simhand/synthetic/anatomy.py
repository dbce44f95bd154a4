"""The angles that pose a hand, in degrees, and how far human joints go.

Flexion bends towards the palm and is 0 where a finger lies in line with the bone before it. Abduction is counted from
the hand at rest and is positive towards the thumb. The base of the thumb turns about three axes, all counted from
rest. Wrist flexion brings the palm towards the forearm, wrist deviation the little finger.
"""

from __future__ import annotations

import numpy as np

FINGERS = ("index", "middle", "ring", "little")

_THUMB = {
    "thumb_base_flexion": (-20.0, 35.0),
    "thumb_base_abduction": (-25.0, 35.0),
    "thumb_base_twist": (-20.0, 35.0),
    "thumb_middle_flexion": (-5.0, 60.0),
    "thumb_end_flexion": (-15.0, 75.0),
}
_FINGER = {
    "knuckle_flexion": (-15.0, 90.0),
    "knuckle_abduction": (-20.0, 20.0),
    "middle_flexion": (0.0, 105.0),
    "end_flexion": (-5.0, 75.0),
}
_WRIST = {"wrist_flexion": (-60.0, 60.0), "wrist_deviation": (-20.0, 30.0)}

LIMITS_DEG: dict[str, tuple[float, float]] = {
    **_THUMB,
    **{f"{finger}_{angle}": limits for finger in FINGERS for angle, limits in _FINGER.items()},
    **_WRIST,
}
ANGLES = tuple(LIMITS_DEG)
N_ANGLES = len(ANGLES)  # 23
LOWER_DEG, UPPER_DEG = np.array(list(LIMITS_DEG.values())).T


def within_limits(angles_deg: np.ndarray) -> np.ndarray:
    """The nearest angles (..., 23) that a human hand can take."""
    return np.clip(angles_deg, LOWER_DEG, UPPER_DEG)
