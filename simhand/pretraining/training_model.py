"""What is asked of a model while it trains, whatever it is trained for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def gradient_norm(model: nn.Module) -> Tensor:
    """The length of the gradient of all weights together, a scalar."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return torch.stack(torch._foreach_norm(gradients)).norm()


@contextmanager
def kept_statistics(model: nn.Module) -> Iterator[None]:
    """Batch norms leave their running statistics as they are: an image that is embedded twice is to count once."""
    tracking = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    for layer in tracking:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in tracking:
            layer.track_running_stats = True
