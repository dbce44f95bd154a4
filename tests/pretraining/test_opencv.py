"""OpenCV's arithmetic in torch, against OpenCV."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from simhand.pretraining.opencv_hsv import bgr_to_hsv, hsv_to_bgr, jitter_hsv
from simhand.pretraining.opencv_resize import resize_area
from simhand.pretraining.opencv_warp import rotation_matrices, warp_affine

SIDE = 160


def noise(count: int, side: int = SIDE) -> np.ndarray:
    """Nothing hides an error of a pixel in it: uint8 (count, side, side, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def planes(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def check(got: Tensor, expected: list[np.ndarray], equal: float) -> None:
    """At most a level off, and that for at most a share of 1 - `equal`."""
    difference = np.abs(got.permute(0, 2, 3, 1).numpy().astype(int) - np.stack(expected))
    assert difference.max() <= 1
    assert (difference == 0).mean() >= equal


def test_rotation() -> None:
    rng, images = np.random.default_rng(1), noise(12)
    centres, angles = rng.integers(20, 140, (12, 2)), rng.integers(-90, 91, 12).astype(float)
    matrices = [
        cv2.getRotationMatrix2D((int(x), int(y)), angle, 1.0) for (x, y), angle in zip(centres, angles, strict=True)
    ]
    own = rotation_matrices(torch.from_numpy(centres), torch.from_numpy(angles))
    np.testing.assert_allclose(own, matrices, rtol=0, atol=1e-12)
    expected = [cv2.warpAffine(image, matrix, (SIDE, SIDE)) for image, matrix in zip(images, matrices, strict=True)]
    check(warp_affine(planes(images), own), expected, equal=1.0)


# 80: the box of 160 px takes the way that OpenCV has for exactly 2 x 2 pixels
@pytest.mark.parametrize("size", [64, 80, 100, 128])
def test_resizing_boxes(size: int) -> None:
    """Larger than the view, smaller, or one side each: OpenCV has two ways, and only one of them within a call."""
    rng, images = np.random.default_rng(2), noise(60)
    extents = rng.integers(1, SIDE + 1, (60, 2))
    extents[:20] = rng.integers(size, SIDE + 1, (20, 2))
    extents[0] = SIDE
    origins = (rng.uniform(size=(60, 2)) * (SIDE - extents + 1)).astype(int)
    expected = [
        cv2.resize(image[y : y + h, x : x + w], (size, size), interpolation=cv2.INTER_AREA)
        for image, (x, y), (w, h) in zip(images, origins, extents, strict=True)
    ]
    resized = resize_area(planes(images), torch.from_numpy(origins), torch.from_numpy(extents), size)
    check(resized, expected, equal=0.999)


def test_hsv() -> None:
    images = noise(4, 256)
    images[2:] = images[2:, ..., :1] // 2 + images[2:] % 4  # nearly grey, where hues are unsteady
    expected = [cv2.cvtColor(image, cv2.COLOR_BGR2HSV) for image in images]
    check(bgr_to_hsv(planes(images)), expected, equal=1.0)
    hsv = images.copy()
    hsv[..., 0] %= 180
    back = [cv2.cvtColor(image, cv2.COLOR_HSV2BGR) for image in hsv]
    check(hsv_to_bgr(planes(hsv)), back, equal=0.999)


def test_jitter_takes_red_for_blue_and_truncates() -> None:
    pixel = torch.tensor([200, 100, 50], dtype=torch.uint8).view(1, 3, 1, 1)
    # Read as blue 200, green 100, red 50: value 200, saturation 255 * 150 / 200 = 191, and hue 30 * (4 + (50 - 100) /
    # 150) = 110. The factors make 170 of the value, 95 of the saturation and 97 of the hue, 7 beyond cyan's 90.
    factors = torch.tensor([[0.89, 0.5, 0.8, 10.6]], dtype=torch.float64)
    green, red = (int(170 * (1 - 95 / 255 * lacking)) for lacking in (7 / 30, 1))
    assert jitter_hsv(pixel, factors).flatten().tolist() == [170, green, red]
