"""From a labelled set to batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet
from simhand.finetuning.samples import Batches, EpochOrder, HandDataset, Sample
from simhand.finetuning.targets import bone_lengths, joint_locations


@pytest.fixture(scope="module")
def hands(labelled: Path) -> LabelledSet:
    return read_freihand(labelled, "training")


def equal(first: Sample, second: Sample) -> bool:
    return all(torch.equal(*parts) for parts in zip(first, second, strict=True))


def brightness(sample: Sample, shift: int) -> float:
    """Of the image's pixels at the keypoints, moved right and down by `shift` pixels, above the image's mean."""
    x, y = (sample.keypoints_px.long() + shift).clamp(0, 63).unbind(dim=1)
    return (sample.image[:, y, x].mean() - sample.image.mean()).item()


def test_a_plain_sample(hands: LabelledSet) -> None:
    sample = HandDataset(hands, 64)[(3, 5)]
    assert sample.image.shape == (3, 64, 64)
    assert -0.5 <= sample.image.min() < -0.2
    assert 0.3 < sample.image.max() <= 0.5
    scale = 64 / hands.sides_px[5]
    expected = (hands.keypoints_px[5] - hands.centers_px[5]) * scale + 32
    np.testing.assert_allclose(sample.keypoints_px, expected, rtol=1e-5)
    np.testing.assert_allclose(sample.locations, joint_locations(hands.joints_mm)[5], atol=1e-6)
    assert sample.bone_mm.item() == pytest.approx(bone_lengths(hands.joints_mm)[5])
    assert sample.labelled


@pytest.mark.parametrize("row", range(8))
def test_keypoints_stay_on_the_joints_in_random_views(hands: LabelledSet, row: int) -> None:
    sample = HandDataset(hands, 64, augment_seed=1)[(1, row)]
    assert brightness(sample, 0) > 2 * brightness(sample, 6)  # the made-up joints are bright dots


def test_joints_turn_with_the_keypoints(hands: LabelledSet) -> None:
    plain, turned = HandDataset(hands, 64)[(1, 2)], HandDataset(hands, 64, augment_seed=3)[(1, 2)]

    def direction(points: torch.Tensor) -> float:
        return float(np.arctan2(*(points[9] - points[0])[[1, 0]].tolist()))

    turn = direction(turned.keypoints_px) - direction(plain.keypoints_px)
    assert abs(turn) > 0.1
    joint_turn = direction(turned.locations) - direction(plain.locations)
    assert np.cos(joint_turn - turn) == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(turned.locations[:, 2], plain.locations[:, 2])


def test_views_depend_on_seed_epoch_and_row_alone(hands: LabelledSet) -> None:
    dataset = HandDataset(hands, 32, augment_seed=0)
    first = dataset[(2, 4)]
    dataset[(1, 1)]
    assert equal(dataset[(2, 4)], first)
    for other in (HandDataset(hands, 32, augment_seed=1)[(2, 4)], dataset[(3, 4)]):
        assert not torch.equal(other.keypoints_px, first.keypoints_px)


def test_every_epoch_has_all_rows_in_an_order_of_its_own() -> None:
    order = EpochOrder(50, shuffle_seed=0)
    orders = []
    for epoch in (1, 2, 1):
        order.epoch = epoch
        keys = list(order)
        assert {key[0] for key in keys} == {epoch}
        orders.append([row for _, row in keys])
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    assert [row for _, row in EpochOrder(5, shuffle_seed=None)] == list(range(5))


def test_workers_change_nothing(hands: LabelledSet) -> None:
    dataset = HandDataset(hands, 32, augment_seed=0)
    alone, helped = (Batches(dataset, 3, workers, shuffle_seed=0) for workers in (0, 1))
    for epoch in (1, 2):
        batches = list(zip(alone.epoch(epoch), helped.epoch(epoch), strict=True))
        assert [len(batch.image) for batch, _ in batches] == [3, 3, 2]
        assert all(equal(*pair) for pair in batches)
