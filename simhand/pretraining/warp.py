"""One affine warp from a stored crop to a view, the same matrix for pixels and keypoints.

Points are continuous: (0, 0) is an image's upper left corner and the centre of its first pixel lies at (0.5, 0.5).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def crop_sides(keypoints_px: Tensor, margin: Tensor) -> Tensor:
    """Sides of the square crops, px (n,): twice `margin` (n,) times the farthest joint's distance from the centroid."""
    centre = keypoints_px.mean(dim=1, keepdim=True)  # (n, 1, 2)
    return 2 * margin * (keypoints_px - centre).norm(dim=-1).amax(dim=1)


def view_matrices(keypoints_px: Tensor, angle_deg: Tensor, side_px: Tensor, jitter_px: Tensor, size: int) -> Tensor:
    """Rotate about the keypoints' centroid, crop a square around it, resize (spec 3).

    Args:
        keypoints_px: (n, 21, 2), px of the stored crop.
        angle_deg: (n,), counter-clockwise as seen, which is OpenCV's sign.
        side_px: (n,), side of the square, px of the stored crop.
        jitter_px: (n, 2), by how much the square is shifted right and down.
        size: side of the view, px.

    Returns:
        (n, 2, 3), from px of the stored crop to px of the view.
    """
    centre = keypoints_px.mean(dim=1)  # (n, 2)
    cos, sin = torch.cos(torch.deg2rad(angle_deg)), torch.sin(torch.deg2rad(angle_deg))
    rotation = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], 1)  # (n, 2, 2)
    scale = (size / side_px).view(-1, 1, 1)
    to_origin = side_px.view(-1, 1) / 2 - jitter_px  # (n, 2), of the centroid from the square's upper left corner
    offset = to_origin.unsqueeze(-1) - rotation @ centre.unsqueeze(-1)  # (n, 2, 1)
    return scale * torch.cat([rotation, offset], dim=2)


def warp_points(points_px: Tensor, matrices: Tensor) -> Tensor:
    """Points (n, k, 2) under matrices (n, 2, 3)."""
    return points_px @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]


def warp_images(images: Tensor, matrices: Tensor, size: int) -> Tensor:
    """Images float (n, 3, S, S) under matrices (n, 2, 3), black outside: (n, 3, size, size).

    Each pixel is the mean of `taps` x `taps` bilinear samples, since a crop larger than the view would alias otherwise.
    """
    taps = -(-images.shape[-1] // size)
    shape = [len(images), 3, taps * size, taps * size]
    grid = functional.affine_grid(_sampling_matrices(matrices, images.shape[-1], size), shape, align_corners=False)
    return functional.avg_pool2d(functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False), taps)


def _sampling_matrices(matrices: Tensor, source: int, size: int) -> Tensor:
    """From view to source, both running from -1 to 1 between their borders, as grid_sample wants: (n, 2, 3)."""
    linear = torch.linalg.inv(matrices[:, :, :2])  # (n, 2, 2)
    middle = torch.full((2, 1), size / 2, dtype=matrices.dtype, device=matrices.device)
    offset = linear @ (middle - matrices[:, :, 2:]) * (2 / source) - 1  # (n, 2, 1), where the view's middle comes from
    return torch.cat([linear * (size / source), offset], dim=2)
