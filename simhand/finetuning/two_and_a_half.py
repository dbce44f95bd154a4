"""2.5D keypoints: places in the image and depths relative to a root (Iqbal et al., ECCV 2018, arXiv:1804.09534).

Depths are in lengths of one of the hand's bones. That this bone has the length 1 tells how far away the root is.
"""

from __future__ import annotations

import torch
from torch import Tensor

Bone = tuple[int, int]


def to_25d(joints: Tensor, cameras: Tensor, bone: Bone, root: int = 0) -> tuple[Tensor, Tensor]:
    """2.5D keypoints of joints in the camera's frame.

    Args:
        joints: (B, J, 3).
        cameras: (B, 3, 3) intrinsics.
        bone: the two joints of the bone that is the unit of depth.
        root: the joint whose depth is 0.

    Returns:
        (B, J, 3) pixels x and y and depth relative to the root's, in lengths of the bone; those lengths (B,).
    """
    lengths = (joints[:, bone[1]] - joints[:, bone[0]]).norm(dim=1)
    projected = joints @ cameras.mT
    depths = (joints[..., 2:] - joints[:, [root], 2:]) / lengths[:, None, None]
    return torch.cat([projected[..., :2] / joints[..., 2:], depths], dim=2), lengths


def rays(keypoints_px: Tensor, cameras: Tensor) -> Tensor:
    """Where keypoints (B, J, 2) lie at depth 1: (B, J, 3), by cameras (B, 3, 3)."""
    homogeneous = torch.cat([keypoints_px, torch.ones_like(keypoints_px[..., :1])], dim=2)
    return homogeneous @ torch.linalg.inv(cameras).mT


def root_depths(rays: Tensor, depths: Tensor, bone: Bone, least: float = 1e-8) -> Tensor:
    """How far away the root is, (B,), in lengths of the bone (Iqbal et al., Eq. 6 and 7).

    The greater root z of the quadratic equation |(z + d_n) r_n - (z + d_m) r_m| = 1 for the bone's joints m and n with
    rays r and relative depths d.

    Args:
        rays: (B, J, 3), third component 1.
        depths: (B, J), relative to the root's, in lengths of the bone.
        bone: its two joints.
        least: of the discriminant and of the rays' squared distance.
    """
    x_m, x_n = rays[:, bone[0], :2], rays[:, bone[1], :2]  # (B, 2)
    d_m, d_n = depths[:, bone[0]], depths[:, bone[1]]  # (B,)
    product = (x_m * x_n).sum(dim=1)
    a = (x_n - x_m).square().sum(dim=1)
    b = 2 * (d_n * (x_n.square().sum(dim=1) - product) + d_m * (x_m.square().sum(dim=1) - product))
    c = (x_n * d_n[:, None] - x_m * d_m[:, None]).square().sum(dim=1) + (d_n - d_m).square() - 1
    discriminant = (b.square() - 4 * a * c).clamp(min=least)
    return (discriminant.sqrt() - b) / (2 * a.clamp(min=least))


def from_25d(rays: Tensor, depths: Tensor, roots: Tensor) -> Tensor:
    """Joints in the camera's frame (B, J, 3), in lengths of the bone.

    Args:
        rays: (B, J, 3), third component 1.
        depths: (B, J), relative to the root's.
        roots: (B,), the roots' depths.
    """
    return rays * (depths + roots[:, None])[..., None]
