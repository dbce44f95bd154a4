"""Adaptive weights from how near two hands' keypoints are (paper section 3.3, Eq. 2, and supplement 6.3, Eq. 4).

The paper has one minimum and maximum "within the mini-batch"; as in the official code, positives are scaled among the N
positive pairs, and all other pairs among all 2N x 2N (whose minimum is the 0 of a hand with itself).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

_EQUAL = 1e-6  # distances that differ by less than this part of them count as equal


def paired_distances(first: Tensor, second: Tensor) -> Tensor:
    """Mean distance over joints between hand i of either side: (n, 21, 2) twice to (n,), px."""
    return (first - second).norm(dim=-1).mean(dim=-1)


def all_distances(keypoints: Tensor) -> Tensor:
    """Mean distance over joints between any two hands: (m, 21, 2) to (m, m), px.

    Summed joint by joint: two (m, m) arrays are held where a broadcast would need 42.
    """
    total = keypoints.new_zeros(len(keypoints), len(keypoints))
    for joint in keypoints.unbind(dim=1):  # (m, 2)
        total += torch.cdist(joint, joint, compute_mode="donot_use_mm_for_euclid_dist")
    return total / keypoints.shape[1]


def linear_weights(distances: Tensor) -> Tensor:
    """(d_max - d) / (d_max - d_min), in [0, 1] (paper Eq. 2); all 1 where all distances are equal."""
    nearest, farthest = distances.aminmax()
    span = farthest - nearest
    spread = span > _EQUAL * farthest
    return torch.where(spread, (farthest - distances) / torch.where(spread, span, 1.0), 1.0)


def sigmoid_weights(distances: Tensor, slope: float, factor: float = 2.0) -> Tensor:
    """`factor` / (1 + exp(slope (d - mean d))), in [0, factor] (paper Eq. 4: 2; the official code has none: 1)."""
    return factor * torch.sigmoid(slope * (distances.mean() - distances))


@torch.no_grad()
def adaptive_weights(
    first: Tensor, second: Tensor, weighting: Literal["linear", "sigmoid"], slopes: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Weights of a batch's positive pairs and of all its pairs, without gradient.

    Args:
        first: keypoints (N, 21, 2), px of the views.
        second: keypoints (N, 21, 2); hand i is the positive of hand i of `first`.
        weighting: linear or sigmoid.
        slopes: lambda of the sigmoid, for positives and for all pairs.

    Returns:
        (N,) and (2N, 2N).
    """
    positive, pairs = paired_distances(first, second), all_distances(torch.cat([first, second]))
    if weighting == "linear":
        return linear_weights(positive), linear_weights(pairs)
    return sigmoid_weights(positive, slopes[0]), sigmoid_weights(pairs, slopes[1])
