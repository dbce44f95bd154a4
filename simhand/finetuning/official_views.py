"""The official loader's view of an image, pixel for pixel (spec: section 10).

It blurs, changes colours and cuts 8-bit images with Pillow, without interpolation: each pixel of the crop is the
nearest one of the image. What is drawn at random is not restored: officially one of 1,025 patterns of shift, scale and
rotation, since the generator is seeded anew for each image with a number from 0 to 1,024.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torchvision.transforms import functional

from simhand.finetuning.augment import View

_CHANGES = {
    "brightness": functional.adjust_brightness,
    "contrast": functional.adjust_contrast,
    "saturation": functional.adjust_saturation,
    "hue": functional.adjust_hue,
}


def official_view(image: Tensor, view: View, size: int, *, inverted: bool) -> Tensor:
    """The crop that a view shows; what lies outside the image is black.

    Args:
        image: uint8 (3, H, W).
        view: its centre in pixels of which the first one's centre is (0, 0), which Pillow takes for that pixel's
            corner: officially the crop lies half a pixel off.
        size: pixels of the crop's side.
        inverted: colours are turned over first, as officially on FreiHAND.

    Returns:
        uint8 (3, size, size).
    """
    pixels = invert(image) if inverted else image
    picture = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    if view.blur_px:
        picture = picture.filter(ImageFilter.GaussianBlur(view.blur_px))
    for name, amount in view.colours:
        picture = _CHANGES[name](picture, amount)
    inverse = np.linalg.inv(official_affine(view, size))
    data = tuple(float(number) for number in inverse[:2].reshape(6))
    cut = picture.transform((size, size), Image.Transform.AFFINE, data, Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(cut)).permute(2, 0, 1).contiguous()


def invert(image: Tensor) -> Tensor:
    """Levels v of a uint8 image as 256 - v, black staying black: what becomes of 255 v cut to eight bits."""
    return image.neg()  # modulo 256


def official_affine(view: View, size: int) -> np.ndarray:
    """The map float32 (3, 3) from image to crop, rounded where the official code rounds it.

    A view of evaluation has its scale in float32 there, one of training in float64; the turned centre is multiplied by
    the scale in that precision, the whole map rounded at the end.
    """
    turn = np.eye(3)
    cosine, sine = np.cos(view.rotation_rad), np.sin(view.rotation_rad)
    turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
    precision = np.float64 if view.rotation_rad else np.float32
    side = precision(view.side_px)
    x, y = (precision(number) for number in (turn @ [*view.center_px, 1.0])[:2])
    length, half = precision(size), precision(0.5)
    scaled = np.eye(3)
    scaled[0, 0] = scaled[1, 1] = length / side
    scaled[0, 2], scaled[1, 2] = length * (half - x / side), length * (half - y / side)
    return (scaled @ turn).astype(np.float32)
