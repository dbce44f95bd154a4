"""The denominator of the contrastive losses, in memory that does not grow with the square of the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from simhand.pretraining.blocks import row_blocks


def repulsion(embeddings: Tensor, own: range, temperature: float, pair_weights: Tensor | None = None) -> Tensor:
    """The mean over anchors i of log sum_{k != i} exp(w_ik z_i z_k / tau) (paper Eq. 3).

    The gradient is computed together with the value, some rows of the 2N x 2N similarities at a time: a row holds all
    that its own gradient needs, so nothing of that size is kept for the backward pass.

    Args:
        embeddings: (2N, d), unit vectors z.
        own: the rows that are anchors.
        temperature: tau.
        pair_weights: (anchors, 2N), w; None for ones. No gradient flows to them.

    Returns:
        A scalar.
    """
    return _Repulsion.apply(embeddings, own, temperature, pair_weights)


class _Repulsion(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, own: range, temperature: float, pair_weights: Tensor | None) -> Tensor:
        gradient = torch.zeros_like(embeddings) if ctx.needs_input_grad[0] else None
        total = embeddings.new_zeros(())
        for rows in row_blocks(len(own), embeddings):
            weights = None if pair_weights is None else pair_weights[rows]
            anchors = slice(own.start + rows.start, own.start + rows.stop)
            total += _block(embeddings, anchors, temperature, weights, gradient)
        if gradient is not None:
            ctx.save_for_backward(gradient.div_(len(own)))
        return total / len(own)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None, None, None


def _block(
    embeddings: Tensor, rows: slice, temperature: float, weights: Tensor | None, gradient: Tensor | None
) -> Tensor:
    """The sum over the anchors `rows`; adds their part to `gradient`, (2N, d)."""
    anchors = embeddings[rows]  # (b, d)
    logits = anchors @ embeddings.T / temperature  # (b, 2N)
    if weights is not None:
        logits *= weights
    logits.diagonal(rows.start).fill_(float("-inf"))  # nobody is its own negative
    sums = logits.logsumexp(dim=1)  # (b,)
    if gradient is not None:
        slopes = logits.sub_(sums.unsqueeze(1)).exp_().div_(temperature)  # of the sums by the similarities
        if weights is not None:
            slopes *= weights
        gradient[rows] += slopes @ embeddings
        gradient.addmm_(slopes.T, anchors)
    return sums.sum()
