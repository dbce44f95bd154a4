"""Random views of hands (spec section 3), whole batches at a time on the device that trains.

PeCLR and SiMHand rotate about the keypoints' centroid, crop with a random margin, move the crop right and down and
jitter colours; SimCLR has a fixed margin and no rotation. Where this differs from the official code, and why:

* One warp where the official code interpolates twice (rotate, then crop and resize), so nothing is blurred twice and
  what the rotation turns out of the crop and the jitter brings back is not lost.
* The square is not clipped at the border of the stored crop. Clipped squares are no squares: their views are stretched
  along one axis, which nothing undoes later. Outside the stored crop a view is black.
* Angle, centre, side and jitter are real numbers, not truncated to whole ones: keypoints and pixels agree exactly.
* Colours are taken as the RGB they are; the official code reads them as BGR, which swaps the hues of red and blue.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from simhand.pretraining.colour import jitter_colour
from simhand.pretraining.settings import AugmentationSettings
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


@dataclass(frozen=True)
class Views:
    """n views, and what the latent inverse needs to know about how they came about."""

    images: Tensor  # float32 (n, 3, s, s), normalised with ImageNet's mean and deviation
    keypoints_px: Tensor  # float32 (n, 21, 2), px of the view
    angle_deg: Tensor  # (n,), by how much the hand was turned, counter-clockwise as seen
    shift: Tensor  # (n, 2), by how much the square was moved right and down, in units of its side


def draw(count: int, settings: AugmentationSettings, equivariant: bool, generator: torch.Generator) -> Draws:
    """Draws `count` views; `equivariant` ones (PeCLR, SiMHand) turn and have a random margin, SimCLR's do not."""
    angle, margin, right, down, *colours = torch.rand((8, count), generator=generator).unbind()

    def spread(unit: Tensor, limits: tuple[float, float]) -> Tensor:
        return limits[0] + unit * (limits[1] - limits[0])

    turn = settings.rotation_deg if equivariant else 0.0
    fixed = (settings.fixed_crop_margin, settings.fixed_crop_margin)
    ranges = (settings.hue, settings.saturation, settings.value, settings.value_shift)
    return Draws(
        spread(angle, (-turn, turn)),
        spread(margin, settings.crop_margin if equivariant else fixed),
        torch.stack([right, down], dim=1) * settings.jitter_px,
        *(spread(unit, limits) for unit, limits in zip(colours, ranges, strict=True)),
    )


def make_views(crops: Tensor, keypoints_px: Tensor, draws: Draws, size: int) -> Views:
    """Renders the views of crops.

    Args:
        crops: uint8 (n, 3, S, S), on the device that shall hold the views.
        keypoints_px: float32 (n, 21, 2), px of the crops, on the CPU.
        draws: of n views.
        size: side of a view, px.
    """
    side = crop_sides(keypoints_px, draws.margin)
    matrices = view_matrices(keypoints_px, draws.angle_deg, side, draws.jitter_px, size)
    images = crops.new_empty((len(crops), 3, size, size), dtype=torch.float32).to(memory_format=torch.channels_last)
    # Small parts stay in the cache and in reused memory on a CPU: three times faster there than the batch at once.
    part = 8 if crops.device.type == "cpu" else 512
    for start in range(0, len(crops), part):
        chosen = slice(start, start + part)
        images[chosen] = _render(crops[chosen], matrices[chosen], _part(draws, chosen, crops.device), size)
    device = crops.device
    return Views(
        images,
        warp_points(keypoints_px, matrices).to(device),
        draws.angle_deg.to(device),
        (draws.jitter_px / side.unsqueeze(1)).to(device),
    )


def _part(draws: Draws, chosen: slice, device: torch.device) -> Draws:
    return Draws(*(getattr(draws, field.name)[chosen].to(device) for field in fields(draws)))


def _render(crops: Tensor, matrices: Tensor, draws: Draws, size: int) -> Tensor:
    images = warp_images(crops.float() / 255, matrices.to(crops.device), size)
    images = jitter_colour(images, draws.hue, draws.saturation, draws.value, draws.value_shift)
    mean, std = (images.new_tensor(each).view(1, 3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    return (images - mean) / std
