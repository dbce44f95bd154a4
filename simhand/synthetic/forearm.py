"""A forearm with a sleeve, grown from the open wrist of the hand's mesh."""

from __future__ import annotations

import numpy as np

from simhand.synthetic.anatomy import ANGLES
from simhand.synthetic.rotations import X, Z, turn

_DISTANCES_M = (0.008, 0.018, 0.03, 0.045, 0.065, 0.09, 0.125, 0.17, 0.23, 0.3, 0.38)
_BEND_M = 0.03  # the wrist's bend is spread over this length
_WIDENING = 1.8  # of the forearm, a metre on
_SLEEVE = 1.22  # how much wider than the arm
_HEM_M = 0.0015
N_RINGS = len(_DISTANCES_M) + 2


def ring_distances_m(bare_m: float) -> np.ndarray:
    """How far from the wrist each ring of vertices lies (R,), one on each side of the sleeve's hem."""
    return np.sort([*_DISTANCES_M, bare_m, bare_m + _HEM_M])


def is_sleeve(bare_m: float) -> np.ndarray:
    """Which rings (R,) belong to the sleeve."""
    return ring_distances_m(bare_m) > bare_m


def forearm_vertices(ring: np.ndarray, angles_deg: np.ndarray, bare_m: float) -> np.ndarray:
    """Rings of vertices down the forearm.

    Args:
        ring: (n, 20, 3) vertices around the open wrist, in the hand's frame, in metres.
        angles_deg: (n, 23) in the order of `ANGLES`; the last two bend the wrist.
        bare_m: where the sleeve begins.

    Returns:
        (n, R * 20, 3).
    """
    distances = ring_distances_m(bare_m)
    widths = (1 + _WIDENING * distances) * np.where(is_sleeve(bare_m), _SLEEVE, 1.0)
    flexion, deviation = np.radians(angles_deg[:, [ANGLES.index("wrist_flexion"), ANGLES.index("wrist_deviation")]]).T
    centre = ring.mean(axis=1)
    flat = (ring - centre[:, None]) * [1.0, 0.0, 1.0]
    rings, previous = [], 0.0
    for distance, width in zip(distances, widths, strict=True):
        share = min(distance / _BEND_M, 1.0)
        bend = turn(X, share * deviation) @ turn(Z, -share * flexion)  # (n, 3, 3)
        centre = centre - (distance - previous) * bend[:, :, 1]
        rings.append(centre[:, None] + width * flat @ bend.transpose(0, 2, 1))
        previous = distance
    return np.concatenate(rings, axis=1)


def forearm_faces(ring: np.ndarray, first_vertex: int) -> np.ndarray:
    """Triangles (2 * R * 20, 3) between the vertices around the wrist and the rings from `first_vertex` on."""
    rows = np.vstack([ring, first_vertex + np.arange(N_RINGS * len(ring)).reshape(N_RINGS, -1)])
    near, far = rows[:-1], rows[1:]
    next_near, next_far = np.roll(near, -1, axis=1), np.roll(far, -1, axis=1)
    corners = [(near, far, next_far), (near, next_far, next_near)]
    return np.concatenate([np.stack(c, axis=-1).reshape(-1, 3) for c in corners]).astype(np.int32)
