"""Crops and targets against numbers recorded from the official loader (g_freihand.npz, which is not shipped)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile

from simhand.finetuning.crops import crop_affine, cut, move, rotation
from simhand.finetuning.labelled import hand_squares, project
from simhand.finetuning.targets import bone_directions, heatmaps, joint_locations

SAMPLES = ["sample0", "sample1", "sample2"]
ITEMS = ["test0", "test1", "test2", "train0", "train1", "train2", "train3"]
SIZE = 128


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("g_freihand")


def affine_of(data: NpzFile, item: str) -> np.ndarray:
    center, scale, turn = (data[f"{item}/{name}"] for name in ("center", "scale", "rot"))
    return crop_affine(center, float(scale), float(turn), SIZE)


def keypoints_of(data: NpzFile, item: str) -> np.ndarray:
    """In the image, (21, 2)."""
    return data[f"{item}/kp2d" if item.startswith("train") else f"sample{item[-1]}/kp2d"].astype(np.float64)


@pytest.mark.parametrize("sample", SAMPLES)
def test_keypoints_and_squares(data: NpzFile, sample: str) -> None:
    row = int(sample[-1])
    keypoints = project(data["xyz"][[row]], data["K"][[row]])
    np.testing.assert_allclose(keypoints[0], data[f"{sample}/kp2d"], atol=2e-5)
    center, side = hand_squares(keypoints, 2.0)
    np.testing.assert_array_equal(center[0], data[f"{sample}/center"])
    assert side[0] == pytest.approx(float(data[f"{sample}/my_scale"]), rel=1e-6)


@pytest.mark.parametrize("item", ITEMS)
def test_affine_map(data: NpzFile, item: str) -> None:
    affine = affine_of(data, item)
    np.testing.assert_allclose(affine, data[f"{item}/affine"][:2], rtol=1e-5, atol=1e-5)
    keypoints = move(keypoints_of(data, item), affine)
    np.testing.assert_array_equal(np.trunc(keypoints), data[f"{item}/kp2d_crop_int"])


@pytest.mark.parametrize("item", ITEMS)
def test_heatmaps(data: NpzFile, item: str) -> None:
    keypoints = move(keypoints_of(data, item), affine_of(data, item))
    maps, veil = heatmaps(torch.from_numpy(keypoints)[None], SIZE, 4)
    np.testing.assert_allclose(maps[0], data[f"{item}/hm"], atol=1e-7)
    np.testing.assert_array_equal(veil[0], data[f"{item}/hm_veil"])


@pytest.mark.parametrize("item", ITEMS)
def test_locations_and_directions(data: NpzFile, item: str) -> None:
    joints = data[f"{item}/joint"].astype(np.float64)[None]
    locations = joint_locations(joints)
    np.testing.assert_allclose(locations[0], data[f"{item}/location"], atol=5e-7)
    directions = bone_directions(torch.from_numpy(locations))
    np.testing.assert_allclose(directions[0], data[f"{item}/delta"], atol=5e-7)


@pytest.mark.parametrize("item", [item for item in ITEMS if item.startswith("train")])
def test_joints_turn_with_the_image(data: NpzFile, item: str) -> None:
    turned = data[f"{item}/xyz_in"].astype(np.float64)
    turned[:, :2] = turned[:, :2] @ rotation(float(data[f"{item}/rot"])).T
    np.testing.assert_allclose(turned, data[f"{item}/joint"], atol=1e-7)


@pytest.mark.parametrize("item", ITEMS)
def test_crops(data: NpzFile, item: str) -> None:
    image = torch.from_numpy(data["image_rgb_u8"]).permute(2, 0, 1)
    expected = data[f"{item}/clr_true_u8"].astype(np.float64)
    affine = affine_of(data, item)
    nearest = 255 * cut(image, affine, SIZE, mode="nearest").double().numpy()
    assert (np.abs(nearest - expected) < 0.5).mean() > 0.999  # between two pixels, rounding may choose the other one
    bilinear = 255 * cut(image, affine, SIZE).double().numpy()
    half_a_pixel = np.array([[0, 0, 0.5], [0, 0, 0]])
    shifted = 255 * cut(image, affine + half_a_pixel, SIZE).double().numpy()
    assert np.abs(bilinear - expected).mean() < 1.5
    assert np.abs(shifted - expected).mean() > 2
