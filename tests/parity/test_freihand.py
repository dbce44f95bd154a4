"""Crops and targets against numbers recorded from the official loader (g_freihand.npz, which is not shipped)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from simhand.finetuning.augment import View
from simhand.finetuning.crops import crop_affine, move, rotation
from simhand.finetuning.detnet import STRIDE
from simhand.finetuning.labelled import hand_squares, project
from simhand.finetuning.official_views import official_affine, official_view
from simhand.finetuning.samples import crop_batch
from simhand.finetuning.targets import bone_directions, heatmaps
from simhand.unit_hands import joint_locations

CROP_FACTOR = 2.0
FLOAT32 = 1e-5  # which the official loader computes in


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("g_freihand")


@pytest.fixture(scope="module")
def samples(data: NpzFile) -> list[int]:
    """The recorded images' numbers."""
    return [int(key.split("/")[0].removeprefix("sample")) for key in data.files if key.endswith("/my_scale")]


@pytest.fixture(scope="module")
def items(data: NpzFile) -> list[str]:
    """The recorded views: test0, ..., train0, ..."""
    found = [key.split("/")[0] for key in data.files if key.endswith("/clr_true_u8")]
    assert any(item.startswith("train") for item in found)
    assert any(item.startswith("test") for item in found)
    return found


@pytest.fixture(scope="module")
def size(data: NpzFile) -> int:
    return data["test0/clr_true_u8"].shape[-1]


@pytest.fixture(scope="module")
def image(data: NpzFile) -> Tensor:
    return torch.from_numpy(data["image_rgb_u8"]).permute(2, 0, 1)


def close(found: Tensor | np.ndarray, recorded: np.ndarray, what: str) -> None:
    """Equal up to float32, as a share of the recording's greatest value."""
    found = np.asarray(found)
    assert found.shape == recorded.shape
    np.testing.assert_allclose(found, recorded, rtol=0, atol=FLOAT32 * np.abs(recorded).max(), err_msg=what)


def view_of(data: NpzFile, item: str) -> View:
    """Without changes of colour, as recorded."""
    return View(data[f"{item}/center"], float(data[f"{item}/scale"]), float(data[f"{item}/rot"]), ())


def keypoints_of(data: NpzFile, item: str) -> np.ndarray:
    """In the image, (21, 2)."""
    return data[f"{item}/kp2d" if item.startswith("train") else f"{sample_of(item)}/kp2d"].astype(np.float64)


def sample_of(item: str) -> str:
    return f"sample{item.removeprefix('test')}"


def row_of(data: NpzFile, item: str) -> int:
    """Of the hand that a view shows."""
    if item.startswith("test"):
        return int(item.removeprefix("test"))
    return int(np.abs(data["xyz"] - data[f"{item}/xyz_in"]).sum(axis=(1, 2)).argmin())


def test_keypoints_and_squares(data: NpzFile, samples: list[int]) -> None:
    for row in samples:
        keypoints = project(data["xyz"][[row]], data["K"][[row]])
        close(keypoints[0], data[f"sample{row}/kp2d"], f"sample{row}")
        center, side = hand_squares(keypoints, CROP_FACTOR)
        np.testing.assert_array_equal(center[0], data[f"sample{row}/center"])
        assert side[0] == pytest.approx(float(data[f"sample{row}/my_scale"]), rel=FLOAT32)


def test_evaluation_sees_the_squares_themselves(data: NpzFile, items: list[str]) -> None:
    for item in items:
        if item.startswith("test"):
            np.testing.assert_array_equal(data[f"{item}/center"], data[f"{sample_of(item)}/center"])
            assert data[f"{item}/scale"] == data[f"{sample_of(item)}/my_scale"]
            assert data[f"{item}/rot"] == 0


def test_training_hands_are_projected_by_their_cameras(data: NpzFile, items: list[str]) -> None:
    for item in items:
        if item.startswith("train"):
            row = row_of(data, item)
            close(data["xyz"][row], data[f"{item}/xyz_in"], item)
            close(project(data["xyz"][[row]], data["K"][[row]])[0], data[f"{item}/kp2d"], item)


def test_affine_maps(data: NpzFile, items: list[str], size: int) -> None:
    for item in items:
        view, recorded = view_of(data, item), data[f"{item}/affine"]
        np.testing.assert_array_equal(official_affine(view, size), recorded, err_msg=item)
        close(crop_affine(view.center_px, view.side_px, view.rotation_rad, size), recorded[:2], item)
        axis = data["K"][row_of(data, item), :2, 2]  # about which the centre of a map is turned that nothing uses
        center = axis + rotation(view.rotation_rad) @ (view.center_px - axis)
        close(crop_affine(center, view.side_px, 0.0, size), data[f"{item}/affine_postrot"][:2], item)


def cropped_keypoints(data: NpzFile, item: str, size: int) -> np.ndarray:
    """In the crop, (21, 2)."""
    return move(keypoints_of(data, item), official_affine(view_of(data, item), size)[:2].astype(np.float64))


def test_keypoints_in_crops(data: NpzFile, items: list[str], size: int) -> None:
    for item in items:
        whole = np.trunc(cropped_keypoints(data, item, size))
        np.testing.assert_array_equal(whole, data[f"{item}/kp2d_crop_int"], err_msg=item)


def test_heatmaps(data: NpzFile, items: list[str], size: int) -> None:
    for item in items:
        keypoints = torch.from_numpy(cropped_keypoints(data, item, size))[None]
        maps, veil = heatmaps(keypoints, size, STRIDE)
        np.testing.assert_allclose(maps[0], data[f"{item}/hm"], rtol=0, atol=1e-7, err_msg=item)
        np.testing.assert_array_equal(veil[0], data[f"{item}/hm_veil"], err_msg=item)


def test_locations_and_directions(data: NpzFile, items: list[str]) -> None:
    for item in items:
        locations = joint_locations(data[f"{item}/joint"].astype(np.float64)[None])
        close(locations[0], data[f"{item}/location"], item)
        close(bone_directions(torch.from_numpy(locations))[0], data[f"{item}/delta"], item)


def test_joints_turn_with_the_image(data: NpzFile, items: list[str]) -> None:
    for item in items:
        turned = data["xyz"][row_of(data, item)]
        turned[:, :2] = turned[:, :2] @ rotation(float(data[f"{item}/rot"])).T
        close(turned, data[f"{item}/joint"], item)


def test_official_views(data: NpzFile, items: list[str], image: Tensor, size: int) -> None:
    """Every pixel; what was recorded with its colours turned over is so here."""
    for item in items:
        found = official_view(image, view_of(data, item), size, inverted=False)
        np.testing.assert_array_equal(found, data[f"{item}/clr_true_u8"], err_msg=item)
    inverted = [key.split("/")[0] for key in data.files if key.endswith("/clr_official")]
    assert inverted
    for item in inverted:
        found = official_view(image, view_of(data, item), size, inverted=True)
        np.testing.assert_array_equal(found, data[f"{item}/clr_official"], err_msg=item)


def test_default_views_show_the_same(data: NpzFile, items: list[str], image: Tensor, size: int) -> None:
    """Smoothed, but nowhere moved: half a pixel to any side, they are less like the official ones."""
    for item in items:
        view = view_of(data, item)
        affine = crop_affine(view.center_px, view.side_px, view.rotation_rad, size)
        shifts = np.array([[0, 0], [0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
        moved = np.stack([np.column_stack([affine[:, :2], affine[:, 2] + shift]) for shift in shifts])
        crops = 255 * (crop_batch([image] * len(shifts), moved, size).numpy() + 0.5)
        differences = np.abs(crops - data[f"{item}/clr_true_u8"]).mean(axis=(1, 2, 3))
        assert differences.argmin() == 0, (item, differences)
