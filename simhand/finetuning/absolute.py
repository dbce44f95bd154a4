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
_RIDGE = 1e-12  # of the equations' size, added where they leave something open


def placed(shapes: Tensor, keypoints_px: Tensor, cameras: Tensor, weights: Tensor | None = None) -> Tensor:
    """Joints in the camera's frame (B, 21, 3), in the unit of their shapes, as good as keypoints and shapes agree.

    Keypoints that all lie at one place tell no distance: the hand is then where the least translation has it. What is
    not finite among the numbers of an image makes its joints so.

    Args:
        shapes: (B, 21, 3), the joints relative to any point.
        keypoints_px: (B, 21, 2), where they appear.
        cameras: (B, 3, 3), from the camera's frame to these pixels.
        weights: (B, 21), of the joints' squared errors, positive; None: all the same.
    """
    points, matrices = shapes.double(), cameras.double()
    rows = matrices[:, None, :2] - keypoints_px.double()[..., None] * matrices[:, None, 2:]  # (B, 21, 2, 3)
    wanted = -(rows @ points[..., None])  # (B, 21, 2, 1)
    weighted = rows if weights is None else rows * weights.double()[..., None, None]
    normal = weighted.flatten(1, 2).mT @ rows.flatten(1, 2)  # (B, 3, 3)
    ridge = _RIDGE * normal.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None] * torch.eye(3).to(normal)
    right = weighted.flatten(1, 2).mT @ wanted.flatten(1, 2)  # (B, 3, 1)
    translation = torch.linalg.solve_ex(normal + ridge, right).result  # (B, 3, 1), without a look at what cannot be
    return (points + translation.mT).to(shapes.dtype)


def in_bones(locations: Tensor, parent: int = MIDDLE_BASE, child: int = MIDDLE_LOWER) -> Tensor:
    """Joints (B, 21, 3) in lengths of one of their bones, given in any unit."""
    lengths = (locations[:, child] - locations[:, parent]).norm(dim=1)
    return locations / lengths.clamp(min=_LEAST)[:, None, None]
