"""The official behaviour's views against those that the official code made (h_augment.npz, which is not shipped)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from simhand.pretraining.augment import IMAGENET_STD, Draws, make_views
from simhand.pretraining.official_views import official_geometry, official_images
from simhand.pretraining.opencv_hsv import jitter_hsv
from simhand.pretraining.warp import warp_points

LEVELS = 4  # by which two releases of OpenCV differ


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("h_augment")


class Case(NamedTuple):
    name: str
    crop: Tensor  # uint8 (1, 3, S, S)
    joints: Tensor  # float32 (1, 21, 2), px of the crop
    params: dict[str, Any]
    image: np.ndarray  # the recorded view, uint8 (s, s, 3)


def stored(data: NpzFile, index: int) -> tuple[Tensor, Tensor]:
    crop = torch.from_numpy(data[f"db{index}/image_rgb_u8"]).permute(2, 0, 1).unsqueeze(0)
    return crop, torch.from_numpy(data[f"db{index}/joints3D"][None, :, :2])


@pytest.fixture(scope="module")
def cases(data: NpzFile) -> list[Case]:
    """Every recorded view: aug/<variant>/<index of the hand>."""
    names = [key.removesuffix("/params") for key in data.files if key.startswith("aug/") and key.endswith("/params")]
    assert names
    return [
        Case(
            name,
            *stored(data, int(name.rsplit("/", 1)[1])),
            json.loads(str(data[f"{name}/params"])),
            data[f"{name}/image_u8"],
        )
        for name in names
    ]


def draws_of(params: dict[str, Any]) -> Draws:
    """A recorded view's draws; a step that was off is one that changes nothing, except for colours."""
    numbers = [0.0 if params[name] is None else params[name] for name in ("angle", "crop_margin", "h", "s", "a", "b")]
    angle, margin, *colours = (torch.tensor([number], dtype=torch.float64) for number in numbers)
    return Draws(angle, margin, torch.tensor([params["jitter"]], dtype=torch.float64), *colours)


def recomputed(case: Case) -> tuple[np.ndarray, Tensor, tuple[float, float]]:
    """The view uint8 (s, s, 3), its matrix (1, 2, 3) and the jitter that is stored."""
    draws, size = draws_of(case.params), len(case.image)
    geometry = official_geometry(case.joints, draws.angle_deg, draws.margin, draws.jitter_px, case.crop.shape[-1])
    view = official_images(case.crop, geometry, size)
    if case.params["h"] is not None:
        view = jitter_hsv(view, draws.colours)
    jitter_x, jitter_y = (-geometry.moved_px[0]).tolist()
    return view[0].permute(1, 2, 0).numpy(), geometry.matrices(size), (jitter_x, jitter_y)


def test_images(cases: list[Case]) -> None:
    for case in cases:
        difference = np.abs(recomputed(case)[0].astype(int) - case.image)
        print(f"{case.name}: at most {difference.max()} levels off, {(difference == 0).mean():.4%} equal")
        assert difference.max() <= LEVELS, case.name
        assert (difference == 0).mean() > 0.9, case.name


def test_matrices_and_stored_jitter(cases: list[Case], data: NpzFile) -> None:
    for case in cases:
        _, matrix, jitter = recomputed(case)
        whole = data[f"{case.name}/matrix"]
        np.testing.assert_allclose(matrix[0], whole[:2], rtol=1e-9, atol=1e-9 * np.abs(whole).max(), err_msg=case.name)
        np.testing.assert_array_equal(whole[2], [0, 0, 1])
        assert jitter == (case.params["jitter_x"], case.params["jitter_y"]), case.name


def test_joints(cases: list[Case], data: NpzFile) -> None:
    for case in cases:
        joints = warp_points(case.joints.double(), recomputed(case)[1])[0]
        recorded = data[f"{case.name}/joints"][:, :2]  # float32, which the official code also computed in
        np.testing.assert_allclose(joints, recorded, rtol=0, atol=5e-7 * np.abs(recorded).max(), err_msg=case.name)


def test_views_as_training_makes_them(cases: list[Case], data: NpzFile) -> None:
    """Those in which every step was on, in one batch: images normalised, keypoints, angle and shift."""
    full = [case for case in cases if None not in case.params.values()]
    assert full
    size = len(full[0].image)
    columns = [[getattr(draws_of(case.params), name) for case in full] for name in Draws.__dataclass_fields__]
    draws = Draws(*(torch.cat(column) for column in columns))
    crops, joints = (torch.cat([getattr(case, name) for case in full]) for name in ("crop", "joints"))
    views = make_views(crops, joints, draws, size, "official")
    for row, case in enumerate(full):
        check_image(views.images[row], normalised(case.image))
        recorded = data[f"{case.name}/joints"][:, :2]
        np.testing.assert_allclose(views.keypoints_px[row], recorded, atol=5e-7 * np.abs(recorded).max())
        assert views.angle_deg[row] == case.params["angle"]
        jitter = [case.params["jitter_x"], case.params["jitter_y"]]
        np.testing.assert_allclose(views.shift[row], -np.array(jitter) / size, rtol=1e-6)


@pytest.mark.parametrize("view", [1, 2])
def test_pair_sample(data: NpzFile, view: int) -> None:
    """Hand 1 and its positive, from the crop to what the official training step receives."""
    index = 1 if view == 1 else int(data["db1/positive_idx"])
    names = {"angle": "angle", "crop_margin": "crop_margin_scale", "h": "h", "s": "s", "a": "a", "b": "b"}
    params: dict[str, Any] = {name: data[f"sample_w/{key}_{view}"].item() for name, key in names.items()}
    jitter = [data[f"sample_w/jitter_{axis}_{view}"].item() for axis in "xy"]
    size = int(data[f"sample_w/transformed_image{view}_shape"][-1])
    # What was drawn was not recorded; what is stored leads to the same box, even where that was moved to the border.
    draws = draws_of(params | {"jitter": [-jitter[0], -jitter[1]]})
    made = make_views(*stored(data, index), draws, size, "official")

    assert list(made.images.shape[1:]) == data[f"sample_w/transformed_image{view}_shape"].tolist()
    check_image(made.images[0, :, ::8, ::8], data[f"sample_w/transformed_image{view}_sub8"])
    augmented, original = (data[f"sample_w/joints{view}_{which}"][:, :2] for which in ("aug", "ori"))
    np.testing.assert_allclose(made.keypoints_px[0], augmented, rtol=0, atol=5e-7 * np.abs(augmented).max())
    np.testing.assert_allclose(made.crop_keypoints_px[0], original, rtol=1e-6)
    assert made.angle_deg.item() == params["angle"]
    np.testing.assert_allclose(made.shift[0], -np.array(jitter) / size, rtol=1e-6)


def normalised(image: np.ndarray) -> np.ndarray:
    """ToTensor and Normalize of uint8 (s, s, 3): (3, s, s)."""
    return ((image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)


def check_image(image: Tensor, recorded: np.ndarray) -> None:
    levels = np.abs(image.numpy() - recorded) * 255 * np.reshape(IMAGENET_STD, (3, 1, 1))
    print(f"at most {levels.max():.5f} levels off, {(levels < 0.01).mean():.4%} equal")
    assert levels.max() <= LEVELS + 1e-3
    assert (levels < 0.01).mean() > 0.9
