"""DetNet: heat maps, bone directions and joint locations of one hand, from one image (spec: section 9).

Parameters are named as in the official fine-tuning code, so that its weights load as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import ResNet

from simhand.finetuning.absolute import in_bones, placed
from simhand.finetuning.dilated import DilatedResNet
from simhand.finetuning.prediction import Prediction
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.joints import MIDDLE_BASE, WRIST
from simhand.tables import N_JOINTS

STRIDE = 4  # pixels of the input image for each cell of a map
_WIDTH = 256
_HEATMAP_BIAS = -5.0
_LEAST_SURE = 1e-6  # so that a hand is somewhere even where nothing is seen


class DetNetOutput(NamedTuple):
    """What DetNet says about B images; S is a quarter of the image's side."""

    heatmaps: Tensor  # (B, 21, S, S) in 0..1
    direction_maps: Tensor  # (B, 21, 3, S, S) unit vectors from each joint's parent to the joint
    location_maps: Tensor  # (B, 21, 3, S, S) joints relative to the wrist, in lengths of the bone from wrist to joint 9
    cells: Tensor  # (B, 21, 2) row and column of each heat map's peak
    directions: Tensor  # (B, 21, 3) the direction map of each joint at its peak
    locations: Tensor  # (B, 21, 3) the location map of each joint at its peak


_LAYERS = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")


class Trunk(nn.Module):
    """A torchvision ResNet up to its last feature map.

    Args:
        resnet: its layers are taken, not copied: weights loaded into it afterwards are the trunk's.
    """

    def __init__(self, resnet: ResNet) -> None:
        super().__init__()
        self.features = nn.Sequential(*(getattr(resnet, name) for name in _LAYERS))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, channels, H/32, W/32)."""
        return self.features(images)

    def named_as_torchvision(self) -> nn.Module:
        """The same layers under torchvision's names, which files of weights have."""
        named = nn.Module()
        for name, layer in zip(_LAYERS, self.features, strict=True):
            named.add_module(name, layer)
        return named


class MapHead(nn.Module):
    """A 3 x 3 and a 1 x 1 convolution from features to maps."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Conv2d(channels_in, _WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(_WIDTH), nn.ReLU()
        )
        self.prediction = nn.Conv2d(_WIDTH, channels_out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels_in, S, S) to (B, channels_out, S, S)."""
        return self.prediction(self.project(features))


class DetNet(nn.Module):
    """Three map heads, each seeing what the ones before it said, on features of a quarter of the image's side.

    Args:
        encoder: torchvision's ResNet, whose layers are taken and whose features are then upsampled to that side; or
            DetNet's original encoder, whose features have it.
    """

    def __init__(self, encoder: ResNet | DilatedResNet) -> None:
        super().__init__()
        if isinstance(encoder, DilatedResNet):
            self.encoder: nn.Module = encoder
            self.deconv = nn.Sequential()
        else:
            self.encoder = Trunk(encoder)
            widths = (encoder.fc.in_features, _WIDTH, _WIDTH)
            self.deconv = nn.Sequential(*(module for width in widths for module in _upsampling(width)))
        self.hmap_0 = MapHead(_WIDTH + 2, N_JOINTS)
        self.dmap_0 = MapHead(_WIDTH + 2 + N_JOINTS, 3 * N_JOINTS)
        self.lmap_0 = MapHead(_WIDTH + 2 + 4 * N_JOINTS, 3 * N_JOINTS)

    def forward(self, images: Tensor) -> DetNetOutput:
        """Predicts.

        Args:
            images: (B, 3, H, W) RGB in -0.5..0.5, sides multiples of 32.
        """
        features = self.deconv(self.encoder(images))  # (B, 256, S, S)
        features = torch.cat([features, position_channels(features)], dim=1)  # (B, 258, S, S)
        heatmaps = self.hmap_0(features).sigmoid()  # (B, 21, S, S)
        features = torch.cat([features, heatmaps], dim=1)  # (B, 279, S, S)
        directions = self.dmap_0(features)  # (B, 63, S, S)
        features = torch.cat([features, directions], dim=1)  # (B, 342, S, S)
        locations = self.lmap_0(features)  # (B, 63, S, S)
        direction_maps, location_maps = (maps.unflatten(1, (N_JOINTS, 3)) for maps in (directions, locations))
        cells = peaks(heatmaps)
        return DetNetOutput(
            heatmaps, direction_maps, location_maps, cells, at(direction_maps, cells), at(location_maps, cells)
        )


def _upsampling(channels_in: int) -> tuple[nn.Module, ...]:
    """Twice the side, 256 channels."""
    deconvolution = nn.ConvTranspose2d(channels_in, _WIDTH, 4, stride=2, padding=1, bias=False)
    return deconvolution, nn.BatchNorm2d(_WIDTH), nn.ReLU()


def position_channels(features: Tensor) -> Tensor:
    """Where a cell lies, x then y, each from -1 to 1: (B, 2, S, S) for features (B, C, S, S)."""
    batch, _, height, width = features.shape
    x = torch.linspace(-1, 1, width, device=features.device, dtype=features.dtype)
    y = torch.linspace(-1, 1, height, device=features.device, dtype=features.dtype)
    grid = torch.stack([x.expand(height, width), y[:, None].expand(height, width)])
    return grid.expand(batch, 2, height, width)


def peaks(heatmaps: Tensor) -> Tensor:
    """Row and column of each heat map's greatest value: (B, 21, 2) int64 for (B, 21, S, S)."""
    flat = heatmaps.flatten(2).argmax(dim=2)  # (B, 21)
    width = heatmaps.shape[3]
    return torch.stack([flat // width, flat % width], dim=2)


def at(maps: Tensor, cells: Tensor) -> Tensor:
    """Each joint's map at the joint's own cell: (B, 21, 3) for maps (B, 21, 3, S, S) and cells (B, 21, 2)."""
    flat = cells[..., 0] * maps.shape[4] + cells[..., 1]  # (B, 21)
    index = flat[:, :, None, None].expand(-1, -1, maps.shape[2], 1)  # (B, 21, 3, 1)
    return maps.flatten(3).gather(3, index).squeeze(3)


def build_detnet(settings: FinetuningSettings) -> DetNet:
    """A DetNet with random weights, Kaiming's for convolutions.

    Unlike the official one it starts with heat maps at about 0.007, their mean, not at a half: from there training
    goes to all zeros first and leaves that state slowly (160 hands, 12 passes, no pre-training: 43 mm; so: 26 mm).
    """
    name = settings.encoder
    model = DetNet(DilatedResNet() if name == "resnet50_dilated" else torchvision.models.get_model(name, weights=None))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    if settings.behaviour == "paper":
        nn.init.constant_(model.hmap_0.prediction.get_parameter("bias"), _HEATMAP_BIAS)
    return model


def predict_detnet(output: DetNetOutput, batch: Sample) -> Prediction:
    """What the maps say at their peaks; the hand is placed by the peaks, each weighing as much as it is sure.

    A keypoint is the middle of its peak's cell. A cell is the peak of the target of all keypoints from c to c + 1, in
    sides of a cell, since targets are truncated: c + 1/2 is their mean, whatever coordinates the crop has.
    """
    keypoints_px = STRIDE * (output.cells.flip(2).to(batch.camera.dtype) + 0.5)  # (B, 21, 2) x, y
    locations = output.locations.to(batch.camera.dtype)
    hands = in_bones(locations - locations[:, [WRIST]], WRIST, MIDDLE_BASE)
    sureness = output.heatmaps.flatten(2).amax(dim=2).clamp(min=_LEAST_SURE)  # (B, 21)
    return Prediction(keypoints_px, hands, placed(in_bones(hands), keypoints_px, batch.camera, sureness))
