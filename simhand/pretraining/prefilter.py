"""Smooths stored crops before a warp samples them: where many of their pixels make one of the view it would alias.

First a crop is halved until at most 2 of its pixels make one, then each pixel is mixed with its neighbours. The two and
the bilinear sample together weigh about as the tent of PIL's and torchvision's antialiased bilinear resize (a variance
of 1/6 px² of the view; here 0.17 to 0.23). The finest stripes, of 2 px, keep 2 - scale of their contrast.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def halvings(scale: Tensor) -> Tensor:
    """How often crops are to be halved, int64 (n,), when `scale` (n,) of their pixels make one of the view."""
    return (scale.log2().ceil() - 1).clamp_min(0).long()


def halve(images: Tensor) -> Tensor:
    """Means of 2 x 2 pixels, float32 (n, c, ceil(S / 2), ceil(S / 2)), of (n, c, S, S); beyond the border is black."""
    odd = images.shape[-1] % 2
    images = functional.pad(images, (0, odd, 0, odd)).float()
    rows = images[..., ::2, :] + images[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)


def smooth(images: Tensor, scale: Tensor) -> Tensor:
    """Mixes each pixel with its neighbours along both axes, by a, 1 - 2a, a with a = (scale - 1) / 4.

    Args:
        images: uint8 or float (n, c, S, S); beyond their border is black.
        scale: (n,), of their pixels make one of the view: up to 1, nothing is mixed; 2 is the most.

    Returns:
        float32 (n, c, S, S).
    """
    # Mixing with the next pixel by b and then with the previous one gives a = b (1 - b): half as many passes.
    share = ((1 - (2 - scale).clamp(0, 1).sqrt()) / 2).view(-1, 1, 1, 1)
    images = functional.pad(images, (1, 1, 1, 1)).float()
    images = torch.lerp(images[..., :-1, :], images[..., 1:, :], share)
    images = torch.lerp(images[..., 1:, :], images[..., :-1, :], share)
    images = torch.lerp(images[..., :-1], images[..., 1:], share)
    return torch.lerp(images[..., 1:], images[..., :-1], share)
