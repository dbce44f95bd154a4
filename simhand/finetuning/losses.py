"""What DetNet's training makes small (spec: section 9, losses; paper: Eq. 5, whose L_reg the trainer adds).

Several processes that share a batch all get the loss of the whole batch: sums and norms are joined before anything
is divided or rooted.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.finetuning.detnet import STRIDE, DetNetOutput
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import bone_directions, heatmaps
from simhand.joints import PARENTS
from simhand.pretraining.processes import ALONE, Processes


def detnet_losses(
    output: DetNetOutput, batch: Sample, settings: FinetuningSettings, processes: Processes = ALONE
) -> dict[str, Tensor]:
    """What the maps lack; joints that are not seen teach nothing, nor do bones whose other end is not.

    Args:
        output: of this process's images.
        batch: this process's images.
        settings: with the weights of the parts.
        processes: that share the batch.

    Returns:
        heatmap_loss, direction_loss, location_loss and their weighted sum, loss: scalars, of the whole batch.
    """
    kind = batch.locations.dtype  # bfloat16 would round the losses
    attention, veil = heatmaps(batch.keypoints_px, settings.image_size, STRIDE)
    seen = batch.seen.to(kind)  # (B, 21)
    bones_seen = seen * seen[:, list(PARENTS)]
    labelled = batch.seen.any(dim=1)
    heatmap = heatmap_loss(output.heatmaps.to(kind), attention, veil * seen, processes)
    maps = (
        (output.direction_maps, bone_directions(batch.locations), bones_seen),
        (output.location_maps, batch.locations, seen),
    )
    direction, location = (
        map_loss(found.to(kind), target, attention * known[:, :, None, None], labelled, processes)
        for found, target, known in maps
    )
    total = (
        settings.heatmap_weight * heatmap + settings.direction_weight * direction + settings.location_weight * location
    )
    return {"heatmap_loss": heatmap, "direction_loss": direction, "location_loss": location, "loss": total}


def heatmap_loss(predicted: Tensor, target: Tensor, veil: Tensor, processes: Processes = ALONE) -> Tensor:
    """Half the mean squared error of each joint's heat map, summed over joints.

    Args:
        predicted: (B, 21, S, S).
        target: (B, 21, S, S).
        veil: (B, 21); joints with 0 count as right.
        processes: that share the batch.
    """
    error = (predicted - target) * veil[:, :, None, None]
    squares = processes.gather(error.square().sum()[None]).sum()
    count = processes.sum(torch.tensor(len(predicted), device=predicted.device))
    return 0.5 * squares / (count * predicted[0, 0].numel())


def map_loss(
    predicted: Tensor, target: Tensor, attention: Tensor, labelled: Tensor, processes: Processes = ALONE
) -> Tensor:
    """The norm of the error of direction or location maps where the joints are, over the number of labelled images.

    The norm is of the whole batch and not squared, as in the official code.

    Args:
        predicted: (B, 21, 3, S, S).
        target: (B, 21, 3), the same at every cell.
        attention: (B, 21, S, S) true heat maps; 0 for joints that teach nothing.
        labelled: (B,) bool, images whose 3D joints are known; with none the loss is 0.
        processes: that share the batch.
    """
    error = (predicted - target[..., None, None]) * attention[:, :, None]  # (B, 21, 3, S, S)
    known = error * labelled[:, None, None, None, None]
    norms = processes.gather(torch.linalg.vector_norm(known)[None])  # whose gradient is 0, not infinite, at 0
    return torch.linalg.vector_norm(norms) / processes.sum(labelled.sum()).clamp(min=1)
