"""Models before training: from which files, and what of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor

from simhand.errors import ConfigError, WeightsError
from simhand.finetuning.heads import HEADS
from simhand.finetuning.initial import initial_model
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.official import official_state

PLACES = {  # of torchvision's names in the official `features`
    "conv1": 0,
    "bn1": 1,
    "layer1": 4,
    "layer2": 5,
    "layer3": 6,
    "layer4": 7,
}
HEAD = pytest.mark.parametrize("head", HEADS)
TENSORS = 120  # of a ResNet-18 without fc
Weights = dict[str, Tensor]


def settings_of(head: str) -> FinetuningSettings:
    return FinetuningSettings.model_validate({"head": head, "encoder": "resnet18"})


@pytest.fixture(scope="module")
def pretrained() -> Weights:
    """What a pre-training run writes, with numbers of its own."""
    weights = torchvision.models.resnet18(weights=None).state_dict()
    return {key: torch.full_like(value, 7) for key, value in weights.items() if not key.startswith("fc.")}


def classifier() -> Weights:
    return {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}


def projection() -> Weights:
    return {"0.weight": torch.zeros(512, 512), "0.bias": torch.zeros(512), "3.weight": torch.zeros(128, 512)}


def saved(content: Any, folder: Path) -> Path:
    torch.save(content, folder / "encoder.pt")
    return folder / "encoder.pt"


def encoder_of(model: torch.nn.Module, head: str) -> Weights:
    """Under torchvision's names, without fc; the official places are looked up here anew."""
    state = model.state_dict()
    if head == "regression25d":
        found = {key.removeprefix("backend_model."): value for key, value in state.items() if "backend_model" in key}
        return {key: value for key, value in found.items() if not key.startswith("fc.")}
    names = {str(place): name for name, place in PLACES.items()}
    found = {key.removeprefix("encoder.features."): value for key, value in state.items() if key.startswith("encoder.")}
    return {f"{names[key.split('.', 1)[0]]}.{key.split('.', 1)[1]}": value for key, value in found.items()}


def parallel(weights: Weights) -> Weights:
    return {f"module.{key}": value for key, value in weights.items()}


FC = ["fc.bias", "fc.weight"]
OFFICIAL = ["encoder.final_layer.0.bias", "encoder.final_layer.0.weight"]
OFFICIAL += [f"projection_head.{key}" for key in ("0.bias", "0.weight", "3.weight")]
FILES: dict[str, tuple[Callable[[Weights], Any], list[str]]] = {  # what is in them, and what of it is left out
    "a pre-training run": (lambda weights: weights, []),
    "torchvision": (lambda weights: weights | classifier(), FC),
    "PeCLR": (lambda weights: {"state_dict": weights | classifier()}, FC),
    "DataParallel": (lambda weights: parallel(weights | classifier()), FC),
    "the official checkpoint": (
        lambda weights: {"epoch": 3, "state_dict": official_state(weights, projection())},
        OFFICIAL,
    ),
    "the official one of DataParallel": (
        lambda weights: {"state_dict": parallel(official_state(weights, projection()))},
        OFFICIAL,
    ),
}


@HEAD
@pytest.mark.parametrize("file", FILES)
def test_every_weight_of_the_encoder_is_taken(
    pretrained: Weights, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, head: str
) -> None:
    make, left_out = FILES[file]
    path = saved(make(pretrained), tmp_path)
    with caplog.at_level(logging.INFO):
        found = encoder_of(initial_model(settings_of(head), path, seed=0), head)
    assert found.keys() == pretrained.keys()
    assert all((value == 7).all() for value in found.values())
    told = f"{TENSORS} tensors taken, {len(left_out)} left out: {', '.join(left_out) or 'none'}"
    assert len(pretrained) == TENSORS
    assert told in caplog.text


@HEAD
def test_the_rest_is_as_without_pretraining(pretrained: Weights, tmp_path: Path, head: str) -> None:
    with_encoder = initial_model(settings_of(head), saved(pretrained | classifier(), tmp_path), seed=0)
    without = initial_model(settings_of(head), None, seed=0)
    equal = {key: torch.equal(value, without.state_dict()[key]) for key, value in with_encoder.state_dict().items()}
    rest = [key for key in equal if ".fc." in key or not key.startswith(("encoder.", "backend_model."))]
    assert rest
    assert all(equal[key] for key in rest)


@HEAD
def test_the_seed_alone_decides(head: str) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = (initial_model(settings_of(head), None, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)  # and others' random numbers stay theirs
    assert all(torch.equal(first[key], again[key]) for key in first)
    key = {"detnet": "deconv.0.weight", "regression25d": "zroot_ref.zroot_ref.0.weight"}[head]
    assert not torch.equal(first[key], other[key])


@HEAD
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("missing", "missing layer3.0.conv1.weight"),
        ("unexpected", "unexpected projection.0.weight"),
        ("another network", "other shapes"),
        ("a part of the official checkpoint", "missing layer4.0.conv1.weight"),
        ("no state_dict", "no state_dict"),
        ("no file", "cannot read"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    pretrained: Weights, tmp_path: Path, change: str, told: str, head: str
) -> None:
    path = tmp_path / "encoder.pt"
    if change == "missing":
        saved({key: value for key, value in pretrained.items() if key != "layer3.0.conv1.weight"}, tmp_path)
    elif change == "unexpected":
        saved({**pretrained, "projection.0.weight": torch.zeros(1)}, tmp_path)
    elif change == "another network":
        saved(torchvision.models.resnet50(weights=None).state_dict(), tmp_path)
    elif change == "a part of the official checkpoint":
        part = {key: value for key, value in pretrained.items() if not key.startswith("layer4.0.conv1")}
        saved({"state_dict": official_state(part, projection())}, tmp_path)
    elif change == "no state_dict":
        saved([1, 2], tmp_path)
    with pytest.raises(WeightsError, match=rf"(?s){told}.*encoder\.pt|encoder\.pt.*{told}"):
        initial_model(settings_of(head), path, seed=0)


def test_the_original_encoder_starts_without_pretraining(pretrained: Weights, tmp_path: Path) -> None:
    settings = FinetuningSettings(encoder="resnet50_dilated")
    assert initial_model(settings, None, seed=0) is not None
    with pytest.raises(ConfigError, match=r"(?s)original encoder.*got: +resnet50_dilated with .*encoder\.pt.*hint"):
        initial_model(settings, saved(pretrained, tmp_path), seed=0)
