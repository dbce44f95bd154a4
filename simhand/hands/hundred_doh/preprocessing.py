"""From frames to what the network is given (spec: section 12)."""

from __future__ import annotations

import torch
from torch import Tensor

_SHORTER_PX, _LONGEST_PX = 600, 1000  # sides of the blob
_LEAST_PX = 3  # of which the network's first layers leave one
_MEAN_BGR = (102.9801, 115.9465, 122.7717)


def blob_scale(height: int, width: int) -> float:
    """The factor from frame to blob: the shorter side becomes 600 px, unless the longer one would be above 1,000."""
    shorter, longer = sorted((height, width))
    scale = _SHORTER_PX / shorter
    return _LONGEST_PX / longer if round(scale * longer) > _LONGEST_PX else scale


def make_blob(frames: Tensor) -> Tensor:
    """Frames of one size, uint8 (B, h, w, 3) RGB, as BGR without its mean, scaled: float32 (B, 3, H, W).

    The blob of a frame that is a line has this line three times.
    """
    scale = blob_scale(*frames.shape[1:3])
    bgr = frames.permute(0, 3, 1, 2).flip(1).float() - torch.tensor(_MEAN_BGR, device=frames.device).view(1, 3, 1, 1)
    return _scaled(_scaled(bgr, 3, scale), 2, scale)


def _scaled(images: Tensor, side: int, scale: float) -> Tensor:
    """Images of which one side is scaled as OpenCV does it with a factor.

    The side is rounded, but its pixels lie by the factor. torch.nn.functional.interpolate, given factors, rounds down;
    and where the rounded side is as before, it copies.
    """
    count = images.shape[side]
    pixels = torch.arange(max(round(count * scale), _LEAST_PX), device=images.device)
    places = ((pixels.double() + 0.5) / scale - 0.5).clamp(0, count - 1)
    before = places.long()
    after = (before + 1).clamp(max=count - 1)
    shares = (places - before).float().view(-1, *[1] * (3 - side))
    return torch.lerp(images.index_select(side, before), images.index_select(side, after), shares)
