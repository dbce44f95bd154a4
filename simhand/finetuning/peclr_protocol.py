"""How PeCLR evaluates on FreiHAND: its crops, and its palm for a wrist (spec: section 11).

A first pass sees the middle third of the image; the keypoints that it finds give the box of a second pass. Both crops
are PeCLR's 224 x 224 pixels, and the box fills 0.7 of the crop. Its published models see the palm's centre where others
have the wrist.
"""

from __future__ import annotations

import numpy as np

from simhand.joints import MIDDLE_BASE, WRIST

CROP_PX = 224
FILLED = 0.7  # of the crop, by the longer side of a box
_FIRST_SHARE = 0.33  # of the image's side, by the first box


def first_box(image_size: int = CROP_PX) -> np.ndarray:
    """The middle of a square image: left, top, right and bottom in pixels, float32 (4,)."""
    middle, half = np.float32(image_size / 2), np.float32(image_size) * np.float32(_FIRST_SHARE) / np.float32(2)
    return np.array([middle - half, middle - half, middle + half, middle + half])


def box_of_keypoints(keypoints_px: np.ndarray) -> np.ndarray:
    """Left, top, right and bottom of keypoints (21, 2) or more, cut to whole pixels: int64 (4,)."""
    return np.concatenate([keypoints_px.min(axis=0), keypoints_px.max(axis=0)]).astype(np.int64)


def crop_map(box: np.ndarray, size: int = CROP_PX) -> np.ndarray:
    """The map (3, 3) from an image to the crop around a box (4,)."""
    center = (box[:2] + box[2:]) / 2
    scale = FILLED * size / float((box[2:] - box[:2]).max())
    return np.array([[scale, 0, size / 2 - scale * center[0]], [0, scale, size / 2 - scale * center[1]], [0, 0, 1]])


def wrist_from_palm(joints: np.ndarray) -> np.ndarray:
    """Joints (..., 21, 3) with the wrist where the palm's centre was: as far from it as the middle finger's base."""
    moved = joints.copy()
    moved[..., WRIST, :] = 2 * joints[..., WRIST, :] - joints[..., MIDDLE_BASE, :]
    return moved
