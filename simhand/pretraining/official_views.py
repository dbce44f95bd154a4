"""The geometry of the official augmentation (spec 3), whole numbers and all; its pixels are in `opencv_*`.

A crop is rotated about its keypoints' centroid on its own canvas, then a box is cut out around the new centroid and
resized. Centres, half sides, jitter and angle are truncated to whole numbers; the box starts within the canvas and ends
at its border, so it may be no square, and the view is stretched.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from simhand.pretraining.opencv_resize import resize_area
from simhand.pretraining.opencv_warp import rotation_matrices, warp_affine
from simhand.pretraining.warp import warp_points


@dataclass(frozen=True)
class OfficialGeometry:
    """What is done to n crops, on the CPU."""

    rotations: Tensor  # float64 (n, 2, 3), on the canvas
    origin_px: Tensor  # int64 (n, 2), x and y of the box
    extent_px: Tensor  # int64 (n, 2), its width and height
    moved_px: Tensor  # int64 (n, 2), by how much it was moved right and down: the negative of the stored jitter

    def matrices(self, size: int) -> Tensor:
        """From px of the crops to px of views of side `size`, float64 (n, 2, 3)."""
        moved = self.rotations.clone()
        moved[:, :, 2] -= self.origin_px
        return moved * (size / self.extent_px.double()).unsqueeze(2)

    def part(self, chosen: slice) -> OfficialGeometry:
        """That of some of the crops."""
        return OfficialGeometry(*(getattr(self, field.name)[chosen] for field in fields(self)))


def official_geometry(
    keypoints_px: Tensor, angle_deg: Tensor, margin: Tensor, jitter_px: Tensor, canvas: int
) -> OfficialGeometry:
    """Where n boxes lie.

    Args:
        keypoints_px: (n, 21, 2), px of the crops.
        angle_deg: (n,), whole degrees, counter-clockwise as seen.
        margin: (n,), half side of the box in units of the farthest keypoint's distance.
        jitter_px: (n, 2), truncated.
        canvas: side of the crops, px.
    """
    keypoints_px = keypoints_px.double()
    rotations = rotation_matrices(_centre(keypoints_px), angle_deg)
    turned = warp_points(keypoints_px, rotations)
    centre = _centre(turned)
    reach = (turned - centre.unsqueeze(1)).norm(dim=2).amax(dim=1)
    half = (reach * margin).long().unsqueeze(1)  # (n, 1)
    wanted = centre - half
    # The official code fails on a box without pixels: here it has one.
    origin = (wanted + jitter_px.long()).clamp(0, canvas - 1)
    extent = torch.minimum(2 * half, canvas - origin).clamp_min(1)
    return OfficialGeometry(rotations, origin, extent, origin - wanted)


def official_images(crops: Tensor, geometry: OfficialGeometry, size: int) -> Tensor:
    """The views before their colours are changed, uint8 (n, 3, size, size), of crops uint8 (n, 3, S, S)."""
    return resize_area(warp_affine(crops, geometry.rotations), geometry.origin_px, geometry.extent_px, size)


def _centre(keypoints_px: Tensor) -> Tensor:
    """int64 (n, 2)."""
    return keypoints_px.mean(dim=1).long()
