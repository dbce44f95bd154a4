"""Batches of made-up hands, consistent in space, image and labels."""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.finetuning.samples import Sample
from simhand.joints import MIDDLE_BASE, MIDDLE_LOWER

CAMERA = torch.tensor([[300.0, 0.0, 16.0], [0.0, 290.0, 15.0], [0.0, 0.0, 1.0]], dtype=torch.float64)


def random_joints(count: int, seed: int = 0) -> Tensor:
    """Joints of hands about 0.7 m away, float64 (count, 21, 3), mm; the bones of units are 70 and 30 mm long."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    joints = 40 * normal(count, 21, 3)
    joints[:, MIDDLE_BASE] = joints[:, 0] + 70 * torch.nn.functional.normalize(normal(count, 3), dim=1)
    along = torch.nn.functional.normalize(normal(count, 3), dim=1)
    joints[:, MIDDLE_LOWER] = joints[:, MIDDLE_BASE] + 30 * along
    return joints + torch.tensor([0.0, 0.0, 700.0])


def projected(joints: Tensor, camera: Tensor = CAMERA) -> Tensor:
    points = joints @ camera.T
    return points[..., :2] / points[..., 2:]


def batch_of(joints: Tensor, size: int, seen: Tensor | None = None) -> Sample:
    """The batch of crops of so many pixels that shows these joints, in double precision; images are noise.

    Where `seen` is false, labels hold zeros, as those of training do.
    """
    count = len(joints)
    seen = torch.ones(count, 21, dtype=torch.bool) if seen is None else seen
    bones = (joints[:, MIDDLE_BASE] - joints[:, 0]).norm(dim=1)
    scales = (joints[:, MIDDLE_LOWER] - joints[:, MIDDLE_BASE]).norm(dim=1)
    locations = (joints - joints[:, :1]) / bones[:, None, None]
    images = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(7), dtype=torch.float64) - 0.5
    cameras = CAMERA.expand(count, 3, 3)
    keypoints_px = projected(joints) * seen[..., None]
    return Sample(images, keypoints_px, locations * seen[..., None], seen, cameras, bones, scales, joints[:, 0])


def rows(batch: Sample, chosen: slice) -> Sample:
    return Sample(*(part[chosen] for part in batch))
