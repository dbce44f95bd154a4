"""LARS over Adam: each tensor's gradient is scaled to the tensor's own size before Adam takes it (spec section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


def parameter_groups(
    named: Iterable[tuple[str, Tensor]], weight_decay: float, *, by_name: bool = False
) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels, none for biases and batch norm, which are the tensors of one dimension.

    Args:
        named: parameters with their names; those that need no gradient are left out.
        weight_decay: of the decayed ones.
        by_name: spare those with "bias" or "bn" in their names instead, as the official code does: under the names
            that it has for them it decays every batch norm that is not called so.
    """

    def spared(name: str, parameter: Tensor) -> bool:
        return "bias" in name or "bn" in name if by_name else parameter.ndim <= 1

    trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
    decayed = [parameter for name, parameter in trained if not spared(name, parameter)]
    free = [parameter for name, parameter in trained if spared(name, parameter)]
    return [{"params": decayed, "decay": weight_decay}, {"params": free, "decay": 0.0}]


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
        super().__init__(groups, lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=True)
        self.trust = trust
        self.lars_eps = lars_eps

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Scales the gradients in place, then lets Adam step."""
        for group in self.param_groups:
            trained = [parameter for parameter in group["params"] if parameter.grad is not None]
            if trained:
                self._scale(trained, [parameter.grad for parameter in trained], group["lr"], group.get("decay", 0.0))
        return super().step(closure)

    def _scale(self, parameters: list[Tensor], gradients: list[Tensor], lr: float, decay: float) -> None:
        """Sets each g to (g + decay p) min(1, trust |p| / (|g| + decay |p| + eps) / lr).

        Where p or g is all zero, g stays as it is, without decay. All tensors at once: one by one, and asking of each
        whether it is zero, a GPU would spend more time on this than on Adam.
        """
        size, slope = (torch.stack(torch._foreach_norm(tensors)) for tensors in (parameters, gradients))
        reach = self.trust * size / (slope + decay * size + self.lars_eps)
        factor = (reach / lr).clamp(max=1) if lr else torch.ones_like(reach)
        if decay:
            torch._foreach_add_(gradients, parameters, alpha=decay)
        factor = torch.where(size == 0, 1.0, factor)  # nothing was added to these
        torch._foreach_mul_(gradients, list(torch.where(slope == 0, 0.0, factor).unbind()))
