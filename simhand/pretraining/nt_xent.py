"""The contrastive loss of SimCLR and PeCLR (Chen et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross entropy, mean over all 2N anchors (spec section 6).

    Args:
        first: (N, d), unit vectors.
        second: (N, d), unit vectors; row i is the positive of row i of `first`.
        temperature: tau.

    Returns:
        A scalar.
    """
    embeddings = torch.cat([first, second])  # (2N, d)
    logits = (embeddings @ embeddings.T / temperature).fill_diagonal_(float("-inf"))  # nobody is its own negative
    partner = torch.arange(len(logits), device=logits.device).roll(len(first))
    return functional.cross_entropy(logits, partner)
