"""From a labelled set to batches of crops with their joints, turned alike.

Workers decode an image once a step and hand over the part of it that the view needs, as bytes, with the view's map; the
device that trains cuts, smooths and recolours whole batches, by the same code as pre-training (`pretraining.warp`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset, default_collate

from simhand.finetuning.augment import View, plain_view, random_view
from simhand.finetuning.colours import COLOUR_CHANGES, recolour
from simhand.finetuning.crops import crop_affine, move, rotation
from simhand.finetuning.labelled import LabelledSet, read_image
from simhand.finetuning.official_views import official_view
from simhand.finetuning.peclr_protocol import FILLED
from simhand.joints import WRIST
from simhand.pretraining.warp import warp_images
from simhand.unit_hands import bone_lengths, joint_locations, scales

_TO_CORNER = 0.5  # labels have the centre of the first pixel at 0, crops its corner
_MARGIN_PX = 4  # of the crop: as far as smoothing reaches
_AT_ONCE = {"cpu": 8, "cuda": 256}  # few images stay in a CPU's cache


class Sample(NamedTuple):
    """What a head learns from: a batch of B crops."""

    image: Tensor  # float32 (B, 3, S, S), RGB in -0.5..0.5
    keypoints_px: Tensor  # float32 (B, 21, 2) in the crop, whose upper left corner is (0, 0); 0 where not seen
    locations: Tensor  # float32 (B, 21, 3) from the wrist, in bone lengths, turned with the view; 0 where not seen
    seen: Tensor  # bool (B, 21)
    camera: Tensor  # float32 (B, 3, 3), from joints in the turned camera frame to pixels of the crop
    bone_mm: Tensor  # float32 (B,), from wrist to the middle finger's base
    scale_mm: Tensor  # float32 (B,), from there to the middle finger's next joint; NaN where unknown
    root: Tensor  # float32 (B, 3), the wrist in the turned camera frame, mm


class Part(NamedTuple):
    """Part of an image, and how a crop is made of it; batches put B in front, their pixels padded to one size."""

    pixels: Tensor  # uint8 (3, h, w); black beyond the right and lower border of the image
    affine: Tensor  # float32 (2, 3), from these pixels to those of the crop
    order: Tensor  # int64 (c,), the changes of colour in their order, places in COLOUR_CHANGES; none: c = 0
    amounts: Tensor  # float32 (c,), how much each changes, by place
    labels: Sample  # without image


class HandImages(Dataset[Part]):
    """The hands of a labelled set under keys (epoch, row).

    Args:
        hands: the labelled set.
        image_size: pixels of a crop's side.
        augment_seed: of the random views, each drawn from (seed, epoch, row); None: the hands' own squares.
        official: crops as the official loader makes them, pixel for pixel (`official_views`).
        inverted: with that, colours as it has them on FreiHAND.
    """

    def __init__(
        self,
        hands: LabelledSet,
        image_size: int,
        augment_seed: int | None = None,
        *,
        official: bool = False,
        inverted: bool = False,
    ) -> None:
        self.hands = hands
        self.image_size = image_size
        self.augment_seed = augment_seed
        self.official = official
        self.inverted = inverted
        self._bones_mm = bone_lengths(hands.joints_mm)
        self._locations = joint_locations(hands.joints_mm)
        self._scales_mm = scales(hands.joints_mm)

    def __len__(self) -> int:
        return len(self.hands)

    def __getitem__(self, key: tuple[int, int]) -> Part:
        view = self.view(*key)
        row = key[1]
        affine = crop_affine(view.center_px, view.side_px, view.rotation_rad, self.image_size)
        image = read_image(self.hands.root / str(self.hands.images[row]))
        if self.hands.flipped[row]:
            image = image.flip(2)
        labels = self._labels(row, view, affine)
        if self.official:
            pixels = official_view(image, view, self.image_size, inverted=self.inverted)
            return Part(pixels, torch.eye(2, 3), torch.empty(0, dtype=torch.long), torch.empty(0), labels)
        pixels, affine = _part(image, affine, self.image_size)
        return Part(pixels, torch.from_numpy(affine).float(), *_colours(view), labels)

    def view(self, epoch: int, row: int) -> View:
        """The square of an image that is seen in an epoch, in pixels whose first has its corner at (0, 0)."""
        square = self.hands.centers_px[row] + self.offset, float(self.hands.sides_px[row])
        if self.augment_seed is None:
            return plain_view(*square)
        return random_view(*square, np.random.default_rng((self.augment_seed, epoch, row)))

    def within(self, boxes: np.ndarray) -> HandImages:
        """The same hands, cut out around these boxes (N, 4) as PeCLR does: left, top, right and bottom in pixels."""
        longest_px = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1)  # all keypoints may be in one pixel
        hands = replace(self.hands, centers_px=(boxes[:, :2] + boxes[:, 2:]) / 2, sides_px=longest_px / FILLED)
        return HandImages(hands, self.image_size, official=self.official, inverted=self.inverted)

    @property
    def offset(self) -> float:
        """From pixels as labels have them to those of a crop; officially they are not told apart."""
        return 0.0 if self.official else _TO_CORNER

    def _labels(self, row: int, view: View, affine: np.ndarray) -> Sample:
        hands, seen = self.hands, self.hands.seen[row]
        turn = np.eye(3)
        turn[:2, :2] = rotation(view.rotation_rad)  # about the optical axis
        to_crop = np.vstack([affine, [0, 0, 1]]) @ [[1, 0, self.offset], [0, 1, self.offset], [0, 0, 1]]
        values = (
            np.where(seen[:, None], move(hands.keypoints_px[row] + self.offset, affine), 0),
            np.where(seen[:, None], self._locations[row] @ turn.T, 0),
            seen,
            to_crop @ hands.cameras[row] @ turn.T,
            self._bones_mm[row],
            self._scales_mm[row],
            turn @ hands.joints_mm[row, WRIST],
        )
        return Sample(torch.empty(0), *(_tensor(value) for value in values))


def _tensor(value: np.ndarray | np.floating) -> Tensor:
    tensor = torch.from_numpy(np.asarray(value))
    return tensor if tensor.dtype == torch.bool else tensor.float()


def _part(image: Tensor, affine: np.ndarray, size: int) -> tuple[Tensor, np.ndarray]:
    """The part of an image (3, H, W) that a crop needs, and the map from that part to the crop."""
    back = np.linalg.inv(affine[:, :2])
    low, high = -_MARGIN_PX, size + _MARGIN_PX
    corners = (np.array([[low, low], [low, high], [high, low], [high, high]]) - affine[:, 2]) @ back.T
    limits = np.array([image.shape[2], image.shape[1]])
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, limits - 1).tolist()
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), [left + 1, top + 1], limits).tolist()
    shifted = affine.copy()
    shifted[:, 2] += affine[:, :2] @ [left, top]
    return image[:, top:bottom, left:right], shifted


def _colours(view: View) -> tuple[Tensor, Tensor]:
    """Order and amounts of a view's changes of colour."""
    places = [COLOUR_CHANGES.index(name) for name, _ in view.colours]
    amounts = torch.zeros(len(places))
    for place, (_, amount) in zip(places, view.colours, strict=True):
        amounts[place] = amount
    return torch.tensor(places, dtype=torch.long), amounts


def collate(parts: Sequence[Part]) -> Part:
    """Puts parts together."""
    rest: Part = default_collate([part._replace(pixels=torch.empty(0)) for part in parts])
    return rest._replace(pixels=_padded([part.pixels for part in parts]))


def _padded(images: Sequence[Tensor]) -> Tensor:
    """Images (3, h, w) as one batch (B, 3, H, H), H the longest side of all, black to the right and below."""
    longest = max(max(image.shape[1:]) for image in images)
    return torch.stack(
        [functional.pad(image, (0, longest - image.shape[2], 0, longest - image.shape[1])) for image in images]
    )


def cut(parts: Part, size: int, device: torch.device) -> Sample:
    """The crops of a batch and their labels, on a device; images are laid out channels last, which convolutions like.

    Args:
        parts: a batch, on the CPU.
        size: pixels of a crop's side.
        device: where the crops are made.
    """
    pixels = parts.pixels.to(device, non_blocking=True)
    images = torch.empty((len(pixels), 3, size, size), device=device, memory_format=torch.channels_last)
    if _are_crops(parts, size):
        images.copy_(pixels).div_(255)
    else:
        for start in range(0, len(pixels), _AT_ONCE[device.type]):
            part = slice(start, start + _AT_ONCE[device.type])
            warped = warp_images(pixels[part], parts.affine[part], size).div_(255)
            images[part] = recolour(warped, parts.order[part], parts.amounts[part])
    labels = Sample(*(label.to(device, non_blocking=True) for label in parts.labels))
    return labels._replace(image=images.sub_(0.5))


def _are_crops(parts: Part, size: int) -> bool:
    return parts.pixels.shape[-1] == size and bool((parts.affine == torch.eye(2, 3)).all())


def crop_batch(images: Sequence[Tensor], affines: np.ndarray, size: int) -> Tensor:
    """Crops of images, as those that evaluation has: float32 (B, 3, size, size) in -0.5..0.5.

    Args:
        images: uint8 (3, H, W) each.
        affines: (B, 2, 3), from pixels of each image, whose first has its corner at (0, 0), to those of its crop.
        size: pixels of a crop's side.
    """
    cuts = [_part(image, affine, size) for image, affine in zip(images, affines, strict=True)]
    matrices = torch.from_numpy(np.stack([affine for _, affine in cuts])).float()
    return warp_images(_padded([pixels for pixels, _ in cuts]), matrices, size) / 255 - 0.5
