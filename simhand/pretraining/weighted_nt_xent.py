"""The contrastive loss: NT-Xent (Chen et al. 2020), in which similar hands may weigh more (paper Eq. 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.pretraining.repulsion import repulsion


def weighted_nt_xent(
    first: Tensor,
    second: Tensor,
    positive_weights: Tensor | None,
    pair_weights: Tensor | None,
    temperature: float,
    *,
    everyone: Tensor | None = None,
    start: int = 0,
) -> Tensor:
    """NT-Xent with weights on the similarities inside the exponents, mean over all 2N anchors (spec section 6).

    The positive's own term in the denominator bears its pair weight, as in the official code; without weights this is
    NT-Xent. Several processes each take the mean over their own anchors; its mean over processes is the loss of all.

    Args:
        first: (N, d), unit vectors.
        second: (N, d), unit vectors; row i is the positive of row i of `first`.
        positive_weights: (N,), w_pos of each positive pair; None for ones.
        pair_weights: (2N, M), w_neg of `first` followed by `second` (2N rows) and `everyone`; that of an anchor with
            itself does not matter. None for ones.
        temperature: tau.
        everyone: (M, d), the embeddings that anchors are contrasted with; None: `first` followed by `second`.
        start: the row of `everyone` at which these 2N begin.

    Returns:
        A scalar.
    """
    everyone = torch.cat([first, second]) if everyone is None else everyone
    similarity = (first * second).sum(dim=1)  # (N,), the same for both halves
    attraction = similarity if positive_weights is None else positive_weights * similarity
    own = range(start, start + 2 * len(first))
    return repulsion(everyone, own, temperature, pair_weights) - attraction.mean() / temperature
