"""DetNet's loss and its error on a batch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from simhand.finetuning.detnet import STRIDE, DetNetOutput
from simhand.finetuning.losses import heatmap_loss, map_loss
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import MIDDLE_BASE, bone_directions, heatmaps


class Losses(NamedTuple):
    """The three parts of the loss, and their weighted sum."""

    heatmap: Tensor
    direction: Tensor
    location: Tensor
    total: Tensor


def detnet_losses(output: DetNetOutput, batch: Sample, settings: FinetuningSettings) -> Losses:
    """What the maps lack (spec: section 9; paper: Eq. 5, whose L_reg has no counterpart in the official code)."""
    attention, veil = heatmaps(batch.keypoints_px, settings.image_size, STRIDE)
    heatmap = heatmap_loss(output.heatmaps.float(), attention, veil)
    targets = (bone_directions(batch.locations), batch.locations)
    maps = (output.direction_maps.float(), output.location_maps.float())
    direction, location = (
        map_loss(predicted, target, attention, batch.labelled) for predicted, target in zip(maps, targets, strict=True)
    )
    total = (
        settings.heatmap_weight * heatmap + settings.direction_weight * direction + settings.location_weight * location
    )
    return Losses(heatmap, direction, location, total)


@torch.no_grad()
def aligned_errors_mm(locations: Tensor, batch: Sample) -> Tensor:
    """Mean error over joints of each hand, (B,), wrists and bone lengths made equal (spec: section 11).

    Args:
        locations: (B, 21, 3), in any unit.
        batch: B true hands.
    """
    hands = locations.float() - locations[:, :1].float()
    hands = hands / hands[:, MIDDLE_BASE].norm(dim=1).clamp(min=1e-9)[:, None, None]
    return (hands - batch.locations).norm(dim=2).mean(dim=1) * batch.bone_mm
