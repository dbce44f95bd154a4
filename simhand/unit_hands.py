"""Hands without place and size: what several rooms compare them by."""

from __future__ import annotations

import numpy as np

from simhand.joints import MIDDLE_BASE, MIDDLE_LOWER, WRIST


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """From wrist to the middle finger's base: (N,) for joints (N, 21, 3), in their unit."""
    return np.linalg.norm(joints[:, MIDDLE_BASE] - joints[:, WRIST], axis=1)


def scales(joints: np.ndarray) -> np.ndarray:
    """FreiHAND's `scale`, from the middle finger's base to its next joint: (N,) for joints (N, 21, 3)."""
    return np.linalg.norm(joints[:, MIDDLE_LOWER] - joints[:, MIDDLE_BASE], axis=1)


def joint_locations(joints: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3) relative to the wrist, in lengths of the bone from wrist to the middle finger's base."""
    return (joints - joints[:, [WRIST]]) / bone_lengths(joints)[:, None, None]


def mean_locations(joints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The mean of `joint_locations`, (21, 3), each joint's over the hands of which it is seen.

    Args:
        joints: (N, 21, 3); those that are not seen may be NaN.
        seen: (N, 21) bool; a joint that never is lies at the wrist.
    """
    total = np.where(seen[..., None], joint_locations(joints), 0).sum(axis=0)  # (21, 3)
    return total / np.maximum(seen.sum(axis=0), 1)[:, None]
