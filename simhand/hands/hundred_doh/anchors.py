"""The boxes that regions are proposed from (spec: section 12)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

STRIDE = 16  # px of the blob from one cell of the features to the next
_RATIOS, _SCALES = (0.5, 1.0, 2.0), (8, 16, 32, 64)


def base_anchors() -> np.ndarray:
    """The twelve anchors of the first cell, ratio by ratio, x1, y1, x2, y2 in px: float32 (12, 4).

    Sides are rounded to whole pixels before they are scaled, and x2 and y2 belong to the box.
    """
    widths = np.round(np.sqrt(STRIDE**2 / np.array(_RATIOS)))  # (3,)
    heights = np.round(widths * _RATIOS)
    sides = np.stack([np.outer(side, _SCALES).ravel() for side in (widths, heights)], axis=1)  # (12, 2)
    centre = (STRIDE - 1) / 2
    return np.concatenate([centre - (sides - 1) / 2, centre + (sides - 1) / 2], axis=1).astype(np.float32)


def grid_anchors(height: int, width: int, device: torch.device) -> Tensor:
    """The anchors of all cells of features (height, width), row by row: float32 (height * width * 12, 4)."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device) * STRIDE, torch.arange(width, device=device) * STRIDE, indexing="ij"
    )
    shifts = torch.stack([columns, rows, columns, rows], dim=-1).reshape(-1, 1, 4)
    return (shifts + torch.from_numpy(base_anchors()).to(device)).reshape(-1, 4)
