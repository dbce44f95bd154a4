"""What a model says about hands, in the terms of their images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from simhand.errors import LabelledSetError
from simhand.files import keypoints_array, read_parquet
from simhand.finetuning.detnet import DetNetOutput
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet
from simhand.finetuning.peclr_protocol import crop_map
from simhand.finetuning.predict import (
    Seen,
    dataset_of,
    errors_mm,
    in_camera_frame,
    mean_error_mm,
    see,
    see_unaided,
    write_predictions,
)
from simhand.finetuning.samples import HandImages, collate, cut
from simhand.finetuning.settings import FinetuningSettings, ReadSettings
from simhand.finetuning.targets import bone_directions, heatmaps
from simhand.pretraining.processes import ALONE
from simhand.tables import PREDICTIONS
from simhand.unit_hands import joint_locations, mean_locations

SETTINGS = FinetuningSettings(encoder="resnet18", image_size=64, batch_size=3, device="cpu")
CELL_PX = 4


class Oracle(nn.Module):
    """A head's output made of the true labels of the images, in the order in which they come."""

    def __init__(self, hands: LabelledSet) -> None:
        super().__init__()
        self.dataset = HandImages(hands, SETTINGS.image_size)
        self.shown: list[Tensor] = []

    def forward(self, images: Tensor) -> DetNetOutput:
        rows = range(len(torch.cat(self.shown)) if self.shown else 0, 10**6)
        self.shown.append(images)
        batch = cut(
            collate([self.dataset[(0, row % len(self.dataset))] for row in rows[: len(images)]]),
            SETTINGS.image_size,
            torch.device("cpu"),
        )
        maps, _ = heatmaps(batch.keypoints_px, SETTINGS.image_size, CELL_PX)
        cells = (batch.keypoints_px / CELL_PX).long().flip(2)  # row, column
        flat = torch.zeros(len(images), 21, 3, 1, 1)
        return DetNetOutput(maps, flat, flat, cells, bone_directions(batch.locations), batch.locations)


@pytest.fixture
def hands(labelled: Path) -> LabelledSet:
    return read_freihand(labelled, "training", ReadSettings())


def test_true_answers_come_back_as_the_labels(hands: LabelledSet, tmp_path: Path) -> None:
    """Through crops and back: keypoints to within a cell, joints exactly, and hands about where they are."""
    seen = see(Oracle(hands), dataset_of(hands, SETTINGS, None, inverted=False), SETTINGS)
    cell_px = CELL_PX * hands.sides_px[:, None] / SETTINGS.image_size
    assert (np.abs(seen.keypoints_px - hands.keypoints_px).max(axis=2) <= 0.5 * cell_px + 1e-3).all()
    np.testing.assert_allclose(seen.locations, joint_locations(hands.joints_mm), atol=1e-6)
    assert mean_error_mm(seen, hands) < 1e-3
    scales_mm = np.linalg.norm(hands.joints_mm[:, 10] - hands.joints_mm[:, 9], axis=1)
    absolute_mm = seen.absolute * scales_mm[:, None, None]
    assert np.linalg.norm(absolute_mm - hands.joints_mm, axis=2).max() < 40  # half a metre away, in cells of 4 px
    write_predictions(seen, hands, mean_locations(hands.joints_mm, hands.seen), tmp_path / "predictions.parquet")
    table = read_parquet(tmp_path / "predictions.parquet", PREDICTIONS)
    found = {"predicted_mm": hands.joints_mm, "true_mm": hands.joints_mm, "absolute_mm": absolute_mm}
    for name, expected in found.items():
        np.testing.assert_allclose(keypoints_array(table[name]), expected, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(keypoints_array(table["predicted_px"], 2), seen.keypoints_px, rtol=1e-5)


def test_the_mean_pose_is_over_seen_joints(hands: LabelledSet) -> None:
    seen, joints_mm = hands.seen.copy(), hands.joints_mm.copy()
    seen[2:, 4], joints_mm[2:, 4] = False, np.nan  # the thumb's tip is known of two hands
    seen[:, 20] = False  # and the little finger's of none
    found = mean_locations(joints_mm, seen)
    locations = joint_locations(hands.joints_mm)
    np.testing.assert_allclose(found[4], locations[:2, 4].mean(axis=0))
    np.testing.assert_allclose(found[[0, 9, 12]], locations[:, [0, 9, 12]].mean(axis=0))
    assert not found[20].any()


def test_errors_count_seen_joints_in_millimetres(hands: LabelledSet) -> None:
    seen = hands.seen.copy()
    seen[0, 13:] = False
    partly = replace(hands, seen=seen)
    batch = cut(collate([HandImages(partly, 64)[(0, row)] for row in range(8)]), 64, torch.device("cpu"))
    moved = batch.locations.clone()
    moved[:, 3, 0] += 0.5  # bone lengths
    moved[0, 20] += 100  # not seen
    expected = 0.5 * batch.bone_mm / torch.tensor([13.0] + 7 * [21.0])
    torch.testing.assert_close(errors_mm(moved, batch), expected)
    found = Seen(hands.keypoints_px, joint_locations(hands.joints_mm), hands.joints_mm)
    found.locations[:, 3, 0] += 0.5
    found.locations[0, 20] += 100
    bones = np.linalg.norm(hands.joints_mm[:, 9] - hands.joints_mm[:, 0], axis=1)
    assert mean_error_mm(found, partly) == pytest.approx(0.5 * bones.sum() / seen.sum())


def test_hands_have_the_place_and_size_of_the_true_ones(hands: LabelledSet) -> None:
    np.testing.assert_allclose(in_camera_frame(joint_locations(hands.joints_mm), hands.joints_mm), hands.joints_mm)


class Watching(nn.Module):
    """Says that all keypoints are where it is told, in the crop, and keeps the crops."""

    def __init__(self, cells: Tensor) -> None:
        super().__init__()
        self.cells = cells
        self.images: list[Tensor] = []

    def forward(self, images: Tensor) -> DetNetOutput:
        self.images.append(images)
        count = len(images)
        maps = torch.zeros(count, 21, 16, 16)
        flat, joints = torch.zeros(count, 21, 3, 1, 1), torch.rand(21, 3, generator=torch.Generator().manual_seed(0))
        return DetNetOutput(
            maps,
            flat,
            flat,
            self.cells.expand(count, -1, -1),
            joints.expand(count, -1, -1),
            joints.expand(count, -1, -1),
        )


def test_without_labels_the_second_pass_sees_what_the_first_found(hands: LabelledSet) -> None:
    """Compared with PeCLR's own maps of the two passes."""
    cells = torch.tensor([[2, 3], [12, 13]]).repeat(11, 1)[:21]  # rows and columns
    model = Watching(cells)
    one = hands.subset(np.array([3]))
    dataset = dataset_of(one, SETTINGS, None, inverted=False)
    found = see_unaided(model, dataset, SETTINGS, ALONE)
    side = 64
    first = crop_map(np.array([side / 2 - 0.33 * side / 2] * 2 + [side / 2 + 0.33 * side / 2] * 2), 64)
    crop_px = (cells.flip(1).double().numpy() + 0.5) * CELL_PX
    image_px = (crop_px - first[:2, 2]) / first[0, 0] - 0.5
    box = np.concatenate([image_px.min(axis=0), image_px.max(axis=0)]).astype(int)
    second = crop_map(box + 0.5, 64)
    np.testing.assert_allclose(found.keypoints_px[0], (crop_px - second[:2, 2]) / second[0, 0] - 0.5, atol=1e-3)
    moved = replace(one, centers_px=np.full((1, 2), 5.0))
    watching = Watching(cells)
    see_unaided(watching, dataset_of(moved, SETTINGS, None, inverted=False), SETTINGS, ALONE)
    assert all(torch.equal(*pair) for pair in zip(watching.images, model.images, strict=True))  # labels do not matter


def test_a_first_pass_that_sees_all_in_one_place_is_no_end(hands: LabelledSet) -> None:
    one_cell = torch.full((21, 2), 7)
    found = see_unaided(Watching(one_cell), dataset_of(hands, SETTINGS, None, inverted=False), SETTINGS, ALONE)
    assert np.isfinite(found.keypoints_px).all()


def test_images_that_are_not_square_have_no_middle_third(hands: LabelledSet, tmp_path: Path) -> None:
    (tmp_path / "training/rgb").mkdir(parents=True)
    Image.new("RGB", (80, 60)).save(tmp_path / str(hands.images[0]))
    dataset = dataset_of(replace(hands.subset(np.array([0])), root=tmp_path), SETTINGS, None, inverted=False)
    with pytest.raises(LabelledSetError, match=r"no square image\n.*00000000.jpg\n.*80 x 60"):
        see_unaided(Watching(torch.zeros(21, 2, dtype=torch.long)), dataset, SETTINGS, ALONE)
