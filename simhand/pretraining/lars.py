"""LARS over Adam: each tensor's gradient is scaled to the tensor's own size before Adam takes it (spec section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels, none for biases and batch norm, which are the tensors of one dimension.

    The official code looks for "bn" and "bias" in their names and so decays many of the batch norms.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "decay": 0.0},
    ]


class LarsAdam(torch.optim.Adam):
    """Adam on gradients scaled by LARS (You et al. 2017, as in pl-bolts 0.2.2 with clipping).

    Args:
        groups: parameter groups, each with its `decay` (0 where it has none).
        lr: the learning rate; 0 is fine, tensors are not scaled then.
        trust: eta, the ratio of update to weight that LARS aims at.
        lars_eps: added to the divisor.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, trust: float = 0.02, lars_eps: float = 1e-8
    ) -> None:
        super().__init__(groups, lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
        self.trust = trust
        self.lars_eps = lars_eps

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Scales the gradients in place, then lets Adam step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._scale(parameter, parameter.grad, group["lr"], group.get("decay", 0.0))
        return super().step(closure)

    def _scale(self, parameter: Tensor, gradient: Tensor, lr: float, decay: float) -> None:
        """Sets g to (g + decay p) min(1, trust |p| / (|g| + decay |p| + eps) / lr).

        Where p or g is all zero, g stays as it is, without decay.
        """
        size, slope = torch.linalg.vector_norm(parameter), torch.linalg.vector_norm(gradient)
        factor = (self.trust * size / (slope + decay * size + self.lars_eps) / lr).clamp(max=1) if lr else 1.0
        # On tensors throughout: asking whether a norm is zero would make a GPU wait for every parameter.
        applies = (size != 0) & (slope != 0)
        gradient.add_(parameter * torch.where(applies, decay, 0.0))
        gradient.mul_(torch.where(applies, factor, 1.0))
