"""The latent inverse and its gradients against the official code's (b_inverse.npz)."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from simhand.pretraining.inverse import rotate, translate

CASES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "translate": lambda points, shift, angle: translate(points, shift),
    "rotate": lambda points, shift, angle: rotate(points, angle),
    "translate_then_rotate": lambda points, shift, angle: rotate(translate(points, shift), angle),
    # the official code has a shift in plain units, too, and calls it nowhere
    "translate2": lambda points, shift, angle: translate(points, shift / (points.amax(1) - points.amin(1)).detach()),
}


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("b_inverse")


@pytest.mark.parametrize(
    ("dtype", "suffix", "tolerance"), [(torch.float64, "f64", 1e-12), (torch.float32, "f32", 1e-5)]
)
@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient(data: NpzFile, case: str, dtype: torch.dtype, suffix: str, tolerance: float) -> None:
    points = torch.tensor(data["enc"], dtype=dtype, requires_grad=True)
    shift = torch.tensor(np.stack([data["translate_x"], data["translate_y"]], axis=1), dtype=dtype)
    result = CASES[case](points, shift, torch.tensor(data["angle_deg"], dtype=dtype))
    result.backward(torch.tensor(data["cotangent"], dtype=dtype))
    assert points.grad is not None
    np.testing.assert_allclose(result.detach(), data[f"{case}_{suffix}"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(points.grad, data[f"{case}_vjp_{suffix}"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "suffix", "tolerance"), [(torch.float64, "f64", 1e-9), (torch.float32, "f32", 1e-5)])
def test_rotation_is_that_of_the_recorded_matrices(
    data: NpzFile, dtype: torch.dtype, suffix: str, tolerance: float
) -> None:
    points = torch.tensor(data["enc"], dtype=dtype)
    matrices = torch.tensor(data[f"rotmat_scale1_{suffix}"], dtype=dtype)  # (N, 3, 2), for rows (x, y, 1)
    expected = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1) @ matrices
    found = rotate(points, torch.tensor(data["angle_deg"], dtype=dtype))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
