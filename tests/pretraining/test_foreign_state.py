"""Tensors out of checkpoints that hold other things too."""

from __future__ import annotations

import argparse
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from simhand.errors import WeightsError
from simhand.pretraining.foreign_state import read_foreign_state
from simhand.pretraining.initial import load_encoder


class Attributes(dict[str, Any]):
    """A dict of settings, as such classes are."""


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def lightning(state: dict[str, torch.Tensor], **others: Any) -> dict[str, Any]:
    """A checkpoint with what Lightning writes."""
    settings = argparse.Namespace(lr=0.1, sizes=[1, 2], nested=Attributes(a=Attributes(b={3})))
    return {
        "epoch": 99,
        "pytorch-lightning_version": "1.8.0",
        "state_dict": OrderedDict(state),
        "loops": {"fit_loop": {"done": True}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(1.5), "dirpath": Path("x")}},
        "hyper_parameters": Attributes(experiment="simhand", settings=settings, scale=np.float64(2.0)),
        "hparams_name": "config",
        **others,
    }


def test_an_encoder_comes_out_of_a_lightning_checkpoint(tmp_path: Path) -> None:
    resnet = torchvision.models.resnet18(weights=None)
    layers = (resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool, resnet.layer1, resnet.layer2, resnet.layer3)
    official = nn.Sequential(*layers, resnet.layer4)
    state = {f"encoder.features.{key}": value for key, value in official.state_dict().items()}
    torch.save(lightning(state), tmp_path / "last.ckpt")
    loaded = torchvision.models.resnet18(weights=None)
    loaded.fc = nn.Identity()
    load_encoder(loaded, tmp_path / "last.ckpt")
    expected = resnet.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in loaded.state_dict().items())


def test_parameters_and_plain_values_are_read(tmp_path: Path) -> None:
    content = {"a": nn.Parameter(torch.arange(3.0)), "b": [torch.ones(2, dtype=torch.half), 1.5, "text", None, {4}]}
    torch.save(content, tmp_path / "x.pt")
    found = read_foreign_state(tmp_path / "x.pt")
    torch.testing.assert_close(found["a"], content["a"])
    torch.testing.assert_close(found["b"][0], torch.ones(2, dtype=torch.half))
    assert found["b"][1:] == [1.5, "text", None, {4}]


def test_no_code_of_the_file_runs(tmp_path: Path) -> None:
    torch.save(lightning({}, evil=Evil(tmp_path / "hacked")), tmp_path / "x.ckpt")
    read_foreign_state(tmp_path / "x.ckpt")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("content", [b"", b"hello\nworld, this is text", b"PK\x03\x04 torn"])
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot read weights"):
        load_encoder(nn.Linear(1, 1), tmp_path / "x.pt")
