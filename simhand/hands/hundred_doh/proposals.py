"""From the region proposal network's maps to regions of interest (spec: section 12)."""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.hands.hundred_doh.anchors import grid_anchors
from simhand.hands.hundred_doh.boxes import clip, decode, suppress

REGIONS = 300  # of an image
_CANDIDATES, _OVERLAP = 6000, 0.7


def propose(scores: Tensor, deltas: Tensor, height: int, width: int) -> Tensor:
    """The regions of each image of a batch, best first; where there are fewer, zeros follow.

    Args:
        scores: logits (B, 24, h, w): background of twelve anchors, then foreground.
        deltas: (B, 48, h, w), anchor by anchor.
        height: of the blob, px.
        width: of the blob, px.

    Returns:
        float32 (B, 300, 4), px of the blob.
    """
    batch, _, rows, columns = scores.shape
    foreground = scores.view(batch, 2, -1, rows, columns).softmax(dim=1)[:, 1]  # (B, 12, h, w)
    foreground = foreground.permute(0, 2, 3, 1).reshape(batch, -1)  # (B, h * w * 12)
    anchors = grid_anchors(rows, columns, scores.device)  # (h * w * 12, 4)
    boxes = clip(decode(anchors, deltas.permute(0, 2, 3, 1).reshape(batch, -1, 4)), height, width)
    regions = boxes.new_zeros(batch, REGIONS, 4)
    for image in range(batch):
        best = foreground[image].argsort(descending=True, stable=True)[:_CANDIDATES]
        candidates = boxes[image, best]
        kept = candidates[suppress(candidates, foreground[image, best], _OVERLAP)[:REGIONS]]
        regions[image, : len(kept)] = kept
    return regions


def with_image(regions: Tensor) -> Tensor:
    """Regions (B, R, 4) as (B * R, 5), the number of the image before each box."""
    batch, count, _ = regions.shape
    numbers = torch.arange(batch, device=regions.device, dtype=regions.dtype).repeat_interleave(count)
    return torch.cat([numbers[:, None], regions.reshape(-1, 4)], dim=1)
