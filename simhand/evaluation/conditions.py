"""Errors by how a hand is seen: what hides it, which camera shows it, and which side of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from simhand.evaluation.metrics import mpjpe
from simhand.joints import JOINTS_OF, WRIST

HIDDEN_EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of hidden joints, bins of which each takes in its upper edge; no hidden joint is a bin of its own."""

SIDE_OF_HAND = ("palm", "side", "back")
_PALM_DEG, _BACK_DEG = 60.0, 120.0  # thirds of the half circle


def errors_by_bin(errors_mm: np.ndarray, bins: np.ndarray) -> dict[str, dict[str, Any]]:
    """MPJPE and count of the hands in each bin.

    Args:
        errors_mm: (N, J), masked where not judged.
        bins: (N,) str; a hand with an empty name is in none.

    Returns:
        by the bin's name n_images and mpjpe_mm; bins without hands are left out.
    """
    found = {}
    for name in np.unique(bins[bins != ""]):
        errors = errors_mm[bins == name]
        found[str(name)] = {"n_images": len(errors), "mpjpe_mm": mpjpe(errors)}
    return found


def hidden_bins(hidden: np.ndarray) -> np.ndarray:
    """Names of bins (N,) for shares of hidden joints (N,): 0, 0-0.25 and so on; empty for NaN."""
    edges = [f"{edge:g}" for edge in HIDDEN_EDGES]
    names = np.array([edges[0], *(f"{low}-{high}" for low, high in pairwise(edges)), ""])
    return names[np.searchsorted(HIDDEN_EDGES, hidden)]  # NaN comes last


def viewing_angles(true_mm: np.ndarray) -> np.ndarray:
    """The angle between the palm's normal and the direction to the camera: 0 shows the palm, 180 the back.

    Args:
        true_mm: (N, 21, 3) right hands in the camera frame (x to the right, y down, z away); NaN where unknown.

    Returns:
        (N,) in degrees; NaN where a joint of the palm is unknown, or the palm is a line.
    """
    corners = (WRIST, JOINTS_OF["index"][0], JOINTS_OF["little"][0])
    wrist, index, little = (true_mm[:, joint].astype(float) for joint in corners)
    normal = np.cross(index - wrist, little - wrist)  # (N, 3), out of a right hand's palm
    to_camera = -(wrist + index + little)  # (N, 3)
    lengths = np.linalg.norm(normal, axis=1) * np.linalg.norm(to_camera, axis=1)  # (N,)
    cosines = (normal * to_camera).sum(axis=1) / np.where(lengths > 0, lengths, np.nan)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def side_bins(angles_deg: np.ndarray) -> np.ndarray:
    """Which side of the hand is seen (N,): palm (below 60 degrees), side, or back (from 120); empty for NaN."""
    names = np.array([*SIDE_OF_HAND, ""])
    return names[np.where(np.isnan(angles_deg), 3, np.digitize(angles_deg, [_PALM_DEG, _BACK_DEG]))]
