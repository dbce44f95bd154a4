"""What DetNet is trained towards (spec: section 9, targets)."""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.joints import PARENTS

_SIGMA, _REACH = 1.0, 3  # cells: a Gaussian on 7 x 7 cells


def bone_directions(locations: Tensor) -> Tensor:
    """Unit vectors (B, 21, 3) from each joint's parent to the joint; the wrist's is zero."""
    bones = locations - locations[:, list(PARENTS)]
    return torch.nn.functional.normalize(bones, dim=2)


def heatmaps(keypoints_px: Tensor, image_size: int, stride: int) -> tuple[Tensor, Tensor]:
    """Gaussians around the keypoints' cells; a keypoint's cell is cut to whole pixels first, then to whole cells.

    Args:
        keypoints_px: (B, 21, 2) x, y in the crop.
        image_size: pixels of the crop's side.
        stride: pixels of a cell's side.

    Returns:
        The maps (B, 21, S, S), 1 at their peaks, and the veil (B, 21): 1 where any of a joint's Gaussian lies on its
        map, 0 where none does and nothing is known of the joint.
    """
    cells = (keypoints_px.trunc() / stride).trunc()  # (B, 21, 2)
    grid = torch.arange(image_size // stride, device=cells.device, dtype=cells.dtype)  # (S,)
    offsets = grid - cells[..., None]  # (B, 21, 2, S)
    profile = torch.exp(-(offsets**2) / (2 * _SIGMA**2)) * (offsets.abs() <= _REACH)
    maps = profile[:, :, 1, :, None] * profile[:, :, 0, None, :]  # (B, 21, S, S): rows are y
    return maps, (maps.amax(dim=(2, 3)) > 0).to(maps.dtype)
