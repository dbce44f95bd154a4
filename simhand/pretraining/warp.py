"""One affine warp from a stored crop to a view, the same matrix for pixels and keypoints.

Points are continuous: (0, 0) is an image's upper left corner and the centre of its first pixel lies at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from simhand.pretraining.prefilter import halve, halvings, smooth


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
    """Images under affine maps, black outside, smoothed as much as each is shrunk (`prefilter`).

    Args:
        images: uint8 or float (n, c, S, S).
        matrices: (n, 2, 3), on the CPU: what is done with an image depends on its scale, and a GPU need not wait.
        size: side of the results.

    Returns:
        float32 (n, c, size, size), in the units of `images` and where they are.
    """
    to_source, device = inverse_maps(matrices), images.device
    scale = torch.linalg.det(to_source[:, :, :2]).abs().sqrt()  # (n,), px of the source that make one of the result
    orders, warped = [], []
    for count, rows in _alike(halvings(scale), 2 if device.type == "cpu" else len(images)):
        there, maps, scales = (each.to(device, non_blocking=True) for each in (rows, to_source[rows], scale[rows]))
        warped.append(_warp_alike(images.index_select(0, there), maps, scales, count, size))
        orders.append(rows)
    return torch.cat(warped).index_select(0, torch.cat(orders).argsort().to(device, non_blocking=True))


def _alike(times: Tensor, most: int) -> Iterator[tuple[int, Tensor]]:
    """Images to be halved alike: how often, and `most` rows at once. Few stay in a CPU's cache and in reused memory."""
    for count in times.unique().tolist():
        for rows in (times == count).nonzero().flatten().split(most):
            yield count, rows


def inverse_maps(matrices: Tensor) -> Tensor:
    """The affine maps back, (n, 2, 3), of maps (n, 2, 3)."""
    linear = torch.linalg.inv(matrices[:, :, :2])
    return torch.cat([linear, -linear @ matrices[:, :, 2:]], dim=2)


def _warp_alike(images: Tensor, to_source: Tensor, scale: Tensor, count: int, size: int) -> Tensor:
    """Images that are all halved `count` times."""
    for _ in range(count):
        images = halve(images)
    extent = images.shape[-1] * 2**count  # px of the source, from border to border
    images = smooth(images, scale / 2**count)
    grid = _sampling_grid(to_source, extent, size)
    return functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def _sampling_grid(to_source: Tensor, extent: int, size: int) -> Tensor:
    """Where each pixel comes from, as grid_sample wants it, from -1 to 1 between the borders: (n, size, size, 2)."""
    centres = torch.arange(size, device=to_source.device) + 0.5
    across, down, offset = (to_source * (2 / extent))[..., None, None].unbind(dim=2)  # (n, 2, 1, 1) each
    # Planes of x and y, looked at as pairs: an eighth of the time of affine_grid.
    return (across * centres + (down * centres[:, None] + (offset - 1))).permute(0, 2, 3, 1)
