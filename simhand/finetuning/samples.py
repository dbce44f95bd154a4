"""From a labelled set to batches: crops, keypoints in them, and joints, turned alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from simhand.finetuning.augment import plain_view, random_view, recolour
from simhand.finetuning.crops import crop_affine, cut, move, rotation
from simhand.finetuning.labelled import LabelledSet, read_image
from simhand.finetuning.targets import bone_lengths, joint_locations
from simhand.pretraining.randomness import generator


class Sample(NamedTuple):
    """One image, or a batch of them with a leading dimension B."""

    image: Tensor  # float32 (3, S, S), RGB in -0.5..0.5
    keypoints_px: Tensor  # float32 (21, 2) in the crop
    locations: Tensor  # float32 (21, 3) relative to the wrist, in bone lengths
    bone_mm: Tensor  # float32 (), that length
    labelled: Tensor  # bool (), whether locations are known


def on(batch: Sample, device: torch.device) -> Sample:
    """A batch on a device, its images laid out channels last, which convolutions like."""
    moved = Sample(*(part.to(device, non_blocking=True) for part in batch))
    return moved._replace(image=moved.image.to(memory_format=torch.channels_last))


class HandDataset(Dataset[Sample]):
    """Samples of a labelled set under keys (epoch, row).

    Args:
        hands: the labelled set.
        image_size: pixels of a crop's side.
        augment_seed: of the random views, each drawn from (seed, epoch, row); None: the hands' own squares.
    """

    def __init__(self, hands: LabelledSet, image_size: int, augment_seed: int | None = None) -> None:
        self.hands = hands
        self.image_size = image_size
        self.augment_seed = augment_seed
        self._bones_mm = bone_lengths(hands.joints_mm)
        self._locations = joint_locations(hands.joints_mm)

    def __len__(self) -> int:
        return len(self.hands)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        epoch, row = key
        hands = self.hands
        square = hands.centers_px[row], hands.sides_px[row]
        if self.augment_seed is None:
            view = plain_view(*square)
        else:
            view = random_view(*square, np.random.default_rng((self.augment_seed, epoch, row)))
        affine = crop_affine(view.center_px, view.side_px, view.rotation_rad, self.image_size)
        crop = cut(read_image(hands.root / hands.images[row]), affine, self.image_size)
        locations = self._locations[row].copy()
        locations[:, :2] = locations[:, :2] @ rotation(view.rotation_rad).T  # about the optical axis
        return Sample(
            recolour(crop, view.colours) - 0.5,
            torch.from_numpy(move(hands.keypoints_px[row], affine)).float(),
            torch.from_numpy(locations).float(),
            torch.tensor(self._bones_mm[row]).float(),
            torch.tensor(True),
        )


class EpochOrder(Sampler[tuple[int, int]]):
    """Keys (epoch, row) of all rows: in a new random order every epoch, or as they stand.

    Args:
        rows: how many.
        shuffle_seed: of the orders; None: as they stand.
    """

    def __init__(self, rows: int, shuffle_seed: int | None) -> None:
        self.rows = rows
        self.shuffle_seed = shuffle_seed
        self.epoch = 0  # set before each pass

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rows = torch.arange(self.rows)
        if self.shuffle_seed is not None:
            rows = torch.randperm(self.rows, generator=generator(self.shuffle_seed, "order", self.epoch))
        yield from ((self.epoch, int(row)) for row in rows)


class Batches:
    """Batches of a labelled set, pass by pass."""

    def __init__(self, dataset: HandDataset, batch_size: int, workers: int, shuffle_seed: int | None = None) -> None:
        self._order = EpochOrder(len(dataset), shuffle_seed)
        self._loader = DataLoader(
            dataset,
            batch_size,
            sampler=self._order,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, number: int) -> Iterator[Sample]:
        """All samples once, in batches; the last one may be smaller."""
        self._order.epoch = number
        yield from self._loader
