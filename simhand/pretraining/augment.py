"""Random views of hands (spec section 3), whole batches at a time on the device that trains.

PeCLR, TempCLR and SiMHand rotate about the keypoints' centroid, crop with a random margin, move the crop right and down
and jitter colours. SimCLR neither rotates nor moves it (paper section 4.1); officially it moves it but has a fixed
margin. Views are made in one of two ways. "official" does what the official code does (`official_views`). "paper":

* One warp where the official code interpolates twice (rotate, then crop and resize), so nothing is blurred twice and
  what the rotation turns out of the crop and the jitter brings back is not lost.
* The square is not clipped at the border of the stored crop. Clipped squares are no squares: their views are stretched
  along one axis, which nothing undoes later. Outside the stored crop a view is black.
* Angle, centre, side and jitter are real numbers, not truncated to whole ones: keypoints and pixels agree exactly.
* Colours are taken as the RGB they are; the official code reads them as BGR, which swaps the hues of red and blue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from simhand.pretraining.colour import jitter_colour
from simhand.pretraining.official_views import official_geometry, official_images
from simhand.pretraining.opencv_hsv import jitter_hsv
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.warp import crop_sides, view_matrices, warp_images, warp_points

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Draws:
    """The random numbers of n views, on the CPU."""

    angle_deg: Tensor  # (n,)
    margin: Tensor  # (n,)
    jitter_px: Tensor  # (n, 2)
    hue: Tensor  # (n,), like the rest
    saturation: Tensor
    value: Tensor
    value_shift: Tensor

    @property
    def colours(self) -> Tensor:
        """Factors of hue, saturation and value, and what is added to the value, in levels: (n, 4)."""
        return torch.stack([self.hue, self.saturation, self.value, self.value_shift], dim=1)


@dataclass(frozen=True)
class Views:
    """n views, what the latent inverse needs to know about how they came about, and what weights are taken from."""

    images: Tensor  # float32 (n, 3, s, s), normalised with ImageNet's mean and deviation
    keypoints_px: Tensor  # float32 (n, 21, 2), px of the view
    angle_deg: Tensor  # (n,), by how much the hand was turned, counter-clockwise as seen
    shift: Tensor  # (n, 2), by how much the square was moved right and down, in its sides (official: the view's)
    crop_keypoints_px: Tensor  # float32 (n, 21, 2), those of the stored crop were it resized to the view's side


def draw(count: int, settings: PretrainingSettings, random: torch.Generator) -> Draws:
    """Draws `count` views.

    Whatever the method and the behaviour, the same numbers are drawn; they differ in what is made of them.
    """
    angle, margin, right, down, *colours = torch.rand((8, count), generator=random).unbind()

    def spread(unit: Tensor, limits: tuple[float, float]) -> Tensor:
        return limits[0] + unit * (limits[1] - limits[0])

    ranges = settings.augmentation
    simclr, official = settings.method == "simclr", settings.behaviour == "official"
    turn = 0.0 if simclr else ranges.rotation_deg
    fixed = (ranges.fixed_crop_margin, ranges.fixed_crop_margin)
    jitter_px = 0.0 if simclr and not official else ranges.jitter_px
    limits = (ranges.hue, ranges.saturation, ranges.value, ranges.value_shift)
    return Draws(
        spread(angle, (-turn, turn)),
        spread(margin, fixed if simclr and official else ranges.crop_margin),
        torch.stack([right, down], dim=1) * jitter_px,
        *(spread(unit, each) for unit, each in zip(colours, limits, strict=True)),
    )


def make_views(
    crops: Tensor, keypoints_px: Tensor, draws: Draws, size: int, behaviour: Literal["paper", "official"] = "paper"
) -> Views:
    """Renders the views of crops.

    Args:
        crops: uint8 (n, 3, S, S), on the device that shall hold the views.
        keypoints_px: float32 (n, 21, 2), px of the crops, on the CPU.
        draws: of n views.
        size: side of a view, px.
        behaviour: the paper's way, or the official code's with its roundings and flaws.
    """
    make = _official_views if behaviour == "official" else _paper_views
    return make(crops, keypoints_px, draws, size)


def _paper_views(crops: Tensor, keypoints_px: Tensor, draws: Draws, size: int) -> Views:
    side = crop_sides(keypoints_px, draws.margin)
    matrices = view_matrices(keypoints_px, draws.angle_deg, side, draws.jitter_px, size)
    images, colours = _canvas(crops, size), draws.colours.to(crops.device, non_blocking=True)
    for part in _parts(crops):
        warped = warp_images(crops[part], matrices[part], size)
        images[part] = _normalised(jitter_colour(warped, *colours[part].unbind(dim=1)))
    return Views(
        images,
        warp_points(keypoints_px, matrices).to(crops.device, non_blocking=True),
        draws.angle_deg.to(crops.device, non_blocking=True),
        (draws.jitter_px / side.unsqueeze(1)).to(crops.device, non_blocking=True),
        _resized(keypoints_px, crops, size),
    )


def _official_views(crops: Tensor, keypoints_px: Tensor, draws: Draws, size: int) -> Views:
    angle_deg = draws.angle_deg.floor()
    geometry = official_geometry(keypoints_px, angle_deg, draws.margin, draws.jitter_px, crops.shape[-1])
    images, colours = _canvas(crops, size), draws.colours.to(crops.device, non_blocking=True)
    for part in _parts(crops):
        plain = official_images(crops[part], geometry.part(part), size)
        images[part] = _normalised(jitter_hsv(plain, colours[part]).float())
    return Views(
        images,
        warp_points(keypoints_px.double(), geometry.matrices(size)).float().to(crops.device, non_blocking=True),
        angle_deg.to(crops.device, non_blocking=True),
        (geometry.moved_px / size).to(crops.device, non_blocking=True),
        _resized(keypoints_px, crops, size),
    )


def _canvas(crops: Tensor, size: int) -> Tensor:
    shape = (len(crops), 3, size, size)
    return torch.empty(shape, device=crops.device, memory_format=torch.channels_last)


def _parts(crops: Tensor) -> Iterator[slice]:
    """Small parts stay in the cache and in reused memory on a CPU: three times faster there than the batch at once."""
    length = 8 if crops.device.type == "cpu" else 256
    return (slice(start, start + length) for start in range(0, len(crops), length))


def _normalised(rgb: Tensor) -> Tensor:
    """Levels up to 255, float (n, 3, h, w), which are overwritten, to what encoders of ImageNet expect."""
    for channel, (mean, std) in enumerate(zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)):
        rgb[:, channel].sub_(255 * mean).div_(255 * std)  # numbers, not tensors: a GPU need not wait for them
    return rgb


def _resized(keypoints_px: Tensor, crops: Tensor, size: int) -> Tensor:
    return (keypoints_px * (size / crops.shape[-1])).to(crops.device, non_blocking=True)
