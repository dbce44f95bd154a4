"""How similar mined pairs really are, where true 3D joints are known."""

from __future__ import annotations

import numpy as np

from simhand.errors import TableError

_WRIST, _MIDDLE_MCP = 0, 9


def root_aligned_distance(joints_a: np.ndarray, joints_b: np.ndarray) -> np.ndarray:
    """Mean distance of corresponding joints, both hands moved to the wrist and scaled to one bone length.

    Args:
        joints_a: (n, 21, 3), any unit, one side of hand only (mirror left hands before).
        joints_b: (n, 21, 3), the partners.

    Returns:
        (n,), in units of the bone from wrist to the middle finger's knuckle (joints 0 to 9).

    Raises:
        TableError: a hand has no such length.
    """
    difference = _root_aligned(joints_a) - _root_aligned(joints_b)
    return np.linalg.norm(difference, axis=2).mean(axis=1)


def random_other_video(videos: np.ndarray, seed: int) -> np.ndarray:
    """For each hand a hand of another video, all of them equally likely: what mined neighbours are compared with.

    Args:
        videos: (n,) number of each hand's video, from 0; at least two videos.
        seed: another seed, other partners.

    Returns:
        int64 (n,) rows.
    """
    by_video = np.argsort(videos, kind="stable")
    counts = np.bincount(videos)
    starts = np.cumsum(counts) - counts
    drawn = np.random.default_rng(seed).integers(len(videos) - counts[videos])
    drawn += np.where(drawn >= starts[videos], counts[videos], 0)  # jump over the hand's own video
    return by_video[drawn]


def _root_aligned(joints: np.ndarray) -> np.ndarray:
    relative = joints - joints[:, _WRIST : _WRIST + 1]
    lengths = np.linalg.norm(relative[:, _MIDDLE_MCP], axis=1)  # (n,)
    if not (lengths > 0).all():
        raise TableError("a hand has no length from wrist to middle knuckle", where=f"row {int(np.argmin(lengths))}")
    return relative / lengths[:, None, None]
