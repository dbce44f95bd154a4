"""2.5D keypoints and PeCLR's protocol against numbers recorded from PeCLR's code (k_peclr25d.npz)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.lib.npyio import NpzFile
from torch import Tensor

from simhand.finetuning.joint_orders import AIT, FROM_AIT, MANO
from simhand.finetuning.peclr_protocol import CROP_PX, box_of_keypoints, crop_map, first_box, wrist_from_palm
from simhand.finetuning.regression25d import Regression25d, RootDepth, or_default, output_of, predict_regression25d
from simhand.finetuning.samples import Sample
from simhand.finetuning.two_and_a_half import from_25d, rays, root_depths, to_25d
from simhand.joints import JOINTS
from tests.parity.closed_form import filled, recorded_seed, shapes_of

GAINS = {"zroot_ref.6": 0.3}
DATA_BONE = (JOINTS.index("wrist"), JOINTS.index("index_base"))  # PeCLR's unit where it makes 2.5D labels
DATA_LEAST = 1e-6  # of what it divides by there
FLOAT64, FLOAT32 = 1e-9, 1e-5
CASES = {"rn25d": True, "rn25d_defaultK": False}  # whether the camera is known


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("k_peclr25d")


def value(data: NpzFile, name: str) -> Tensor:
    """A recorded array, its joints in simhand's order if it has any."""
    array = torch.from_numpy(data[name])
    return array[:, list(FROM_AIT)] if array.ndim == 3 and array.shape[1] == len(JOINTS) else array


def close(found: Tensor | np.ndarray, recorded: Tensor | np.ndarray, tolerance: float) -> None:
    """Equal up to a share of the recording's greatest value."""
    found, recorded = np.asarray(found), np.asarray(recorded)
    assert found.shape == recorded.shape
    scale = np.abs(recorded).max()
    print(f"off by {np.abs(found - recorded).max() / scale:.1e} of the greatest value")
    np.testing.assert_allclose(found, recorded, rtol=0, atol=tolerance * scale)


def test_orders_of_joints(data: NpzFile) -> None:
    assert data["ait_from_freihand_index"].tolist() == list(AIT)
    assert data["freihand_from_ait_index"].tolist() == list(FROM_AIT)
    assert data["mano_ait_index"].tolist() == [MANO.index(joint) for joint in AIT]
    close(value(data, "xyz_ait"), data["convert_order"], FLOAT64)


def test_25d_keypoints(data: NpzFile) -> None:
    keypoints, lengths = to_25d(value(data, "xyz_ait"), value(data, "K"), DATA_BONE)
    close(keypoints, value(data, "kp25d"), FLOAT64)
    close(lengths, data["scale"], FLOAT64)


@pytest.mark.parametrize("noise", ["", "_noisy"])
def test_joints_from_25d_keypoints(data: NpzFile, noise: str) -> None:
    keypoints = value(data, f"kp25d{noise}")
    lines = rays(keypoints[..., :2], value(data, "K"))
    roots = root_depths(lines, keypoints[..., 2], DATA_BONE, DATA_LEAST)
    joints = from_25d(lines, keypoints[..., 2], roots) * value(data, "scale")[:, None, None]
    close(joints, value(data, f"xyz_from_25d{noise}"), FLOAT64)
    if not noise:
        close(joints, value(data, "xyz_ait"), FLOAT64)


@pytest.fixture(scope="module")
def refine(data: NpzFile, recording_file: Callable[[str], Path]) -> RootDepth:
    """With the recording's closed-form weights."""
    shapes = shapes_of(str(data["zroot_keys_json"]))
    module = RootDepth().eval()
    module.load_state_dict(filled(shapes, recorded_seed(recording_file, "k_peclr25d"), GAINS))
    return module


@pytest.mark.parametrize("case", CASES)
def test_the_head(data: NpzFile, refine: RootDepth, case: str) -> None:
    """What the ResNet says being replaced by the recorded keypoints."""
    keypoints = torch.from_numpy(data["kp25d_noisy"]).float()
    values = torch.cat([keypoints.flatten(1), torch.zeros(len(keypoints), 1)], dim=1)
    output = output_of(values, refine)
    batch = batch_of(value(data, "K").float() if CASES[case] else torch.full((len(keypoints), 3, 3), torch.nan))
    with torch.no_grad():
        found = predict_regression25d(output, batch)
    close(found.absolute, value(data, f"{case}/kp3d"), FLOAT32)
    close(found.keypoints_px, value(data, f"{case}/kp2d"), FLOAT32)
    close(output.depths[..., None], value(data, f"{case}/zrel"), FLOAT32)
    close(torch.cat([output.keypoints_px, output.depths[..., None]], dim=2), value(data, f"{case}/kp25d"), FLOAT32)


def batch_of(cameras: Tensor) -> Sample:
    """PeCLR's crops seen by these cameras; nothing else of it is looked at."""
    nothing = torch.empty(0)
    images = torch.empty(len(cameras), 3, CROP_PX, CROP_PX)
    return Sample(images, nothing, nothing, nothing, cameras, nothing, nothing, nothing)


def test_names_are_peclrs(data: NpzFile) -> None:
    """So that its fine-tuned models load as they are."""
    model = Regression25d(torchvision.models.resnet18(weights=None), CROP_PX)
    shapes = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    own = {key.removeprefix("zroot_ref."): shape for key, shape in shapes.items() if key.startswith("zroot_ref.")}
    assert own == shapes_of(str(data["zroot_keys_json"]))
    assert shapes["backend_model.fc.weight"] == (64, 512)
    assert {key.split(".")[0] for key in shapes} == {"zroot_ref", "backend_model"}


def test_the_first_crop(data: NpzFile) -> None:
    close(crop_map(first_box()), data["T_initial"], FLOAT64)


def test_boxes_and_their_crops(data: NpzFile) -> None:
    """The recorded boxes are those of the noisy keypoints."""
    boxes = np.array([box_of_keypoints(keypoints[:, :2]) for keypoints in data["kp25d_noisy"]])
    np.testing.assert_array_equal(boxes, data["bbox_from_pose"])
    close(np.array([crop_map(box) for box in boxes]), data["T_from_bbox"], FLOAT64)


def test_wrists_from_palms(data: NpzFile) -> None:
    close(wrist_from_palm(value(data, "xyz_ait").numpy()), value(data, "palm_to_wrist"), FLOAT64)


def test_an_unknown_camera_is_an_average_one_for_the_size_of_the_crop() -> None:
    known = torch.eye(3)
    found = or_default(torch.stack([known, known.clone().fill_diagonal_(torch.nan)]), 112)
    torch.testing.assert_close(found[0], known)
    average = torch.tensor([[388.90 / 2, 0, 56], [0, 388.71 / 2, 56], [0, 0, 1]])
    torch.testing.assert_close(found[1], average, atol=0.01, rtol=0)
