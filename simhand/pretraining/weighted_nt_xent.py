"""The contrastive loss of SiMHand, in which similar hands weigh more (paper Eq. 3)."""

from __future__ import annotations

import torch
from torch import Tensor


def weighted_nt_xent(
    first: Tensor, second: Tensor, positive_weights: Tensor, pair_weights: Tensor, temperature: float
) -> Tensor:
    """NT-Xent with weights on the similarities inside the exponents, mean over all 2N anchors (spec section 6).

    The positive's own term in the denominator bears its pair weight, as in the official code; with ones for all weights
    this is `nt_xent`. Weight the numerator or the denominator alone by giving ones for the other.

    Args:
        first: (N, d), unit vectors.
        second: (N, d), unit vectors; row i is the positive of row i of `first`.
        positive_weights: (N,), w_pos of each positive pair.
        pair_weights: (2N, 2N), w_neg of all pairs of `first` followed by `second`; the diagonal does not matter.
        temperature: tau.

    Returns:
        A scalar.
    """
    embeddings = torch.cat([first, second])  # (2N, d)
    logits = (pair_weights * (embeddings @ embeddings.T) / temperature).fill_diagonal_(float("-inf"))
    attraction = positive_weights * (first * second).sum(dim=1) / temperature  # (N,), the same for both halves
    return logits.logsumexp(dim=1).mean() - attraction.mean()
