"""Geometry of DexYCB and AssemblyHands against numbers recorded from the official loaders, and FreiHAND's subsets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.npyio import NpzFile

from simhand.finetuning.assemblyhands import ORDER, hand_boxes_squares, read_assemblyhands
from simhand.finetuning.crops import crop_affine, move
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet, hand_squares, share_of_labels
from simhand.finetuning.settings import ReadSettings

OFFICIAL = ReadSettings(behaviour="official")
PATCH, SIZE = 256, 128
CAMERA = "HMC_21176875"


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("l_ah_dexycb")


def items(data: NpzFile, kind: str) -> list[str]:
    """ah0, ah1, ..., or dy0, ...: however many there are."""
    return sorted({name.split("/")[0] for name in data.files if name.startswith(kind) and "/" in name})


def write_set(root: Path, data: NpzFile) -> None:
    """The recorded hands as a set in AssemblyHands' layout, each of a recording of its own."""
    images, annotations, calibration, joints = [], [], {}, {}
    for number, item in enumerate(items(data, "ah")):
        x, y, width, height = data[f"{item}/bbox_xywh_in"].tolist()
        image = {"id": number, "seq_name": item, "camera": CAMERA, "frame_idx": number, "width": 636, "height": 480}
        images.append(image | {"file_name": f"ego_images_rectified/train/{item}.jpg"})
        valid = data[f"{item}/valid_in"].copy()
        valid[[11, 20]] = 1  # hands without wrist or middle_base are left out, and their geometry is as good
        boxes = {"right": [x, y, x + width, y + height], "left": None}
        annotations.append({"image_id": number, "bbox": boxes, "joint_valid": valid.tolist()})
        pose = {f"{number:06d}": {f"{CAMERA}_mono10bit": data[f"{item}/Rt"].tolist()}}
        calibration[item] = {"intrinsics": {f"{CAMERA}_mono10bit": data[f"{item}/K"].tolist()}, "extrinsics": pose}
        world = data[f"{item}/world"].tolist()
        joints[item] = {f"{number:06d}": {"world_coord": world, "joint_valid": [1] * 42}}
        (root / "images" / "ego_images_rectified" / "train").mkdir(parents=True, exist_ok=True)
        (root / "images" / "ego_images_rectified" / "train" / f"{item}.jpg").touch()
    folder = root / "annotations" / "train"
    folder.mkdir(parents=True)
    for kind, value in (
        ("ego_data", {"images": images, "annotations": annotations}),
        ("ego_calib", {"calibration": calibration}),
        ("joint_3d", {"annotations": joints}),
    ):
        (folder / f"assemblyhands_train_{kind}_v1-1.json").write_text(json.dumps(value))


@pytest.fixture(scope="module")
def hands(data: NpzFile, tmp_path_factory: pytest.TempPathFactory) -> LabelledSet:
    root = tmp_path_factory.mktemp("assemblyhands")
    write_set(root, data)
    return read_assemblyhands(root, "training", OFFICIAL)


def test_the_map_of_joints(data: NpzFile) -> None:
    assert data["ah_joint_map"].tolist() == list(ORDER)


def test_squares_of_assemblyhands(data: NpzFile) -> None:
    for item in items(data, "ah"):
        x, y, width, height = data[f"{item}/bbox_xywh_in"]
        (corner,), (side,) = hand_boxes_squares(np.array([[x, y, x + width, y + height]]))
        np.testing.assert_array_equal([*corner, *(corner + side)], data[f"{item}/crop_xyxy"])
        np.testing.assert_array_equal([0, 0, side, side], data[f"{item}/bbox_after"])
        processed = data[f"{item}/bbox_processed"]
        wide = 1.75 * max(width, height)  # before it is cut to whole pixels
        np.testing.assert_allclose([x + (width - wide) / 2, y + (height - wide) / 2, wide, wide], processed, rtol=1e-12)


def test_joints_of_assemblyhands(data: NpzFile, hands: LabelledSet) -> None:
    for row, item in enumerate(items(data, "ah")):
        place, seen = np.array(ORDER), hands.seen[row]
        np.testing.assert_allclose(
            hands.joints_mm[row, seen], data[f"{item}/joint_cam"][place[seen]], rtol=1e-5, atol=1e-4
        )
        np.testing.assert_allclose(hands.keypoints_px[row, seen], data[f"{item}/joint_img"][place[seen]], rtol=1e-5)
        corner = hands.centers_px[row] - hands.sides_px[row] / 2
        in_crop = hands.keypoints_px[row] - corner
        np.testing.assert_allclose(in_crop[seen], data[f"{item}/joint_img_crop"][place[seen]], rtol=1e-5, atol=1e-4)


def test_which_joints_count_officially(data: NpzFile, hands: LabelledSet) -> None:
    judged = [joint for joint in range(21) if joint not in (0, 9)]
    for row, item in enumerate(items(data, "ah")):
        expected = data[f"{item}/joint_valid_crop"][list(ORDER)].astype(bool)
        np.testing.assert_array_equal(hands.seen[row, judged], expected[judged])


def test_patches_of_assemblyhands(data: NpzFile, hands: LabelledSet) -> None:
    """The official crop, then its patch of 256 pixels, are one map from the image."""
    for row, item in enumerate(items(data, "ah")):
        affine = crop_affine(hands.centers_px[row], hands.sides_px[row], 0.0, PATCH)
        corner = hands.centers_px[row] - hands.sides_px[row] / 2
        from_crop = affine.copy()
        from_crop[:, 2] += affine[:, :2] @ corner
        np.testing.assert_allclose(from_crop, data[f"{item}/patch_trans"], rtol=1e-5, atol=1e-5)
        seen, place = hands.seen[row], np.array(ORDER)
        moved = move(hands.keypoints_px[row, seen], affine)
        np.testing.assert_allclose(moved, data[f"{item}/joint_256"][place[seen]], rtol=1e-5, atol=2e-4)
        camera = hands.cameras[row].copy()
        camera[:2, 2] -= corner
        np.testing.assert_allclose(camera, data[f"{item}/K_crop"], rtol=1e-6)
        np.testing.assert_allclose(affine @ hands.cameras[row], data[f"{item}/K_256"][:2], rtol=1e-5, atol=1e-4)


def test_squares_of_dexycb(data: NpzFile) -> None:
    for item in items(data, "dy"):
        center, side = hand_squares(data[f"{item}/kp2d"][None].astype(np.float64), 1.75)
        np.testing.assert_array_equal(center[0], data[f"{item}/center"])
        assert side[0] == pytest.approx(float(data[f"{item}/scale_1.75"]), rel=1e-6)


def test_crops_of_dexycb(data: NpzFile) -> None:
    for item in items(data, "dy"):
        keypoints = data[f"{item}/kp2d"].astype(np.float64)
        (center,), (side,) = hand_squares(keypoints[None], 1.75)
        affine = crop_affine(center, side, float(data[f"{item}/rot"]), SIZE)
        np.testing.assert_allclose(affine, data[f"{item}/affine"][:2], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(np.trunc(move(keypoints, affine)), data[f"{item}/kp2d_crop_int"])


def test_the_official_images_of_freihand(recording: Callable[[str], NpzFile], tmp_path: Path) -> None:
    """One label is left out; half of the images are the first half."""
    data = recording("g_freihand")
    labels = len(data["K"])
    (tmp_path / "training" / "rgb").mkdir(parents=True)
    for row in range(4 * labels):
        (tmp_path / "training" / "rgb" / f"{row:08d}.jpg").touch()
    for kind in ("K", "xyz"):
        (tmp_path / f"training_{kind}.json").write_text(json.dumps(data[kind].tolist()))
    hands = read_freihand(tmp_path, "training", OFFICIAL)
    assert len(hands) == data[f"len/train_N{labels}_ratio1"]
    half = share_of_labels(hands, 50, 0, first=True)
    numbers = [int(Path(image).stem) for image in half.images]
    assert numbers == data[f"indices/train_N{labels}_ratio0.5"].tolist()
