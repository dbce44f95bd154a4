from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simhand.hands.hundred_doh.preprocessing import blob_scale, make_blob

TOLERANCE = 1e-4 * 255  # OpenCV's own results differ by as much, with and without the IPP library

# height and width of the frame, scale, height and width of the blob
SIZES = {
    "VGA": (480, 640, 600 / 480, 600, 800),
    "HD, 562.5 rounds to the even number": (720, 1280, 1000 / 1280, 562, 1000),
    "full HD": (1080, 1920, 1000 / 1920, 562, 1000),
    "portrait": (1280, 720, 1000 / 1280, 1000, 562),
    "square": (224, 224, 600 / 224, 600, 600),
    "as it is": (600, 1000, 1.0, 600, 1000),
    "the longer side becomes 1000.5, which is not above when rounded": (1200, 2001, 0.5, 600, 1000),
    "the longer side becomes 1001": (1200, 2002, 1000 / 2002, 599, 1000),
    "wide": (100, 1000, 1.0, 100, 1000),
    "tiny": (2, 3, 300.0, 600, 900),
    "a pixel": (1, 1, 600.0, 600, 600),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name: str) -> None:
    height, width, scale, *size = SIZES[name]
    assert blob_scale(height, width) == scale
    assert list(make_blob(torch.zeros(1, height, width, 3, dtype=torch.uint8)).shape) == [1, 3, *size]


@pytest.mark.parametrize(("height", "width"), [(1, 5000), (1, 600), (2, 1000), (5000, 2)])
def test_the_blob_of_a_line_has_it_three_times(height: int, width: int) -> None:
    """The network's first layers leave nothing of less."""
    line = np.random.default_rng(0).integers(0, 256, (max(height, width), 3)).astype(np.uint8)
    frame = line.reshape(height, width, 3) if height == 1 else np.stack([line] * 2, axis=int(width == 2))
    blob = make_blob(torch.from_numpy(np.ascontiguousarray(frame))[None])
    assert sorted(blob.shape[2:]) == [3, 1000]
    thin = 2 if width > height else 3
    assert torch.equal(blob.select(thin, 0), blob.select(thin, 1))
    assert torch.equal(blob.select(thin, 0), blob.select(thin, 2))
    assert blob.std() > 10


def test_colours_and_means() -> None:
    frame = torch.tensor([10, 20, 30], dtype=torch.uint8).expand(1, 600, 600, 3)
    blue, green, red = make_blob(frame)[0]
    assert blue.unique().tolist() == pytest.approx([30 - 102.9801])
    assert green.unique().tolist() == pytest.approx([20 - 115.9465])
    assert red.unique().tolist() == pytest.approx([10 - 122.7717])


@settings(max_examples=25)
@given(st.integers(8, 1300), st.integers(8, 1300), st.integers(0, 2**32 - 1))
@example(480, 640, 0)
@example(720, 1280, 1)
@example(1080, 1920, 2)
@example(240, 1001, 3)  # 240 rows stay 240, but do not stay where they are
@example(998, 240, 4)
@example(1200, 1200, 5)  # the half
def test_it_is_scaled_as_opencv_does(height: int, width: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    scale = blob_scale(height, width)
    blob = make_blob(torch.from_numpy(frames)).permute(0, 2, 3, 1).numpy()
    for own, frame in zip(blob, frames, strict=True):
        bgr = frame[:, :, ::-1].astype(np.float32) - np.array([102.9801, 115.9465, 122.7717], np.float32)
        expected = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(own, expected, rtol=0, atol=TOLERANCE)
