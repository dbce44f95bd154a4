"""Losses, weights and gradients of `behaviour: official` against the official code's (a_contrastive.npz)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor
from torch.nn.functional import normalize

from simhand.pretraining.augment import Views
from simhand.pretraining.inverse import undo_view
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.step import contrastive_loss
from simhand.pretraining.weights import adaptive_weights

SIZE_PX = 128
DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
SUFFIX = {torch.float64: "f64", torch.float32: "f32"}
METHODS = {"simclr": "simclr", "peclr": "peclr", "simhand": "simhand", "simclr_w": "simclr", "peclr_w": "peclr"}
METHODS["simhand_w"] = "simhand"
METRICS = {"mpjpe": "mpjpe", "wabs": "w_abs", "woabs": "w_o_abs"}
KEYPOINTS = {"aug": "augmented", "ori": "original"}
PAIRS = {"pos_neg": "both", "pos": "positives", "neg": "negatives"}


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("a_contrastive")


def settings_of(method: str, weighted: str | None = None, pairs: str = "pos_neg") -> PretrainingSettings:
    """Of a recorded case, e.g. simhand_w, sigmoid_5_0.05_mpjpe_aug, pos."""
    values: dict[str, object] = {"method": METHODS[method], "pool": "recorded", "behaviour": "official"}
    if weighted is not None:
        weighting, *slopes, metric, which = weighted.split("_")
        values |= {"weighting": weighting, "weight_distance": METRICS[metric], "weighted_pairs": PAIRS[pairs]}
        values |= {"weighted_keypoints": KEYPOINTS[which]} | ({"sigmoid_lambda": slopes} if slopes else {})
    return PretrainingSettings.model_validate(values)


def cases(data: NpzFile, dtype: torch.dtype) -> Iterator[tuple[str, PretrainingSettings]]:
    """The recorded losses: their names and settings."""
    ending = f"/loss_{SUFFIX[dtype]}"
    for key in data.files:
        if key.endswith(ending):
            name = key.removesuffix(ending)
            yield name, settings_of(*name.split("/"))


def raw(data: NpzFile, dtype: torch.dtype) -> Tensor:
    """Projections (2N, d), the leaf of all gradients."""
    return torch.from_numpy(np.concatenate([data["proj_raw1"], data["proj_raw2"]])).to(dtype).requires_grad_()


def views(data: NpzFile, dtype: torch.dtype, crop: bool = True, turn: bool = True) -> Views:
    """What is known of the views; the recorded jitter is the negative of the square's shift."""

    def both(pattern: str) -> Tensor:
        return torch.from_numpy(np.concatenate([data[pattern.format(view)] for view in (1, 2)])).to(dtype)

    shift = -torch.stack([both(f"jitter_{axis}_{{}}") for axis in "xy"], dim=1) / SIZE_PX
    augmented, original = (both(f"joints{{}}_{which}")[..., :2] for which in ("aug", "ori"))
    angle = both("angle_{}")
    return Views(
        images=torch.empty(0),
        keypoints_px=augmented,
        angle_deg=angle * turn,
        shift=shift * crop,
        crop_keypoints_px=original,
    )


@DTYPES
def test_every_loss_and_gradient(data: NpzFile, dtype: torch.dtype) -> None:
    exact = dtype == torch.float64
    names = []
    for name, settings in cases(data, dtype):
        embeddings = raw(data, dtype)
        loss = contrastive_loss(embeddings, views(data, dtype), settings)
        np.testing.assert_allclose(loss.item(), data[f"{name}/loss_{SUFFIX[dtype]}"], rtol=1e-9 if exact else 1e-5)
        (slopes,) = torch.autograd.grad(loss, embeddings)
        for view, slope in enumerate(slopes.chunk(2), start=1):
            check_gradient(data, f"{name}/grad_raw{view}_{SUFFIX[dtype]}", slope)
        names.append(name)
    assert {name.split("/")[0] for name in names} == set(METHODS)
    assert {name.split("/")[2] for name in names if name.startswith("simhand_w")} == set(PAIRS)


def check_gradient(data: NpzFile, key: str, slope: Tensor) -> None:
    if key in data.files:  # not recorded in float32 for every case
        recorded = data[key]
        kept = 2e-7 if key.endswith("f64") else 1e-5  # some of float64 were stored as float32
        tolerance = 1e-9 if recorded.dtype == np.float64 else kept
        np.testing.assert_allclose(
            slope, recorded, rtol=tolerance, atol=tolerance * np.abs(recorded).max(), err_msg=key
        )


@DTYPES
def test_every_weight(data: NpzFile, dtype: torch.dtype) -> None:
    ending = f"/pos_{SUFFIX[dtype]}"
    names = [key.split("/")[1] for key in data.files if key.startswith("weights/") and key.endswith(ending)]
    assert names
    tolerance = 1e-9 if dtype == torch.float64 else 1e-5
    for name in names:
        settings = settings_of("simhand_w", name)
        seen = views(data, dtype)
        keypoints = seen.keypoints_px if settings.weighted_keypoints == "augmented" else seen.crop_keypoints_px
        first, second = keypoints.chunk(2)
        for part, weights in zip(("pos", "neg"), adaptive_weights(first, second, settings), strict=True):
            recorded = data[f"weights/{name}/{part}_{SUFFIX[dtype]}"]
            np.testing.assert_allclose(weights, recorded, rtol=tolerance, atol=tolerance, err_msg=name)


@DTYPES
@pytest.mark.parametrize("which", ["both", "crop_only", "rotate_only", "none"])
def test_inverse(data: NpzFile, which: str, dtype: torch.dtype) -> None:
    seen = views(data, dtype, crop=which in {"both", "crop_only"}, turn=which in {"both", "rotate_only"})
    undone = undo_view(raw(data, dtype).detach(), seen.angle_deg, seen.shift).chunk(2)
    for view, each in enumerate(undone, start=1):
        tolerance = 1e-9 if dtype == torch.float64 else 1e-6
        np.testing.assert_allclose(
            each, data[f"inverse/{which}/z{view}_{SUFFIX[dtype]}"], rtol=tolerance, atol=tolerance
        )


@DTYPES
def test_simclr_embeddings(data: NpzFile, dtype: torch.dtype) -> None:
    for view, each in enumerate(normalize(raw(data, dtype).detach(), dim=1).chunk(2), start=1):
        tolerance = 1e-9 if dtype == torch.float64 else 1e-6
        np.testing.assert_allclose(each, data[f"simclr/z{view}_{SUFFIX[dtype]}"], rtol=tolerance, atol=tolerance)
