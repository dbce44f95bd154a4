"""Adaptive weights from how near two hands' keypoints are (paper section 3.3, Eq. 2, and supplement 6.3, Eq. 4).

Where the paper leaves a choice, and what `behaviour: official` does instead (docs/differences.md):

* Eq. 2 scales by "the minimum and maximum distances within the mini-batch": those of all pairs of distinct hands, for
  positives and negatives alike. The official code scales positives among positives, so that the least similar of them
  always weighs 0 and is not attracted at all; and it counts the distance 0 of a hand from itself.
* Where all distances are equal the weight is 1; the official code divides 0 by 0.
* Eq. 4 has a factor of 2, which makes the mean weight about 1; the official code has none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.pretraining.distances import all_distances, paired_distances
from simhand.pretraining.processes import ALONE, Processes
from simhand.pretraining.settings import PretrainingSettings

_EQUAL = 1e-6  # distances that differ by less than this part of them count as equal


@torch.no_grad()
def adaptive_weights(
    first: Tensor, second: Tensor, settings: PretrainingSettings, processes: Processes = ALONE
) -> tuple[Tensor | None, Tensor | None]:
    """Weights of this process's positive pairs and of its hands with all hands, without gradient.

    Args:
        first: keypoints (n, 21, 2), px, of this process's part of the batch.
        second: keypoints (n, 21, 2); hand i is the positive of hand i of `first`.
        settings: weighting (linear or sigmoid), its slopes, which pairs, which distance, and behaviour.
        processes: that share the batch; extrema and means are those of all.

    Returns:
        (n,) and (2n, 2N), rows being `first` followed by `second`, columns the same of every process in turn; None
        for what is not weighted.
    """
    own = torch.cat([first, second])
    positive = paired_distances(first, second, settings.weight_distance)
    pairs = all_distances(own, processes.gather(own), settings.weight_distance)
    scale = _linear if settings.weighting == "linear" else _sigmoid
    positive, pairs = scale(positive, pairs, settings, processes)
    weighted = settings.weighted_pairs
    return None if weighted == "negatives" else positive, None if weighted == "positives" else pairs


def linear_weights(distances: Tensor, nearest: Tensor, farthest: Tensor) -> Tensor:
    """(d_max - d) / (d_max - d_min), in [0, 1] (paper Eq. 2), in place of `distances`; nan where the span is 0."""
    return distances.neg_().add_(farthest).div_(farthest - nearest)


def sigmoid_weights(distances: Tensor, mean: Tensor, slope: float, factor: float) -> Tensor:
    """`factor` / (1 + exp(slope (d - mean))), in [0, factor] (paper Eq. 4), in place of `distances`."""
    return distances.sub_(mean).mul_(-slope).sigmoid_().mul_(factor)


def _linear(
    positive: Tensor, pairs: Tensor, settings: PretrainingSettings, processes: Processes
) -> tuple[Tensor, Tensor]:
    if settings.behaviour == "official":
        of_positives = processes.minimum(positive.min()), processes.maximum(positive.max())
        of_pairs = processes.minimum(pairs.min()), processes.maximum(pairs.max())
        return linear_weights(positive, *of_positives), linear_weights(pairs, *of_pairs)
    farthest = processes.maximum(pairs.max())
    _with_itself(pairs, processes).fill_(float("inf"))
    nearest = processes.minimum(pairs.min())
    _with_itself(pairs, processes).fill_(0.0)
    equal = farthest - nearest <= _EQUAL * farthest
    scaled = (linear_weights(distances, nearest, farthest) for distances in (positive, pairs))
    positive, pairs = (weights.masked_fill_(equal, 1.0).clamp_(0.0, 1.0) for weights in scaled)
    return positive, pairs


def _sigmoid(
    positive: Tensor, pairs: Tensor, settings: PretrainingSettings, processes: Processes
) -> tuple[Tensor, Tensor]:
    official = settings.behaviour == "official"
    factor = 1.0 if official else 2.0
    with_itself = 0 if official else len(pairs)  # distances of 0 that the paper does not know of
    means = (_mean(distances, none, processes) for distances, none in ((positive, 0), (pairs, with_itself)))
    scaled = zip((positive, pairs), means, settings.sigmoid_lambda, strict=True)
    positive, pairs = (sigmoid_weights(distances, mean, slope, factor) for distances, mean, slope in scaled)
    return positive, pairs


def _with_itself(pairs: Tensor, processes: Processes) -> Tensor:
    """What each hand has with itself in (2n, 2N): a view, (2n,)."""
    return pairs.diagonal(processes.rank * len(pairs))


def _mean(distances: Tensor, left_out: int, processes: Processes) -> Tensor:
    """Over all processes, but so many distances of 0."""
    count = (distances.numel() - left_out) * processes.count  # all have equal parts
    total = distances.sum(dim=-1).sum(dtype=torch.float64)  # in two steps: the type is that of what is read, too
    return (processes.sum(total) / count).to(distances.dtype)
