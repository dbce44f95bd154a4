"""A bank of natural hand postures: what hands do when they grasp, point, count and rest."""

from __future__ import annotations

import numpy as np

from simhand.synthetic.anatomy import N_ANGLES, within_limits

# A finger is (knuckle flexion, knuckle abduction, middle flexion, end flexion), in degrees.
_Finger = tuple[float, float, float, float]
_STRAIGHT: _Finger = (6, 0, 6, 4)
_CURLED: _Finger = (78, 0, 98, 55)

# A thumb is (base flexion, base abduction, base twist, middle flexion, end flexion).
_Thumb = tuple[float, float, float, float, float]
_THUMB_OUT: _Thumb = (-16, -6, -5, 2, 2)
_THUMB_BESIDE: _Thumb = (6, -14, 0, 8, 12)
_THUMB_OVER: _Thumb = (19, 4, 5, 46, 45)  # across the curled fingers
_THUMB_MEETING: _Thumb = (23, 13, 17, 21, 27)  # tip to tip with the index finger


def _posture(thumb: _Thumb, *fingers: _Finger) -> np.ndarray:
    wrist = (0.0, 0.0)
    return within_limits(np.array([*thumb, *(angle for finger in fingers for angle in finger), *wrist], dtype=float))


def _spread(finger: _Finger, abduction: float) -> _Finger:
    return (finger[0], abduction, finger[2], finger[3])


_PINCHING: _Finger = (55, 0, 52, 27)

POSTURES: dict[str, np.ndarray] = {
    "spread": _posture(_THUMB_OUT, *(_spread(_STRAIGHT, a) for a in (10, 2, -6, -12))),
    "flat": _posture(_THUMB_BESIDE, *(_spread(_STRAIGHT, a) for a in (-5, -2, 4, 6))),
    "relaxed": _posture((8, 8, 8, 14, 18), (18, 0, 26, 12), (24, 0, 30, 14), (28, 0, 34, 16), (32, 0, 36, 18)),
    "half_closed": _posture((12, 14, 12, 20, 25), (38, 0, 52, 28), (42, 0, 56, 30), (46, 0, 58, 32), (50, 0, 58, 32)),
    "fist": _posture(_THUMB_OVER, _CURLED, _CURLED, _CURLED, _CURLED),
    "point": _posture(_THUMB_OVER, _STRAIGHT, _CURLED, _CURLED, _CURLED),
    "victory": _posture(_THUMB_OVER, _spread(_STRAIGHT, 9), _spread(_STRAIGHT, -7), _CURLED, _CURLED),
    "two_together": _posture(_THUMB_OVER, _spread(_STRAIGHT, -4), _STRAIGHT, _CURLED, _CURLED),
    "three": _posture((33, 15, 16, 53, 52), _spread(_STRAIGHT, 9), _STRAIGHT, _spread(_STRAIGHT, -8), _CURLED),
    "four": _posture((28, 12, 14, 46, 45), *(_spread(_STRAIGHT, a) for a in (9, 2, -5, -11))),
    "thumb_up": _posture(_THUMB_OUT, _CURLED, _CURLED, _CURLED, _CURLED),
    "thumb_and_index": _posture(_THUMB_OUT, _STRAIGHT, _CURLED, _CURLED, _CURLED),
    "thumb_and_two": _posture(_THUMB_OUT, _spread(_STRAIGHT, 8), _spread(_STRAIGHT, -4), _CURLED, _CURLED),
    "horns": _posture(_THUMB_OVER, _spread(_STRAIGHT, 6), _CURLED, _CURLED, _spread(_STRAIGHT, -8)),
    "shaka": _posture(_THUMB_OUT, _CURLED, _CURLED, _CURLED, _spread(_STRAIGHT, -10)),
    "little_finger": _posture(_THUMB_OVER, _CURLED, _CURLED, _CURLED, _spread(_STRAIGHT, -6)),
    "ok": _posture(_THUMB_MEETING, _PINCHING, (22, 0, 18, 8), (14, -4, 12, 6), (8, -10, 8, 4)),
    "pinch": _posture(_THUMB_MEETING, _PINCHING, (52, 0, 62, 32), (58, 0, 70, 36), (60, 0, 72, 38)),
    "tripod": _posture((24, 12, 24, 21, 27), (54, 0, 55, 26), (56, 0, 50, 26), (60, 0, 74, 40), (64, 0, 78, 42)),
    "key_grip": _posture((20, -7, 2, 24, 28), (52, 0, 78, 42), (62, 0, 84, 45), (66, 0, 86, 46), (68, 0, 86, 46)),
    "cylinder": _posture((6, 32, 20, 16, 24), (42, 0, 46, 26), (46, 0, 48, 28), (48, 0, 48, 28), (50, 0, 46, 26)),
    "sphere": _posture((-2, 30, 14, 12, 18), (26, 10, 40, 22), (30, 2, 42, 24), (30, -6, 42, 24), (28, -13, 40, 22)),
    "claw": _posture((0, 16, 8, 16, 40), *((-2, a, 70, 42) for a in (8, 2, -4, -9))),
    "hook": _posture(_THUMB_BESIDE, *((8, 0, 92, 55) for _ in range(4))),
    "table_top": _posture((2, 18, 12, 8, 10), *((72, 0, 8, 5) for _ in range(4))),
}

_SPREAD_DEG = np.array([5.0] * (N_ANGLES - 2) + [14.0, 7.0])  # of a joint, and of the wrist
_CURL_SPREAD = 0.06  # of all joints together, as a share of the way to the relaxed hand


def draw_posture(rng: np.random.Generator) -> np.ndarray:
    """One of the postures, somewhat relaxed and somewhat varied: (23,) degrees inside the limits."""
    bank = list(POSTURES.values())
    posture = bank[rng.integers(len(bank))]
    towards_relaxed = abs(rng.normal(0, _CURL_SPREAD))
    mixed = posture + towards_relaxed * (POSTURES["relaxed"] - posture)
    return within_limits(mixed + _SPREAD_DEG * np.clip(rng.normal(size=len(posture)), -2, 2))
