"""From a labelled set to batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from simhand.finetuning import samples
from simhand.finetuning.crops import crop_affine, move
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet, read_image
from simhand.finetuning.official_views import official_view
from simhand.finetuning.order import Order, Plan
from simhand.finetuning.samples import HandImages, Sample, collate, crop_batch, cut
from simhand.finetuning.settings import ReadSettings
from simhand.pretraining.processes import ALONE
from simhand.unit_hands import bone_lengths, joint_locations

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def hands(labelled: Path) -> LabelledSet:
    return read_freihand(labelled, "training", ReadSettings())


def batch_of(dataset: HandImages, *keys: tuple[int, int]) -> Sample:
    return cut(collate([dataset[key] for key in keys]), dataset.image_size, CPU)


def equal(first: Sample, second: Sample) -> bool:
    return all(torch.equal(*parts) for parts in zip(first, second, strict=True))


def brightness(batch: Sample, shift: int) -> float:
    """Of the image's pixels at the keypoints, moved right and down by `shift` pixels, above the image's mean."""
    side = batch.image.shape[-1]
    x, y = (batch.keypoints_px[0].long() + shift).clamp(0, side - 1).unbind(dim=1)
    return (batch.image[0, :, y, x].mean() - batch.image[0].mean()).item()


def projected(batch: Sample) -> Tensor:
    """Where the crop's camera sees the joints, (B, 21, 2)."""
    joints = batch.locations * batch.bone_mm[:, None, None] + batch.root[:, None]
    homogeneous = joints @ batch.camera.transpose(1, 2)
    return homogeneous[..., :2] / homogeneous[..., 2:]


def test_a_plain_sample(hands: LabelledSet) -> None:
    batch = batch_of(HandImages(hands, 64), (3, 5), (0, 1))
    assert batch.image.shape == (2, 3, 64, 64)
    assert -0.5 <= batch.image.min() < -0.2
    assert 0.3 < batch.image.max() <= 0.5
    scale = 64 / hands.sides_px[5]
    expected = (hands.keypoints_px[5] - hands.centers_px[5]) * scale + 32
    np.testing.assert_allclose(batch.keypoints_px[0], expected, rtol=1e-5)
    np.testing.assert_allclose(batch.locations[0], joint_locations(hands.joints_mm)[5], atol=1e-6)
    bones = [bone_lengths(hands.joints_mm)[5], np.linalg.norm(hands.joints_mm[5, 10] - hands.joints_mm[5, 9])]
    np.testing.assert_allclose([batch.bone_mm[0], batch.scale_mm[0]], bones, rtol=1e-6)
    np.testing.assert_allclose(batch.root[0], hands.joints_mm[5, 0], rtol=1e-6)
    assert batch.seen.all()


@pytest.mark.parametrize("seed", [None, 1])
def test_the_camera_of_a_crop_sees_the_joints_at_the_keypoints(hands: LabelledSet, seed: int | None) -> None:
    batch = batch_of(HandImages(hands, 64, augment_seed=seed), *((2, row) for row in range(8)))
    torch.testing.assert_close(projected(batch), batch.keypoints_px, rtol=0, atol=1e-3)


@pytest.mark.parametrize("row", range(8))
def test_keypoints_stay_on_the_joints_in_random_views(hands: LabelledSet, row: int) -> None:
    batch = batch_of(HandImages(hands, 64, augment_seed=1), (1, row))
    assert brightness(batch, 0) > 2 * brightness(batch, 6)  # the made-up joints are bright dots


def test_a_left_hand_is_seen_mirrored(hands: LabelledSet) -> None:
    """Labels as a reader gives them for a left hand; the image in the file shows it to the other side."""
    width = read_image(hands.root / hands.images[4]).shape[2]
    mirror, cameras = np.array([-1.0, 1, 1]), hands.cameras.copy()
    cameras[:, 0, 2] = width - 1 - cameras[:, 0, 2]
    keypoints, centers = hands.keypoints_px.copy(), hands.centers_px.copy()
    keypoints[..., 0], centers[:, 0] = width - 1 - keypoints[..., 0], width - 1 - centers[:, 0]
    left = replace(
        hands,
        flipped=np.ones(8, dtype=bool),
        joints_mm=hands.joints_mm * mirror,
        keypoints_px=keypoints,
        cameras=cameras,
        centers_px=centers,
    )
    plain, mirrored = (batch_of(HandImages(each, 64), (0, 4)) for each in (hands, left))
    torch.testing.assert_close(mirrored.image, plain.image.flip(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(mirrored.keypoints_px[..., 0], 64 - plain.keypoints_px[..., 0])
    torch.testing.assert_close(projected(mirrored), mirrored.keypoints_px, rtol=0, atol=1e-3)


def test_joints_turn_with_the_keypoints(hands: LabelledSet) -> None:
    plain, turned = batch_of(HandImages(hands, 64), (1, 2)), batch_of(HandImages(hands, 64, augment_seed=3), (1, 2))

    def direction(points: Tensor) -> float:
        return float(np.arctan2(*(points[0, 9] - points[0, 0])[[1, 0]].tolist()))

    turn = direction(turned.keypoints_px) - direction(plain.keypoints_px)
    assert abs(turn) > 0.1
    joint_turn = direction(turned.locations) - direction(plain.locations)
    assert np.cos(joint_turn - turn) == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(turned.locations[..., 2], plain.locations[..., 2])


def test_what_is_not_seen_is_nowhere(hands: LabelledSet) -> None:
    seen = hands.seen.copy()
    seen[3, [4, 8]] = False
    joints, keypoints = hands.joints_mm.copy(), hands.keypoints_px.copy()
    joints[3, 4], keypoints[3, 4] = np.nan, np.nan  # not known at all; joint 8 is known, but outside the image
    partly = replace(hands, seen=seen, joints_mm=joints, keypoints_px=keypoints)
    for seed in (None, 0):
        batch = batch_of(HandImages(partly, 32, augment_seed=seed), (0, 3))
        assert (~batch.seen[0]).nonzero().flatten().tolist() == [4, 8]
        assert not batch.keypoints_px[0, [4, 8]].any()
        assert not batch.locations[0, [4, 8]].any()
        assert torch.isfinite(batch.locations).all()


def test_views_depend_on_seed_epoch_and_row_alone(hands: LabelledSet) -> None:
    dataset = HandImages(hands, 32, augment_seed=0)
    first = batch_of(dataset, (2, 4))
    assert equal(batch_of(dataset, (2, 4)), first)
    in_company = batch_of(dataset, (1, 1), (2, 4), (0, 3))
    torch.testing.assert_close(in_company.image[1], first.image[0], rtol=0, atol=1e-6)
    for other in (batch_of(HandImages(hands, 32, augment_seed=1), (2, 4)), batch_of(dataset, (3, 4))):
        assert not torch.equal(other.keypoints_px, first.keypoints_px)


def test_only_what_a_view_needs_is_handed_over(hands: LabelledSet) -> None:
    """The crop is that of the whole image all the same."""
    small = replace(hands, sides_px=np.full(8, 16.0), centers_px=np.tile([20.0, 40.0], (8, 1)))
    part = HandImages(small, 32)[(0, 1)]
    assert part.pixels.shape[1:] == (
        21,
        21,
    )  # 16, and 4 of the crop to each side; cut at half pixels
    whole = read_image(hands.root / hands.images[1])
    affine = crop_affine(np.array([20.5, 40.5]), 16.0, 0.0, 32)
    expected = crop_batch([torch.nn.functional.pad(whole, (0, 9, 0, 9))], affine[None], 32)
    torch.testing.assert_close(cut(collate([part]), 32, CPU).image, expected, rtol=0, atol=1e-5)


def test_a_square_beyond_the_image_is_black(hands: LabelledSet) -> None:
    outside = replace(hands, centers_px=np.full((8, 2), 500.0), sides_px=np.full(8, 30.0))
    assert (batch_of(HandImages(outside, 32), (0, 0)).image == -0.5).all()


def test_shrinking_smooths(hands: LabelledSet, tmp_path: Path) -> None:
    """A chequerboard of single pixels, shrunk to a third, is grey; nearest neighbours would leave black and white."""
    board = torch.tensor(np.indices((96, 96)).sum(axis=0) % 2 * 255, dtype=torch.uint8).expand(3, -1, -1)
    crop = crop_batch([board], crop_affine(np.array([48.0, 48.0]), 90.0, 0.0, 32)[None], 32)
    assert (crop[..., 2:-2, 2:-2]).abs().max() < 0.1


@pytest.mark.parametrize("inverted", [False, True])
def test_official_crops_are_those_of_the_official_loader(hands: LabelledSet, inverted: bool) -> None:
    dataset = HandImages(hands, 32, augment_seed=0, official=True, inverted=inverted)
    batch = batch_of(dataset, (1, 2), (1, 3))
    view = dataset.view(1, 3)
    expected = official_view(read_image(hands.root / hands.images[3]), view, 32, inverted=inverted)
    torch.testing.assert_close(batch.image[1], expected / 255 - 0.5, rtol=0, atol=1e-6)
    affine = crop_affine(view.center_px, view.side_px, view.rotation_rad, 32)
    np.testing.assert_allclose(batch.keypoints_px[1], move(hands.keypoints_px[3], affine), atol=1e-4)


def test_workers_change_nothing_and_each_image_is_decoded_once_a_step(
    hands: LabelledSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, plan = HandImages(hands, 32, augment_seed=0), Plan(8, 3, 2)
    decoded: list[Path] = []

    def counting(path: Path) -> Tensor:
        decoded.append(path)
        return read_image(path)

    monkeypatch.setattr(samples, "read_image", counting)
    batches = [
        [cut(parts, 32, CPU) for parts in DataLoader(dataset, batch_sampler=order, num_workers=n, collate_fn=collate)]
        for n in (0, 1)
        for order in [Order(plan, 0, 0, ALONE)]
    ]
    assert [len(batch.image) for batch in batches[0]] == [3, 3, 2, 3, 3, 2]
    assert all(equal(*pair) for pair in zip(*batches, strict=True))
    assert sorted(decoded) == sorted(2 * [hands.root / image for image in hands.images])
