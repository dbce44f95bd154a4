"""What the training of 2.5D regression makes small: mean absolute errors, as PeCLR's (spec: section 11).

Several processes that share a batch all get the loss of the whole batch.
"""

from __future__ import annotations

from torch import Tensor

from simhand.finetuning.regression25d import Regression25dOutput, rays_and_roots
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.processes import ALONE, Processes

# PeCLR publishes no weights. A crop is about 12 bones wide: an error in the image by 1 % of it is one of 0.12 bones in
# space, and times 10 weighs about what the same error in relative depth does. Depths of wrists are 10 to 40 bones, and
# mostly follow from the rest: times 0.1 they do not drown it.
KEYPOINT_WEIGHT, DEPTH_WEIGHT, ROOT_WEIGHT = 10.0, 1.0, 0.1


def regression25d_losses(
    output: Regression25dOutput, batch: Sample, settings: FinetuningSettings, processes: Processes = ALONE
) -> dict[str, Tensor]:
    """Mean absolute errors of keypoints, relative depths and depths of wrists; joints that are not seen teach nothing.

    Where the bone that is the unit of depth is not known, an image teaches its keypoints alone.

    Args:
        output: of this process's images.
        batch: this process's images.
        settings: with the size of the crops.
        processes: that share the batch.

    Returns:
        keypoint_loss (in crops' sides), depth_loss and root_loss (in lengths of the bone) and their weighted sum, loss:
        scalars, of the whole batch.
    """
    measured = batch.scale_mm.isfinite()  # (B,)
    units_mm = batch.scale_mm.where(measured, 1)
    true_depths = batch.locations[..., 2] * (batch.bone_mm / units_mm)[:, None]
    _, roots = rays_and_roots(output, batch)
    errors_px = (output.keypoints_px - batch.keypoints_px).abs().mean(dim=2)
    keypoint = _mean(errors_px, batch.seen, processes) / settings.image_size
    depth = _mean((output.depths - true_depths).abs(), batch.seen & measured[:, None], processes)
    root = _mean((roots - batch.root[:, 2] / units_mm).abs(), measured, processes)
    total = KEYPOINT_WEIGHT * keypoint + DEPTH_WEIGHT * depth + ROOT_WEIGHT * root
    return {"keypoint_loss": keypoint, "depth_loss": depth, "root_loss": root, "loss": total}


def _mean(errors: Tensor, known: Tensor, processes: Processes) -> Tensor:
    """Of everybody's known errors; 0 where there are none."""
    total = processes.gather((errors * known).sum()[None]).sum()
    return total / processes.sum(known.sum()).clamp(min=1)
