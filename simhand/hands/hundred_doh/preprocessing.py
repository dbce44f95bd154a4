"""From frames to what the network is given (spec: section 12)."""

from __future__ import annotations

import torch
from torch import Tensor

_SHORTER_PX, _LONGEST_PX = 600, 1000  # sides of the blob
_MEAN_BGR = (102.9801, 115.9465, 122.7717)


def blob_scale(height: int, width: int) -> float:
    """The factor from frame to blob: the shorter side becomes 600 px, unless the longer one would be above 1,000."""
    shorter, longer = sorted((height, width))
    scale = _SHORTER_PX / shorter
    return _LONGEST_PX / longer if round(scale * longer) > _LONGEST_PX else scale


def make_blob(frames: Tensor) -> Tensor:
    """Frames of one size, uint8 (B, h, w, 3) RGB, as BGR without its mean, scaled: float32 (B, 3, H, W).

    Scaled as OpenCV does it with factors: sides are rounded, pixels lie by the factor and not by the rounded sides.
    """
    _, height, width, _ = frames.shape
    scale = blob_scale(height, width)
    bgr = frames.permute(0, 3, 1, 2).flip(1).float() - torch.tensor(_MEAN_BGR, device=frames.device).view(1, 3, 1, 1)
    size = [round(height * scale), round(width * scale)]
    # torch.nn.functional.interpolate takes sides or factors, and rounds the sides down where it is given factors.
    return torch.ops.aten.upsample_bilinear2d(bgr, size, False, scale, scale)
