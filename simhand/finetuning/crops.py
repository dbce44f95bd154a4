"""Cutting a square around a hand: one affine map for image and keypoints.

Coordinates are continuous, in pixels: pixel i covers i to i + 1, so its centre lies at i + 0.5.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def crop_affine(center_px: np.ndarray, side_px: float, rotation_rad: float, size: int) -> np.ndarray:
    """The map (2, 3) from a square of an image, turned, to a crop of `size` x `size` pixels (spec: section 10).

    Args:
        center_px: (2,) of the square.
        side_px: of the square.
        rotation_rad: turns x towards y, that is clockwise as seen on a screen.
        size: pixels of the crop's side.
    """
    turn = (size / side_px) * rotation(rotation_rad)
    return np.column_stack([turn, size / 2 - turn @ center_px])


def rotation(angle_rad: float) -> np.ndarray:
    """The matrix (2, 2) that turns x towards y."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def move(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Points (..., 2) under a map (2, 3)."""
    return points @ affine[:, :2].T + affine[:, 2]


def cut(image: Tensor, affine: np.ndarray, size: int, mode: Literal["bilinear", "nearest"] = "bilinear") -> Tensor:
    """Draws a crop; what lies outside the image is black.

    Args:
        image: uint8 (3, H, W).
        affine: (2, 3) from image to crop, as `crop_affine` gives it.
        size: pixels of the crop's side.
        mode: how values between pixels are found.

    Returns:
        float32 (3, size, size) in 0..1.
    """
    centers = torch.arange(size, dtype=torch.float64) + 0.5
    crop_px = torch.stack(torch.meshgrid(centers, centers, indexing="xy"), dim=-1)  # (size, size, 2) x, y
    inverse = torch.from_numpy(np.linalg.inv(affine[:, :2]))
    image_px = (crop_px - torch.from_numpy(affine[:, 2])) @ inverse.T  # (size, size, 2)
    height, width = image.shape[1:]
    grid = image_px * 2 / torch.tensor([width, height]) - 1  # -1 and 1: the image's outer edges
    source = image[None].float() / 255
    return functional.grid_sample(source, grid[None].float(), mode=mode, align_corners=False)[0]
