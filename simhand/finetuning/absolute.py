"""Where a hand is: from its shape, its keypoints and the camera.

The translation that projects the joints onto the keypoints, by linear least squares. With the rows p1, p2, p3 of the
camera's matrix, a joint x at t + x appears at (u, v) where (p1 - u p3) (t + x) = 0 and (p2 - v p3) (t + x) = 0: two
equations a joint for the three unknowns of t.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.joints import MIDDLE_BASE, MIDDLE_LOWER

_LEAST = 1e-6  # of a length that is divided by


def placed(shapes: Tensor, keypoints_px: Tensor, cameras: Tensor, weights: Tensor | None = None) -> Tensor:
    """Joints in the camera's frame (B, 21, 3), in the unit of their shapes, as good as keypoints and shapes agree.

    Keypoints that all lie at one place tell no distance: the hand is then where the least translation has it.

    Args:
        shapes: (B, 21, 3), the joints relative to any point.
        keypoints_px: (B, 21, 2), where they appear.
        cameras: (B, 3, 3), from the camera's frame to these pixels; where not finite, so is the result.
        weights: (B, 21), of the joints' squared errors, not negative; None: all the same.
    """
    points = shapes.double()
    known = cameras.isfinite().all(dim=(1, 2))[:, None, None]
    matrices = torch.where(known, cameras.double(), torch.eye(3, dtype=torch.float64, device=cameras.device))
    rows = matrices[:, None, :2] - keypoints_px.double()[..., None] * matrices[:, None, 2:]  # (B, 21, 2, 3)
    wanted = -(rows @ points[..., None]).squeeze(-1)  # (B, 21, 2)
    scale = torch.ones_like(wanted[..., :1]) if weights is None else weights.double()[..., None]  # (B, 21, 1)
    normal = torch.einsum("bjki,bjkl,bjk->bil", rows, rows, scale.expand_as(wanted))  # (B, 3, 3)
    right = torch.einsum("bjki,bjk->bi", rows, wanted * scale)  # (B, 3)
    translation = (torch.linalg.pinv(normal, hermitian=True) @ right[..., None]).squeeze(-1)  # (B, 3)
    found = points + translation[:, None]
    return torch.where(known, found, torch.nan).to(shapes.dtype)


def in_bones(locations: Tensor, parent: int = MIDDLE_BASE, child: int = MIDDLE_LOWER) -> Tensor:
    """Joints (B, 21, 3) in lengths of one of their bones, given in any unit."""
    lengths = (locations[:, child] - locations[:, parent]).norm(dim=1)
    return locations / lengths.clamp(min=_LEAST)[:, None, None]
