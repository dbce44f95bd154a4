"""DetNet before training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor

from simhand.errors import WeightsError
from simhand.finetuning.initial import initial_detnet
from simhand.finetuning.settings import FinetuningSettings

SETTINGS = FinetuningSettings(encoder="resnet18")
PLACES = {
    "conv1": 0,
    "bn1": 1,
    "layer1": 4,
    "layer2": 5,
    "layer3": 6,
    "layer4": 7,
}  # of torchvision's names in features


@pytest.fixture(scope="module")
def pretrained() -> dict[str, Tensor]:
    """What a pre-training run writes, with numbers of its own."""
    weights = torchvision.models.resnet18(weights=None).state_dict()
    return {key: torch.full_like(value, 7) for key, value in weights.items() if not key.startswith("fc.")}


def saved(weights: dict[str, Tensor], folder: Path) -> Path:
    torch.save(weights, folder / "encoder.pt")
    return folder / "encoder.pt"


def test_every_weight_of_the_encoder_is_taken(pretrained: dict[str, Tensor], tmp_path: Path) -> None:
    found = initial_detnet(SETTINGS, saved(pretrained, tmp_path), seed=0).state_dict()
    encoder = {key: value for key, value in found.items() if key.startswith("encoder.")}
    assert len(encoder) == len(pretrained)
    for key in pretrained:
        name, rest = key.split(".", 1)
        assert (encoder.pop(f"encoder.features.{PLACES[name]}.{rest}") == 7).all()


def test_the_rest_is_as_without_pretraining(pretrained: dict[str, Tensor], tmp_path: Path) -> None:
    with_encoder = initial_detnet(SETTINGS, saved(pretrained, tmp_path), seed=0).state_dict()
    without = initial_detnet(SETTINGS, None, seed=0).state_dict()
    assert all(torch.equal(with_encoder[key], without[key]) for key in without if not key.startswith("encoder."))


def test_the_seed_alone_decides() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = (initial_detnet(SETTINGS, None, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)  # and others' random numbers stay theirs
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["deconv.0.weight"], other["deconv.0.weight"])


def test_convolutions_have_kaimings_spread() -> None:
    weights = initial_detnet(SETTINGS, None, seed=0).state_dict()
    for key, inputs in (("encoder.features.7.1.conv2.weight", 512 * 9), ("hmap_0.project.0.weight", 258 * 9)):
        assert weights[key].std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.01)


def test_heatmaps_start_near_their_mean() -> None:
    model = initial_detnet(SETTINGS, None, seed=0)
    with torch.no_grad():
        heat = model(torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5).heatmaps
    assert 0.001 < heat.median().item() < 0.03


@pytest.mark.parametrize("change", ["missing", "unexpected", "another network", "no file"])
def test_weights_that_do_not_fit_are_refused(pretrained: dict[str, Tensor], tmp_path: Path, change: str) -> None:
    path = saved(pretrained, tmp_path)
    if change == "missing":
        saved({key: value for key, value in pretrained.items() if key != "layer3.0.conv1.weight"}, tmp_path)
    elif change == "unexpected":
        saved({**pretrained, "projection.0.weight": torch.zeros(1)}, tmp_path)
    elif change == "another network":
        saved(torchvision.models.resnet50(weights=None).state_dict(), tmp_path)
    else:
        path.unlink()
    with pytest.raises(WeightsError, match=r"encoder\.pt"):
        initial_detnet(SETTINGS, path, seed=0)
