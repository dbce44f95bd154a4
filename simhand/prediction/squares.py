"""From a detected hand to the crop that a model sees, and back.

Pixels of an image have the centre of the first at (0, 0), as labels have them; the crop has its corner there. A left
hand is seen as a right one, in the mirrored image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simhand.finetuning.crops import crop_affine, move
from simhand.finetuning.labelled import hand_squares
from simhand.hands.boxes import Box

_TO_CORNER = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # pixels whose first has its corner at (0, 0)


@dataclass(frozen=True)
class HandSquare:
    """The square around a hand in an image, and the crop of `size` x `size` pixels that shows it."""

    center_px: np.ndarray  # (2,) in the image, mirrored if the hand is
    side_px: float
    mirrored: bool
    width: int  # of the image
    size: int

    @property
    def affine(self) -> np.ndarray:
        """The map (2, 3) to the crop, from the (mirrored) image's pixels, whose first has its corner at (0, 0)."""
        return crop_affine(self.center_px + 0.5, self.side_px, 0.0, self.size)

    def camera(self, intrinsics: np.ndarray) -> np.ndarray:
        """The matrix (3, 3) from joints of the (mirrored) hand to the crop, for the image's (3, 3)."""
        seen = intrinsics.copy()
        if self.mirrored:
            seen[0, 2] = self.width - 1 - seen[0, 2]
        return np.vstack([self.affine, [0, 0, 1]]) @ _TO_CORNER @ seen

    def to_image(self, keypoints_px: np.ndarray) -> np.ndarray:
        """Keypoints (n, 2) of the crop in pixels of the image."""
        turn = self.affine[:, :2]
        found = (keypoints_px - self.affine[:, 2]) @ np.linalg.inv(turn).T - 0.5
        return np.column_stack([self.width - 1 - found[:, 0], found[:, 1]]) if self.mirrored else found

    def to_crop(self, keypoints_px: np.ndarray) -> np.ndarray:
        """Keypoints (n, 2) of the image in pixels of the crop."""
        x = self.width - 1 - keypoints_px[:, 0] if self.mirrored else keypoints_px[:, 0]
        return move(np.column_stack([x, keypoints_px[:, 1]]) + 0.5, self.affine)

    def unmirrored(self, joints: np.ndarray) -> np.ndarray:
        """Joints (n, 3) of what the crop shows, as they are in the image."""
        return joints * [-1.0, 1.0, 1.0] if self.mirrored else joints


def square_around(box: Box, mirrored: bool, width: int, factor: float, size: int) -> HandSquare:
    """The square that fine-tuning cuts out around keypoints that fill a box, x1, y1, x2, y2 in pixels.

    Args:
        box: of the hand, in the image.
        mirrored: whether the hand is a left one.
        width: of the image.
        factor: the square's side, in units of the box's longer side.
        size: pixels of the crop's side.
    """
    corners = np.reshape(np.asarray(box, dtype=float), (1, 2, 2))
    if mirrored:
        corners[..., 0] = width - 1 - corners[..., 0]
    centers_px, sides_px = hand_squares(corners, factor)
    return HandSquare(centers_px[0], max(float(sides_px[0]), 1.0), mirrored, width, size)


def assumed_camera(width: int, height: int, focal_px: float | None) -> np.ndarray:
    """Intrinsics (3, 3) of a camera that looks straight; its focal length: the image's longer side, if not given."""
    focal = float(focal_px or max(width, height))
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
