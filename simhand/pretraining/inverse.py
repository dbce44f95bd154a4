"""PeCLR's latent inverse: what the augmentation did to the hand is undone on its embedding (spec section 5).

An embedding of 2k numbers is read as k points (x0, y0, x1, y1, ...). Their extent stands for the side of the view.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def translate(points: Tensor, shift: Tensor) -> Tensor:
    """Moves points (n, k, 2) by `shift` (n, 2) times their extent along each axis; no gradient through the extent."""
    extent = (points.amax(dim=1) - points.amin(dim=1)).detach()  # (n, 2)
    return points + (shift * extent).unsqueeze(1)


def rotate(points: Tensor, angle_deg: Tensor) -> Tensor:
    """Turns points (n, k, 2) about their centroid by angles (n,), counter-clockwise as seen where y points down.

    No gradient through the centroid.
    """
    centre = points.mean(dim=1, keepdim=True).detach()  # (n, 1, 2)
    cos, sin = (part.view(-1, 1) for part in (torch.cos(torch.deg2rad(angle_deg)), torch.sin(torch.deg2rad(angle_deg))))
    x, y = (points - centre).unbind(dim=-1)  # (n, k)
    return centre + torch.stack([cos * x + sin * y, cos * y - sin * x], dim=-1)


def undo_view(embeddings: Tensor, angle_deg: Tensor, shift: Tensor) -> Tensor:
    """Undoes a view's shift, then its rotation; its scale stays (Spurr et al. 2021).

    Moving the square right moves the hand left, so the points move right again, by the part of the square's side. The
    official code divides the jitter, in px of the stored crop, by the view's side instead: pass jitter / 128 for that.

    Args:
        embeddings: (n, 2k).
        angle_deg: (n,), by how much the hand was turned, counter-clockwise as seen.
        shift: (n, 2), by how much the square was moved right and down, in units of its side.

    Returns:
        (n, 2k), of unit length.
    """
    points = functional.normalize(embeddings, dim=1).unflatten(1, (-1, 2))  # (n, k, 2)
    points = rotate(translate(points, shift), -angle_deg)
    return functional.normalize(points.flatten(1), dim=1)
