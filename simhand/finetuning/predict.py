"""The joints that a model sees, as a table that evaluation reads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader

from simhand.errors import LabelledSetError
from simhand.files import keypoints_column, write_parquet
from simhand.finetuning.crops import crop_affine
from simhand.finetuning.heads import HEADS, Prediction
from simhand.finetuning.labelled import LabelledSet
from simhand.finetuning.order import Key
from simhand.finetuning.peclr_protocol import box_of_keypoints, first_box
from simhand.finetuning.samples import HandImages, Part, Sample, collate, cut
from simhand.finetuning.settings import FinetuningSettings
from simhand.joints import WRIST
from simhand.pretraining.launch import leave_signals_to_the_parent
from simhand.pretraining.processes import ALONE, Processes
from simhand.tables import N_JOINTS, PREDICTIONS
from simhand.unit_hands import bone_lengths, scales


class Seen(NamedTuple):
    """What a model says about N hands."""

    keypoints_px: np.ndarray  # (N, 21, 2) in the image, as labels have them
    locations: np.ndarray  # (N, 21, 3) relative to the wrist, in lengths of the bone from wrist to joint 9
    absolute: np.ndarray  # (N, 21, 3) in the camera's frame, in lengths of the bone from joint 9 to joint 10


def dataset_of(hands: LabelledSet, settings: FinetuningSettings, seed: int | None, *, inverted: bool) -> HandImages:
    """The images of a set as the run's settings want them; `seed` of random views, None: the hands' own squares."""
    official = settings.behaviour == "official"
    return HandImages(hands, settings.image_size, seed, official=official, inverted=official and inverted)


@torch.inference_mode()
def see(model: nn.Module, dataset: HandImages, settings: FinetuningSettings, processes: Processes = ALONE) -> Seen:
    """Looks at all hands of a set in their squares, each process at a part of them; all of them get all results.

    Always in float32: bfloat16 would round the joints.
    """
    model.eval()
    processes.equalise_statistics(model)
    own = torch.arange(processes.rank, max(len(dataset), processes.rank + 1), processes.count) % len(dataset)
    keys: list[Key] = [(0, row) for row in own.tolist()]
    keys += keys[-1:] * (-(-len(dataset) // processes.count) - len(keys))  # as many in each process
    loader: DataLoader[Part] = DataLoader(
        dataset,
        batch_sampler=[keys[start : start + settings.batch_size] for start in range(0, len(keys), settings.batch_size)],
        num_workers=settings.workers,
        collate_fn=collate,
        worker_init_fn=leave_signals_to_the_parent,
        pin_memory=processes.device.type == "cuda",
    )
    head = HEADS[settings.head]
    found: list[Prediction] = []
    for parts in loader:
        batch = cut(parts, settings.image_size, processes.device)
        found.append(head.predict(model(batch.image), batch))
    every = (_of_all(torch.cat(parts), len(dataset), processes) for parts in zip(*found, strict=True))
    keypoints_px, locations, absolute = every
    return Seen(_in_image(keypoints_px, dataset), locations, absolute)


def see_unaided(model: nn.Module, dataset: HandImages, settings: FinetuningSettings, processes: Processes) -> Seen:
    """Looks at the hands in the middle of square images, without labels that tell where, as PeCLR does on FreiHAND.

    A first pass sees the middle of the image; the keypoints that it finds give the squares of the second
    (`peclr_protocol`).
    """
    middle = np.stack([first_box(side) - dataset.offset for side in square_sides_px(dataset.hands)])
    found = see(model, dataset.within(middle), settings, processes)
    boxes = np.stack([box_of_keypoints(np.nan_to_num(keypoints)) for keypoints in found.keypoints_px])
    return see(model, dataset.within(boxes), settings, processes)


def square_sides_px(hands: LabelledSet) -> list[int]:
    """The sides of square images.

    Raises:
        LabelledSetError: one is not square.
    """
    sides = []
    for image in hands.images:
        with Image.open(hands.root / str(image)) as opened:  # its head alone
            width, height = opened.size
        if width != height:
            hint = "evaluation_crops: keypoints"
            where = hands.root / str(image)
            raise LabelledSetError("no square image", where=where, got=f"{width} x {height} pixels", hint=hint)
        sides.append(width)
    return sides


def _of_all(part: Tensor, total: int, processes: Processes) -> np.ndarray:
    """Everybody's rows in their order: process r has the rows r, r + count, ..."""
    gathered = processes.gather(part.float())
    return gathered.unflatten(0, (processes.count, -1)).transpose(0, 1).flatten(0, 1)[:total].cpu().double().numpy()


def _in_image(keypoints_px: np.ndarray, dataset: HandImages) -> np.ndarray:
    """Keypoints (N, 21, 2) in crops as keypoints in the images."""
    views = [dataset.view(0, row) for row in range(len(dataset))]
    affines = np.array(
        [crop_affine(view.center_px, view.side_px, view.rotation_rad, dataset.image_size) for view in views]
    )
    back = np.linalg.inv(affines[:, :, :2])  # (N, 2, 2)
    return (keypoints_px - affines[:, None, :, 2]) @ back.transpose(0, 2, 1) - dataset.offset


def mean_error_mm(seen: Seen, hands: LabelledSet) -> float:
    """Mean distance of a joint from its true place, wrists and bone lengths made equal."""
    errors_mm = np.linalg.norm(in_camera_frame(seen.locations, hands.joints_mm) - hands.joints_mm, axis=2)
    return float(errors_mm[hands.seen].mean())


def errors_mm(locations: Tensor, batch: Sample) -> Tensor:
    """Mean error over the joints of each hand, (B,), wrists and bone lengths made equal (spec: section 11).

    Args:
        locations: (B, 21, 3) as `Prediction` has them.
        batch: B true hands.
    """
    errors = (locations.float() - batch.locations).norm(dim=2) * batch.seen
    return errors.sum(dim=1) / batch.seen.sum(dim=1) * batch.bone_mm


def in_camera_frame(locations: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3), or (21, 3) for all, as long as the true hands (N, 21, 3) and at their wrists."""
    return true_mm[:, [WRIST]] + bone_lengths(true_mm)[:, None, None] * locations


def write_predictions(seen: Seen, hands: LabelledSet, mean: np.ndarray, path: Path) -> None:
    """Writes simhand.tables.PREDICTIONS, one row a hand; `mean` is the `mean_locations` of the training hands."""
    columns = {
        "name": pa.array(hands.names),
        "image": pa.array(hands.images),
        "flipped": pa.array(hands.flipped),
        "sequence": pa.array(hands.sequences),
        "view": pa.array(hands.views),
        "hidden": pa.array(hands.hidden, pa.float32(), mask=np.isnan(hands.hidden)),
        "seen": pa.FixedSizeListArray.from_arrays(pa.array(hands.seen.reshape(-1)), N_JOINTS),
        "predicted_mm": keypoints_column(in_camera_frame(seen.locations, hands.joints_mm)),
        "true_mm": keypoints_column(hands.joints_mm),
        "mean_mm": keypoints_column(in_camera_frame(mean, hands.joints_mm)),
        "absolute_mm": keypoints_column(seen.absolute * scales(hands.joints_mm)[:, None, None]),
        "predicted_px": keypoints_column(seen.keypoints_px),
        "true_px": keypoints_column(hands.keypoints_px),
    }
    write_parquet(pa.table(columns), path, PREDICTIONS)
