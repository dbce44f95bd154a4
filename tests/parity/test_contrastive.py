"""Losses, weights and gradients against the official code's (a_contrastive.npz, tau 0.5, views of 128 px)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from simhand.pretraining.inverse import undo_view
from simhand.pretraining.nt_xent import nt_xent
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
from simhand.pretraining.weights import all_distances, linear_weights, paired_distances, sigmoid_weights

TEMPERATURE = 0.5
SIDE_PX = 128  # by which the official code divides the jitter
SLOPES = {"5_0.05": (5.0, 0.05), "2.5_0.01": (2.5, 0.01), "1_0.005": (1.0, 0.005)}


@pytest.fixture(scope="module")
def data(recorded: Path) -> Iterator[np.lib.npyio.NpzFile]:
    with np.load(recorded / "a_contrastive.npz", allow_pickle=False) as file:
        yield file


def raw(data: np.lib.npyio.NpzFile, dtype: torch.dtype) -> list[Tensor]:
    return [torch.tensor(data[f"proj_raw{view}"], dtype=dtype, requires_grad=True) for view in (1, 2)]


def undone(data: np.lib.npyio.NpzFile, embeddings: list[Tensor], crop: bool = True, turn: bool = True) -> list[Tensor]:
    """The official inverse: the recorded jitter is the negative of the square's shift."""
    results = []
    for view, each in enumerate(embeddings, start=1):
        jitter = np.stack([data[f"jitter_{axis}_{view}"] for axis in "xy"], axis=1)
        shift = torch.tensor(-jitter / SIDE_PX if crop else 0 * jitter).to(each.dtype)
        angle = torch.tensor(data[f"angle_{view}"]).to(each.dtype)
        results.append(undo_view(each, angle if turn else 0 * angle, shift))
    return results


def keypoints(data: np.lib.npyio.NpzFile, which: str, dtype: torch.dtype) -> list[Tensor]:
    return [torch.tensor(data[f"joints{view}_{which}"][..., :2], dtype=dtype) for view in (1, 2)]


def own_weights(data: np.lib.npyio.NpzFile, name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Weights of a recorded configuration, e.g. linear_mpjpe_aug or sigmoid_5_0.05_mpjpe_aug."""
    kind, *slopes, _, which = name.split("_")
    first, second = keypoints(data, which, dtype)
    positive, pairs = paired_distances(first, second), all_distances(torch.cat([first, second]))
    if kind == "linear":
        return linear_weights(positive), linear_weights(pairs)
    slope = SLOPES["_".join(slopes)]
    return sigmoid_weights(positive, slope[0], factor=1.0), sigmoid_weights(pairs, slope[1], factor=1.0)


def check_loss(data: np.lib.npyio.NpzFile, name: str, loss: Tensor, embeddings: list[Tensor]) -> None:
    """The loss, and its gradient with respect to the projections where it was recorded."""
    double = loss.dtype == torch.float64
    suffix, tolerance = ("f64", 1e-9) if double else ("f32", 1e-5)
    np.testing.assert_allclose(loss.item(), data[f"{name}/loss_{suffix}"], rtol=tolerance)
    loss.backward()
    for view, each in enumerate(embeddings, start=1):
        key = f"{name}/grad_raw{view}_{suffix}"
        if key in data.files:
            assert each.grad is not None
            exact = data[key].dtype == np.float64
            np.testing.assert_allclose(
                each.grad, data[key], rtol=1e-9 if exact else 1e-5, atol=1e-12 if exact else 1e-8
            )


DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
MPJPE = ["linear_mpjpe_aug", "linear_mpjpe_ori", *(f"sigmoid_{slopes}_mpjpe_aug" for slopes in SLOPES)]
ONE_SIDED = ["linear_mpjpe_aug", "sigmoid_2.5_0.01_mpjpe_aug"]
RECORDED = [(name, "pos_neg") for name in MPJPE] + [(name, variant) for name in ONE_SIDED for variant in ("pos", "neg")]


@DTYPES
def test_simclr(data: np.lib.npyio.NpzFile, dtype: torch.dtype) -> None:
    embeddings = raw(data, dtype)
    first, second = (normalize(each, dim=1) for each in embeddings)
    check_loss(data, "simclr", nt_xent(first, second, TEMPERATURE), embeddings)


@DTYPES
@pytest.mark.parametrize("method", ["peclr", "simhand"])
def test_peclr_and_simhand(data: np.lib.npyio.NpzFile, method: str, dtype: torch.dtype) -> None:
    embeddings = raw(data, dtype)
    check_loss(data, method, nt_xent(*undone(data, embeddings), TEMPERATURE), embeddings)


@DTYPES
@pytest.mark.parametrize("which", ["both", "crop_only", "rotate_only", "none"])
def test_inverse(data: np.lib.npyio.NpzFile, which: str, dtype: torch.dtype) -> None:
    crop, turn = which in {"both", "crop_only"}, which in {"both", "rotate_only"}
    suffix, tolerance = ("f64", 1e-12) if dtype == torch.float64 else ("f32", 1e-6)
    for view, each in enumerate(undone(data, raw(data, dtype), crop, turn), start=1):
        np.testing.assert_allclose(each.detach(), data[f"inverse/{which}/z{view}_{suffix}"], atol=tolerance)


@pytest.mark.parametrize("name", MPJPE)
def test_weights(data: np.lib.npyio.NpzFile, name: str) -> None:
    positive, pairs = own_weights(data, name, torch.float64)
    np.testing.assert_allclose(positive, data[f"weights/{name}/pos_f64"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pairs, data[f"weights/{name}/neg_f64"], rtol=1e-9, atol=1e-12)


@DTYPES
@pytest.mark.parametrize(("name", "variant"), RECORDED)
def test_weighted_loss(data: np.lib.npyio.NpzFile, name: str, variant: str, dtype: torch.dtype) -> None:
    key = f"simhand_w/{name}/{variant}"
    embeddings = raw(data, dtype)
    positive, pairs = own_weights(data, name, dtype)
    positive = torch.ones_like(positive) if variant == "neg" else positive
    pairs = torch.ones_like(pairs) if variant == "pos" else pairs
    check_loss(data, key, weighted_nt_xent(*undone(data, embeddings), positive, pairs, TEMPERATURE), embeddings)


@pytest.mark.parametrize("name", ["linear_wabs_aug", "linear_woabs_aug"])
def test_loss_with_other_recorded_weights(data: np.lib.npyio.NpzFile, name: str) -> None:
    embeddings = raw(data, torch.float64)
    weights = [torch.tensor(data[f"weights/{name}/{part}_f64"]) for part in ("pos", "neg")]
    loss = weighted_nt_xent(*undone(data, embeddings), *weights, TEMPERATURE)
    check_loss(data, f"simhand_w/{name}/pos_neg", loss, embeddings)


@DTYPES
@pytest.mark.parametrize("method", ["peclr_w", "simclr_w"])
def test_weights_with_other_methods(data: np.lib.npyio.NpzFile, method: str, dtype: torch.dtype) -> None:
    embeddings = raw(data, dtype)
    views = undone(data, embeddings) if method == "peclr_w" else [normalize(each, dim=1) for each in embeddings]
    positive, pairs = own_weights(data, "linear_mpjpe_aug", dtype)
    loss = weighted_nt_xent(views[0], views[1], positive, pairs, TEMPERATURE)
    check_loss(data, f"{method}/linear_mpjpe_aug/pos_neg", loss, embeddings)
