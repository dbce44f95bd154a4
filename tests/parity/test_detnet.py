"""DetNet and its losses against numbers recorded from the official code (d_detnet.npz, which is not shipped).

Forward passes agree to 1e-5 of each array's greatest value, though sums of thousands of float32 products are added up
in another order here; losses and gradients to 1e-5 in float32, and to 1e-9 in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from simhand.finetuning.detnet import STRIDE, DetNet, DetNetOutput, build_detnet
from simhand.finetuning.losses import detnet_losses, heatmap_loss, map_loss
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import heatmaps
from tests.parity.closed_form import Shapes, filled, recorded_seed, shapes_of

ENCODERS = {"r50": "resnet50", "r50star": "resnet50_dilated"}  # by the recordings' names
PARAMETERS = {"r50": 36_059_859, "r50star": 12_967_635}
GAINS = {"deconv.0.": 0.5**0.5, "deconv.": 2.0, ".prediction.": 0.25}
CLEAR = 1e-4  # between the two greatest values of a heat map: elsewhere rounding may decide between their cells
MAPS = ("h_map", "d_map", "l_map")
WEIGHTS = {"heatmap_weight": 100, "direction_weight": 1, "location_weight": 10}
PRECISIONS = pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("f64", 1e-9)])


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("d_detnet")


@pytest.fixture(scope="module", params=ENCODERS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def shapes(name: str, recording_file: Callable[[str], Path]) -> Shapes:
    return shapes_of(recording_file(f"d_detnet_{name}_keys.json").read_text())


@pytest.fixture(scope="module")
def model(name: str, shapes: Shapes, recording_file: Callable[[str], Path], data: NpzFile) -> DetNet:
    weights = filled(shapes, recorded_seed(recording_file, "d_detnet"), GAINS)
    checks = [key for key in data.files if key.startswith(f"{name}/check/")]
    assert checks
    for key in checks:
        recorded = data[key]
        own = weights[key.removeprefix(f"{name}/check/")].flatten()[: recorded.size]
        np.testing.assert_allclose(own, recorded.reshape(-1), rtol=1e-6)
    model = build_detnet(FinetuningSettings(encoder=ENCODERS[name])).eval()
    model.load_state_dict(weights)
    return model


@pytest.fixture(scope="module")
def images(name: str, data: NpzFile) -> Tensor:
    return torch.from_numpy(data[f"{name}/input_u8"]).float() / 255 - 0.5


@pytest.fixture(scope="module")
def output(model: DetNet, images: Tensor) -> DetNetOutput:
    with torch.no_grad():
        return model(images)


def close(found: Tensor | np.ndarray, recorded: np.ndarray, tolerance: float = 1e-5) -> None:
    """Equal up to a share of the recording's greatest value."""
    found = np.asarray(found)
    assert found.shape == recorded.shape
    scale = np.abs(recorded).max()
    print(f"off by {np.abs(found - recorded).max() / scale:.1e} of the greatest value")
    np.testing.assert_allclose(found, recorded, rtol=0, atol=tolerance * scale)


def test_names_and_shapes_are_the_official_ones(name: str, shapes: Shapes) -> None:
    model = build_detnet(FinetuningSettings(encoder=ENCODERS[name]))
    assert {key: tuple(value.shape) for key, value in model.state_dict().items()} == shapes
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[name]


def test_encoder(name: str, model: DetNet, images: Tensor, data: NpzFile) -> None:
    recorded = data[f"{name}/encoder_feat_img0_ch0_64"]
    with torch.no_grad():
        features = model.encoder(images[:1])[0, : len(recorded)]
    close(features, recorded)


def test_maps(name: str, output: DetNetOutput, data: NpzFile) -> None:
    close(output.heatmaps, data[f"{name}/h_map"])
    close(output.direction_maps[0], data[f"{name}/d_map_img0"])
    close(output.location_maps[0], data[f"{name}/l_map_img0"])


def test_joints_at_their_own_peaks(name: str, output: DetNetOutput, data: NpzFile) -> None:
    two = output.heatmaps.flatten(2).topk(2, dim=2).values
    np.testing.assert_allclose(two[..., 0] - two[..., 1], data[f"{name}/argmax_gap"], rtol=0, atol=2e-5)
    clear = data[f"{name}/argmax_gap"] > CLEAR
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(output.cells[clear], data[f"{name}/uv"][clear])
    close(output.directions[clear], data[f"{name}/delta"][clear])
    close(output.locations[clear], data[f"{name}/xyz"][clear])


def test_recorded_target_heatmaps(data: NpzFile) -> None:
    """Their centres are given as cells, so the truncation of pixels has no part here."""
    cells = torch.from_numpy(data["loss/hm_center_uv"]).double()
    maps, veil = heatmaps(cells * STRIDE, image_size=STRIDE * data["loss/hm"].shape[-1], stride=STRIDE)
    np.testing.assert_allclose(maps, data["loss/hm"], rtol=0, atol=1e-7)
    np.testing.assert_array_equal(veil, data["loss/veil"])


class Recorded:
    """The inputs of the recorded losses, in one precision."""

    def __init__(self, data: NpzFile, precision: str) -> None:
        self.data = data
        self.dtype = {"f32": torch.float32, "f64": torch.float64}[precision]
        self.maps = {name: self.value(f"pred_{name}").requires_grad_() for name in MAPS}
        self.labelled = torch.from_numpy(data["loss/flag_3d"]).bool()

    def value(self, name: str) -> Tensor:
        return torch.from_numpy(self.data[f"loss/{name}"]).to(self.dtype)

    def losses(self) -> dict[str, Tensor]:
        hm = self.value("hm")
        return {
            "det_hm": heatmap_loss(self.maps["h_map"], hm, self.value("veil")),
            "det_dm": map_loss(self.maps["d_map"], self.value("target_d"), hm, self.labelled),
            "det_lm": map_loss(self.maps["l_map"], self.value("target_l"), hm, self.labelled),
        }


@PRECISIONS
def test_losses_and_gradients(data: NpzFile, precision: str, tolerance: float) -> None:
    case = Recorded(data, precision)
    losses = case.losses()
    heatmap, direction, location = losses.values()
    losses["total"] = losses["det_total"] = 100 * heatmap + 1 * direction + 10 * location
    losses["total_defaultweights"] = 100 * heatmap + 1 * direction + 1 * location
    for key, loss in losses.items():
        assert loss.item() == pytest.approx(data[f"loss/{key}_{precision}"].item(), rel=tolerance), key
    assert int(case.labelled.sum()) == data["loss/batch_3d_size"]

    losses["total"].backward()
    for key, map_ in case.maps.items():
        assert map_.grad is not None
        norm = data[f"loss/gradnorm_{key}_{precision}"].item()
        assert map_.grad.norm().item() == pytest.approx(norm, rel=tolerance)
        close(map_.grad[0, 5], data[f"loss/grad_{key}_b0j5_{precision}"], tolerance)


def test_the_loss_of_a_batch(data: NpzFile) -> None:
    """The one function that training calls, on the images with 3D labels as if no others were in the batch.

    The recorded directions are made up, not those of the recorded locations: their loss has no part here. Recorded heat
    maps are float32.
    """
    precision, tolerance = "f32", 1e-5
    case = Recorded(data, precision)
    chosen = case.labelled
    maps = [case.maps[name][chosen] for name in MAPS]
    nowhere = torch.zeros(int(chosen.sum()), 21, 3, dtype=case.dtype)
    output = DetNetOutput(*maps, nowhere[..., :2].long(), nowhere, nowhere)
    found = detnet_losses(output, recorded_batch(case, chosen), FinetuningSettings(**WEIGHTS))
    assert found["location_loss"].item() == pytest.approx(data[f"loss/det_lm_{precision}"].item(), rel=tolerance)
    heatmap = heatmap_loss(maps[0], case.value("hm")[chosen], case.value("veil")[chosen])
    assert found["heatmap_loss"].item() == pytest.approx(heatmap.item(), rel=tolerance)
    total = 100 * heatmap + found["direction_loss"] + 10 * found["location_loss"]
    assert found["loss"].item() == pytest.approx(total.item(), rel=tolerance)


def recorded_batch(case: Recorded, chosen: Tensor) -> Sample:
    """The recorded targets as labels."""
    keypoints_px = STRIDE * case.value("hm_center_uv")[chosen]
    size = STRIDE * case.data["loss/hm"].shape[-1]
    count = len(keypoints_px)
    locations = case.value("target_l")[chosen]
    seen = torch.ones(count, 21, dtype=torch.bool)
    ones = torch.ones(count, dtype=case.dtype)
    cameras = torch.eye(3, dtype=case.dtype).expand(count, 3, 3)
    return Sample(
        torch.zeros(count, 3, size, size), keypoints_px, locations, seen, cameras, ones, ones, locations[:, 0]
    )
