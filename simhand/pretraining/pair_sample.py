"""A few pairs of views as training saw them, for the eyes: images and keypoints in one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from simhand.files import whole_file
from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD, Views

_PAIRS = 8


def write_pair_sample(views: Views, rows: Tensor, path: Path) -> None:
    """Writes the first 8 pairs of a batch, or all where there are fewer, as .npz; equal pairs give equal bytes.

    The file holds `images` uint8 (k, 2, s, s, 3), RGB, the hand's view first, then its positive's; `keypoints_px`
    float32 (k, 2, 21, 2), px of the views; `rows` int64 (k,), of the hands in the pool.

    Args:
        views: 2N, those of the hands before those of their positives.
        rows: int64 (N,), of the hands in the pool.
        path: to write.
    """
    count = min(_PAIRS, len(rows))
    images, keypoints_px = (_pairs(each, count) for each in (views.images, views.keypoints_px))
    arrays = {"images": _rgb(images), "keypoints_px": keypoints_px.float().numpy(), "rows": rows[:count].cpu().numpy()}
    with whole_file(path) as temporary, temporary.open("wb") as file:  # given a path, numpy would add a suffix to it
        np.savez(file, **arrays)


def _pairs(values: Tensor, count: int) -> Tensor:
    """(2N, ...) to (count, 2, ...), on the CPU."""
    first, second = values.detach().chunk(2)
    return torch.stack([first[:count], second[:count]], dim=1).cpu()


def _rgb(images: Tensor) -> np.ndarray:
    """Normalised images (k, 2, 3, s, s) to uint8 (k, 2, s, s, 3)."""
    mean, std = (images.new_tensor(each).view(3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    values = ((images * std + mean) * 255).round().clamp(0, 255)
    return values.to(torch.uint8).permute(0, 1, 3, 4, 2).contiguous().numpy()
