"""The sample of pairs: what the views showed, in eight bits."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD, Views
from simhand.pretraining.pair_sample import write_pair_sample


def _views(pixels: torch.Tensor, keypoints_px: torch.Tensor) -> Views:
    """Views of pixels uint8 (2N, 3, s, s), normalised as training does it."""
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    images = ((pixels.float() / 255 - mean) / std).to(memory_format=torch.channels_last)
    unused = {field.name: torch.zeros(len(pixels)) for field in fields(Views)}
    return Views(**{**unused, "images": images, "keypoints_px": keypoints_px})


def test_the_first_eight_pairs_are_kept_as_they_were(tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (20, 3, 6, 6), generator=random, dtype=torch.uint8)
    keypoints_px = torch.rand((20, 21, 2), generator=random) * 6
    rows = torch.arange(10) * 3
    for name in ("a.npz", "b.npz"):
        write_pair_sample(_views(pixels, keypoints_px), rows, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as found:
        assert set(found) == {"images", "keypoints_px", "rows"}
        assert found["images"].dtype == np.uint8
        for pair in range(8):
            for side, view in enumerate((pair, 10 + pair)):
                np.testing.assert_array_equal(found["images"][pair, side], pixels[view].permute(1, 2, 0))
                np.testing.assert_array_equal(found["keypoints_px"][pair, side], keypoints_px[view])
        np.testing.assert_array_equal(found["rows"], [0, 3, 6, 9, 12, 15, 18, 21])


def test_a_small_batch_gives_all_its_pairs(tmp_path: Path) -> None:
    pixels = torch.full((4, 3, 2, 2), 7, dtype=torch.uint8)
    write_pair_sample(_views(pixels, torch.zeros(4, 21, 2)), torch.tensor([5, 2]), tmp_path / "pairs.npz")
    with np.load(tmp_path / "pairs.npz") as found:
        assert found["images"].shape == (2, 2, 2, 2, 3)
        assert (found["images"] == 7).all()
        np.testing.assert_array_equal(found["rows"], [5, 2])
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.npz"]
