"""OpenCV's `resize` with INTER_AREA of boxes of 8-bit images, in batches on any device.

Where neither side grows, pixels are means over areas. As soon as one does, OpenCV takes for both a bilinear variant of
its own, in which a source pixel's edges stay sharp: only the pixel across which an edge falls is a mixture.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ONE = 2048  # in which OpenCV counts bilinear weights


def resize_area(images: Tensor, origin_px: Tensor, extent_px: Tensor, size: int) -> Tensor:
    """Cuts a box out of each image and makes a square of it.

    Args:
        images: uint8 (n, c, S, S).
        origin_px: int64 (n, 2), x and y of the box's first pixel, on the CPU.
        extent_px: int64 (n, 2), its width and height, on the CPU; at least 1, and within the image.
        size: side of the results.

    Returns:
        uint8 (n, c, size, size).
    """
    shrunk = (extent_px >= size).all(dim=1)
    orders = [shrunk.nonzero().flatten(), (~shrunk).nonzero().flatten()]
    results = []
    for rows, method in zip(orders, (_means, _mixtures), strict=True):
        chosen = images.index_select(0, rows.to(images.device, non_blocking=True))
        results.append(method(chosen, origin_px[rows], extent_px[rows], size))
    return torch.cat(results).index_select(0, torch.cat(orders).argsort().to(images.device, non_blocking=True))


def _means(images: Tensor, origin_px: Tensor, extent_px: Tensor, size: int) -> Tensor:
    """Two matrices an image: the share that each pixel has in each of the result, down and across."""
    boxes = torch.stack([origin_px, extent_px]).to(images.device, non_blocking=True)  # (2, n, 2)
    across, down = (_shares(boxes[0, :, axis], boxes[1, :, axis], images.shape[-1], size) for axis in (0, 1))
    means = down.unsqueeze(1) @ (images.float() @ across.transpose(1, 2).unsqueeze(1))
    # Halves go to the even level, but up where OpenCV has a way of its own: at exactly 2 x 2 pixels a mean.
    halved = (boxes[1] == 2 * size).all(dim=1)
    return (means + 1e-3 * halved.view(-1, 1, 1, 1)).round().to(torch.uint8)


def _shares(first: Tensor, length: Tensor, side: int, size: int) -> Tensor:
    """float32 (n, size, side): what part of pixel j's cell of the result pixel i of the image covers."""
    # In units of 1 / size px all edges are whole numbers, which float32 holds exactly.
    first, length = (each.float().view(-1, 1, 1) for each in (first, length))
    cell = first * size + torch.arange(size, device=first.device).view(1, -1, 1) * length
    pixel = torch.arange(side, device=first.device) * size
    covered = torch.minimum(cell + length, pixel + size) - torch.maximum(cell, pixel)
    return covered.clamp_min_(0).div_(length)


def _mixtures(images: Tensor, origin_px: Tensor, extent_px: Tensor, size: int) -> Tensor:
    """Across, then down, in OpenCV's whole numbers."""
    places = [_neighbours(origin_px[:, axis], extent_px[:, axis], size) for axis in (0, 1)]
    (x, next_x, right), (y, next_y, lower) = (
        [each.to(images.device, non_blocking=True) for each in place] for place in places
    )
    values = images.int()
    at_x, at_next_x = (values.take_along_dim(each[:, None, None], dim=3) for each in (x, next_x))
    wide = (at_x * (_ONE - right[:, None, None]) + at_next_x * right[:, None, None]) >> 4  # (n, c, S, size)
    upper = (wide.take_along_dim(y[:, None, :, None], dim=2) * (_ONE - lower[:, None, :, None])) >> 16
    under = (wide.take_along_dim(next_y[:, None, :, None], dim=2) * lower[:, None, :, None]) >> 16
    return ((upper + under + 2) >> 2).to(torch.uint8)


def _neighbours(first: Tensor, length: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Each result pixel's two places in the image, int64 (n, size), and the second one's weight, int32, of 2048."""
    length, steps = length.view(-1, 1), torch.arange(size)
    # As OpenCV computes it: rounding decides on which side of a pixel's border an edge falls. `size / length` would
    # multiply by a reciprocal.
    growth = torch.div(torch.tensor(size, dtype=torch.float64), length)
    place = (steps * growth.reciprocal()).floor()
    weight = ((steps + 1) - (place + 1) * growth).float()
    weight = torch.where(weight <= 0, 0, weight - weight.floor())
    weight = torch.where(place >= length - 1, 0, weight)
    place = torch.minimum(place.long(), length - 1)
    following = torch.minimum(place + 1, length - 1)
    return first.view(-1, 1) + place, first.view(-1, 1) + following, (weight * _ONE).round().int()
