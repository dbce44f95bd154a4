"""Boxes as the detector counts them: x1, y1, x2, y2 in px, the last pixels included, so that a width is x2 - x1 + 1."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms

_ENLARGED_BY = 0.3  # of its width and height, on each side


def decode(boxes: Tensor, deltas: Tensor) -> Tensor:
    """Boxes moved and scaled as the network says.

    Args:
        boxes: (..., 4).
        deltas: (..., 4): shift of the centre in widths and heights, logarithms of factors on width and height.

    Returns:
        (..., 4). Their x2 and y2 lie one pixel further than those of `boxes` do, for equal sizes: so it was trained.
    """
    sizes = boxes[..., 2:] - boxes[..., :2] + 1.0
    centres = boxes[..., :2] + 0.5 * sizes
    centres = deltas[..., :2] * sizes + centres
    sizes = torch.exp(deltas[..., 2:]) * sizes
    return torch.cat([centres - 0.5 * sizes, centres + 0.5 * sizes], dim=-1)


def clip(boxes: Tensor, height: int, width: int) -> Tensor:
    """Boxes (..., 4) inside an image of this size."""
    last = boxes.new_tensor([width - 1, height - 1, width - 1, height - 1])
    return torch.minimum(boxes.clamp(min=0), last)


def enlarge(boxes: Tensor, height: int, width: int) -> Tensor:
    """Boxes (..., 4) that are larger by three tenths on each side, in an image of this size.

    x2 is held below the height and y2 below the width, as the published weights were trained (spec: section 12): in an
    image that is wider than high, boxes at its right end before they begin.
    """
    margins = _ENLARGED_BY * (boxes[..., 2:] - boxes[..., :2])
    swapped = boxes.new_tensor([height, width])
    return torch.cat([(boxes[..., :2] - margins).clamp(min=0), torch.minimum(boxes[..., 2:] + margins, swapped)], -1)


def suppress(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Non-maximum suppression as the detector has it: overlaps with a better box of `threshold` or more go.

    torchvision's suppresses what is *above* its threshold, of boxes whose widths are x2 - x1. Here one pixel is added
    to x2 and y2, which makes all its areas the detector's, and the threshold is the next smaller number of float32.

    Args:
        boxes: (N, 4).
        scores: (N,); of equal ones the first counts as better.
        threshold: of intersection over union.

    Returns:
        The rows that stay, best first: int64 (M,).
    """
    below = torch.nextafter(torch.tensor(threshold, dtype=torch.float32), torch.tensor(-torch.inf))
    return nms(boxes.double() + boxes.new_tensor([0, 0, 1, 1]), scores.double(), float(below))
