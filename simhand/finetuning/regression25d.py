"""2.5D keypoints by regression: PeCLR's own protocol (Spurr et al., ICCV 2021; spec: section 11).

A ResNet's pooled features give, by one linear layer, each joint's place in the crop and its depth relative to the
wrist's, in lengths of the bone from the middle finger's base to its next joint. How far the wrist is away follows from
that bone's length and the camera (Iqbal et al., 2018), and a small network refines it (Spurr et al., ECCV 2020,
arXiv:2003.09282). Parameters are named, and joints ordered, as in PeCLR's code, so that its models load as they are;
what comes out has simhand's order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import ResNet

from simhand.finetuning.absolute import in_bones
from simhand.finetuning.joint_orders import AIT, FROM_AIT
from simhand.finetuning.prediction import Prediction
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.two_and_a_half import from_25d, rays, root_depths
from simhand.joints import MIDDLE_BASE, MIDDLE_LOWER, WRIST
from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD
from simhand.tables import N_JOINTS

UNIT_BONE = (MIDDLE_BASE, MIDDLE_LOWER)
_OUTPUTS = 3 * N_JOINTS + 1  # the last one is PeCLR's too, and means nothing
_HIDDEN = 128
_NEAREST, _FARTHEST = 4.0, 50.0  # of a wrist, in lengths of the bone
_DEFAULT_CAMERA = ((388.9018310596544, 0.0, 112.0), (0.0, 388.71231836584275, 112.0), (0.0, 0.0, 1.0))
_DEFAULT_SIZE_PX = 224  # of the crops that the default camera is for


class Regression25dOutput(NamedTuple):
    """What the network says about B images, and how it goes on once the cameras are known, which it is not told."""

    keypoints_px: Tensor  # (B, 21, 2) in the crop
    depths: Tensor  # (B, 21), relative to the wrist's, in lengths of the bone
    refine: Callable[[Tensor, Tensor], Tensor]  # RootDepth


class Float32Linear(nn.Linear):
    """A linear layer that mixed precision leaves alone: bfloat16 tells pixels 64 and 64.5 apart, and no more."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, in) to (B, out)."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.to(self.weight.dtype))


class AnyBatchNorm(nn.BatchNorm1d):
    """Batch norm with the statistics of earlier batches where a batch has none: a single image has no variance."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, channels) to the same."""
        if self.training and len(input) > 1:
            return super().forward(input)
        mean, variance = self.running_mean, self.running_var
        return nn.functional.batch_norm(input, mean, variance, self.weight, self.bias, eps=self.eps)


class RootDepth(nn.Module):
    """How far away wrists are: by the bone's length, then refined."""

    def __init__(self) -> None:
        super().__init__()
        self.zroot_ref = nn.Sequential(
            nn.Linear(_OUTPUTS, _HIDDEN),
            AnyBatchNorm(_HIDDEN),
            nn.LeakyReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            AnyBatchNorm(_HIDDEN),
            nn.LeakyReLU(),
            nn.Linear(_HIDDEN, 1),
        )

    def forward(self, rays: Tensor, depths: Tensor) -> Tensor:
        """Depths of wrists (B,), in lengths of the bone; no gradient flows through that by the bone's length.

        Args:
            rays: (B, 21, 3), keypoints at depth 1.
            depths: (B, 21), relative to the wrist's.
        """
        roots = root_depths(rays, depths, UNIT_BONE).detach().clamp(_NEAREST, _FARTHEST)  # (B,)
        order = list(AIT)
        known = torch.cat([depths[:, order], rays[:, order, :2].flatten(1), roots[:, None]], dim=1)  # (B, 64)
        return roots + self.zroot_ref(known).squeeze(1)


class Regression25d(nn.Module):
    """The network.

    Args:
        resnet: torchvision's, whose last layer is replaced.
        image_size: pixels of a crop's side; keypoints begin in its middle.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, resnet: ResNet, image_size: int) -> None:
        super().__init__()
        resnet.fc = Float32Linear(resnet.fc.in_features, _OUTPUTS)
        middle = torch.tensor([image_size / 2, image_size / 2, 0.0])
        with torch.no_grad():
            resnet.fc.bias[:-1] += middle.repeat(N_JOINTS)
        self.backend_model = resnet
        self.zroot_ref = RootDepth()
        for name, values in (("mean", IMAGENET_MEAN), ("deviation", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Regression25dOutput:
        """Predicts.

        Args:
            images: (B, 3, S, S) RGB in -0.5..0.5.
        """
        values = self.backend_model((images + 0.5 - self.mean) / self.deviation)
        return output_of(values, self.zroot_ref)


def output_of(values: Tensor, refine: Callable[[Tensor, Tensor], Tensor]) -> Regression25dOutput:
    """What values (B, 64) of the last layer mean."""
    joints = values[:, :-1].unflatten(1, (N_JOINTS, 3))[:, list(FROM_AIT)]  # (B, 21, 3)
    depths = joints[..., 2]
    not_wrist = torch.arange(N_JOINTS, device=values.device) != WRIST
    return Regression25dOutput(joints[..., :2], depths * not_wrist, refine)


def build_regression25d(settings: FinetuningSettings) -> Regression25d:
    """With random weights."""
    return Regression25d(torchvision.models.get_model(settings.encoder, weights=None), settings.image_size)


def predict_regression25d(output: Regression25dOutput, batch: Sample) -> Prediction:
    """What the network says of hands seen by the cameras of the batch."""
    rays, roots = rays_and_roots(output, batch)
    joints = from_25d(rays, output.depths, roots)
    locations = in_bones(joints - joints[:, [WRIST]], WRIST, MIDDLE_BASE)
    return Prediction(output.keypoints_px, locations, joints)


def rays_and_roots(output: Regression25dOutput, batch: Sample) -> tuple[Tensor, Tensor]:
    """Keypoints at depth 1 (B, 21, 3), and the depths of wrists (B,) in lengths of the bone."""
    found = rays(output.keypoints_px, or_default(batch.camera, batch.image.shape[-1]))
    return found, output.refine(found, output.depths)


def or_default(cameras: Tensor, size: int) -> Tensor:
    """Cameras (B, 3, 3), PeCLR's average one in place of those that are not finite.

    Args:
        cameras: to pixels of crops.
        size: pixels of the crops' side.
    """
    default = torch.tensor(_DEFAULT_CAMERA, dtype=cameras.dtype, device=cameras.device)
    default[:2] *= size / _DEFAULT_SIZE_PX
    return cameras.where(cameras.isfinite().all(dim=2, keepdim=True).all(dim=1, keepdim=True), default)
