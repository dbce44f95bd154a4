"""OpenCV's rotation of 8-bit images, to the last bit of its fixed-point arithmetic, in batches on any device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from simhand.pretraining.warp import inverse_maps


def rotation_matrices(centre_px: Tensor, angle_deg: Tensor) -> Tensor:
    """`getRotationMatrix2D` at scale 1: float64 (n, 2, 3), of centres (n, 2) and angles (n,), counter-clockwise."""
    cos, sin = (part(torch.deg2rad(angle_deg.double())) for part in (torch.cos, torch.sin))
    x, y = centre_px.double().unbind(dim=1)
    rows = [torch.stack([cos, sin, (1 - cos) * x - sin * y], 1), torch.stack([-sin, cos, sin * x + (1 - cos) * y], 1)]
    return torch.stack(rows, dim=1)


def warp_affine(images: Tensor, matrices: Tensor) -> Tensor:
    """`warpAffine`, bilinear, with a black border and the same canvas.

    Places are rounded to 1/32 px as OpenCV does: each of their two parts to 1/1024 px, then their sum downwards.

    Args:
        images: uint8 (n, c, S, S).
        matrices: float64 (n, 2, 3), on the CPU, from px of the image to px of the result; pixels lie at whole numbers.

    Returns:
        uint8 (n, c, S, S).
    """
    side = images.shape[-1]
    across, down, offset = inverse_maps(matrices).unsqueeze(-1).unbind(dim=2)  # (n, 2, 1) each
    steps = torch.arange(side, dtype=torch.float64)
    columns = (across * steps * 1024).round().to(images.device, non_blocking=True)  # (n, 2, S)
    rows = ((down * steps + offset) * 1024).round().add(16).to(images.device, non_blocking=True)
    places = ((columns.unsqueeze(2) + rows.unsqueeze(3)) / 32).floor() / 32  # (n, 2, S, S)
    grid = ((places + 0.5) * (2 / side) - 1).permute(0, 2, 3, 1)
    # In float64 a sample is a multiple of 1/1024 but for 1e-10: halves are told, and OpenCV rounds them up.
    sampled = functional.grid_sample(images.double(), grid, padding_mode="zeros", align_corners=False)
    return (sampled + (0.5 + 1e-6)).to(torch.uint8)
