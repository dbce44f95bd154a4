"""What DetNet's training makes small (spec: section 9, losses)."""

from __future__ import annotations

import torch
from torch import Tensor


def heatmap_loss(predicted: Tensor, target: Tensor, veil: Tensor) -> Tensor:
    """Half the mean squared error of each joint's heat map, summed over joints.

    Args:
        predicted: (B, 21, S, S).
        target: (B, 21, S, S).
        veil: (B, 21); joints with 0 count as right.
    """
    error = (predicted - target) * veil[:, :, None, None]
    return 0.5 * error.square().mean(dim=(0, 2, 3)).sum()


def map_loss(predicted: Tensor, target: Tensor, attention: Tensor, labelled: Tensor) -> Tensor:
    """The norm of the error of direction or location maps where the joints are, over the number of labelled images.

    The norm is of the whole batch and not squared, as in the official code.

    Args:
        predicted: (B, 21, 3, S, S).
        target: (B, 21, 3), the same at every cell.
        attention: (B, 21, S, S) true heat maps.
        labelled: (B,) bool, images whose 3D joints are known; with none the loss is 0.
    """
    error = (predicted - target[..., None, None]) * attention[:, :, None]  # (B, 21, 3, S, S)
    known = error * labelled[:, None, None, None, None]
    return torch.linalg.vector_norm(known) / labelled.sum().clamp(min=1)
