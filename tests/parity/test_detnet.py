"""DetNet and its losses against numbers recorded from the official code (d_detnet.npz, which is not shipped)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.lib.npyio import NpzFile

from simhand.finetuning.detnet import DetNet, DetNetOutput
from simhand.finetuning.losses import heatmap_loss, map_loss
from simhand.finetuning.targets import heatmaps

GAINS = {"deconv.0.": 0.5**0.5, "deconv.": 2.0, ".prediction.": 0.25}  # the first that a key contains


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("d_detnet")


@pytest.fixture(scope="module")
def keys(shared: Path) -> dict[str, tuple[int, ...]]:
    rows = json.loads((shared / "reference" / "parity" / "d_detnet_r50_keys.json").read_text())
    return {key: tuple(shape) for key, shape, _ in rows}


def uniform(seed: int, place: int, count: int) -> np.ndarray:
    """The recordings' closed-form numbers in [0, 1): float64 (count,)."""
    step = np.uint64(0x9E3779B97F4A7C15)

    def mix(x: np.ndarray) -> np.ndarray:
        z = x + step
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    base = mix(np.array([seed * 1000003 + place], dtype=np.uint64))
    return (mix(base + np.arange(count, dtype=np.uint64) * step) >> np.uint64(11)) * 2.0**-53


def filled(key: str, shape: tuple[int, ...], seed: int, place: int) -> np.ndarray:
    """The closed-form weights of one tensor."""
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    v = 2 * uniform(seed, place, int(np.prod(shape))).reshape(shape) - 1
    if len(shape) >= 2:
        gain = next((gain for part, gain in GAINS.items() if part in key), 1.0)
        v *= np.sqrt(6 / np.prod(shape[1:])) * gain
    elif key.endswith("running_var"):
        v = 1 + 0.2 * v
    elif key.endswith(("running_mean", ".bias")):
        v = 0.1 * v
    else:
        v = 0.25 + 0.05 * v if key.endswith("bn3.weight") else 1 + 0.1 * v
    return v.astype(np.float32)


@pytest.fixture(scope="module")
def model(shared: Path, keys: dict[str, tuple[int, ...]], data: NpzFile) -> DetNet:
    seed = json.loads((shared / "reference" / "parity" / "meta.json").read_text())["fill_seeds"]["d_detnet"]
    weights = {key: filled(key, keys[key], seed, place) for place, key in enumerate(sorted(keys))}
    for key in ("encoder.features.0.weight", "deconv.0.weight", "hmap_0.project.1.running_var"):
        np.testing.assert_allclose(weights[key].reshape(-1)[:8], data[f"r50/check/{key}"], rtol=1e-6)
    model = DetNet(torchvision.models.resnet50(weights=None)).eval()
    model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    return model


@pytest.fixture(scope="module")
def output(model: DetNet, data: NpzFile) -> DetNetOutput:
    images = torch.from_numpy(data["r50/input_u8"]).float() / 255 - 0.5
    with torch.no_grad():
        return model(images)


def test_names_and_shapes_are_the_official_ones(keys: dict[str, tuple[int, ...]]) -> None:
    model = DetNet(torchvision.models.resnet50(weights=None))
    assert {key: tuple(value.shape) for key, value in model.state_dict().items()} == keys
    assert sum(parameter.numel() for parameter in model.parameters()) == 36_059_859


def test_maps(output: DetNetOutput, data: NpzFile) -> None:
    np.testing.assert_allclose(output.heatmaps, data["r50/h_map"], atol=2e-5)
    np.testing.assert_allclose(output.direction_maps[0], data["r50/d_map_img0"], atol=2e-4)
    np.testing.assert_allclose(output.location_maps[0], data["r50/l_map_img0"], atol=2e-4)


def test_encoder(model: DetNet, data: NpzFile) -> None:
    image = torch.from_numpy(data["r50/input_u8"][:1]).float() / 255 - 0.5
    with torch.no_grad():
        features = model.encoder(image)[0, :64]
    np.testing.assert_allclose(features, data["r50/encoder_feat_img0_ch0_64"], rtol=1e-4, atol=1e-4)


def test_joints_at_their_own_peaks(output: DetNetOutput, data: NpzFile) -> None:
    clear = data["r50/argmax_gap"] > 1e-4  # elsewhere rounding may decide between two cells
    assert clear.sum() > 30
    np.testing.assert_array_equal(output.cells[clear], data["r50/uv"][clear])
    np.testing.assert_allclose(output.directions[clear], data["r50/delta"][clear], atol=2e-4)
    np.testing.assert_allclose(output.locations[clear], data["r50/xyz"][clear], atol=2e-4)


def test_recorded_target_heatmaps(data: NpzFile) -> None:
    """Their centres are given as cells, so the truncation of pixels has no part here."""
    cells = torch.from_numpy(data["loss/hm_center_uv"]).double()
    maps, veil = heatmaps(cells * 4, image_size=128, stride=4)
    np.testing.assert_allclose(maps, data["loss/hm"], atol=1e-7)
    np.testing.assert_array_equal(veil, data["loss/veil"])


@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("f64", 1e-9)])
def test_losses_and_gradients(data: NpzFile, precision: str, tolerance: float) -> None:
    dtype = torch.float32 if precision == "f32" else torch.float64

    def value(name: str) -> torch.Tensor:
        return torch.from_numpy(data[f"loss/{name}"]).to(dtype)

    maps = {name: value(f"pred_{name}").requires_grad_() for name in ("h_map", "d_map", "l_map")}
    labelled = torch.from_numpy(data["loss/flag_3d"]).bool()
    heatmap = heatmap_loss(maps["h_map"], value("hm"), value("veil"))
    direction = map_loss(maps["d_map"], value("target_d"), value("hm"), labelled)
    location = map_loss(maps["l_map"], value("target_l"), value("hm"), labelled)
    total = 100 * heatmap + 1 * direction + 10 * location
    total.backward()

    found = {"det_hm": heatmap, "det_dm": direction, "det_lm": location, "total": total}
    for name, loss in found.items():
        assert loss.item() == pytest.approx(data[f"loss/{name}_{precision}"].item(), rel=tolerance)
    for name, map_ in maps.items():
        assert map_.grad is not None
        assert map_.grad.norm().item() == pytest.approx(data[f"loss/gradnorm_{name}_{precision}"].item(), rel=tolerance)
        recorded = data[f"loss/grad_{name}_b0j5_{precision}"]
        np.testing.assert_allclose(map_.grad[0, 5], recorded, rtol=tolerance, atol=tolerance * abs(recorded).max())
