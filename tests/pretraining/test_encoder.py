"""The encoder: torchvision's names, and weights from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision

from simhand.errors import WeightsError
from simhand.pretraining.encoder import build_model, encoder_state
from simhand.pretraining.settings import PretrainingSettings

MakeSettings = Callable[..., PretrainingSettings]


def test_an_official_state_dict_goes_in_and_comes_out_without_fc(tmp_path: Path, small_settings: MakeSettings) -> None:
    official = torchvision.models.resnet18()
    torch.save(official.state_dict(), tmp_path / "r18.pth")
    model = build_model(small_settings(initial=str(tmp_path / "r18.pth")), tmp_path / "r18.pth")
    state = encoder_state(model)
    expected = {key: value for key, value in official.state_dict().items() if not key.startswith("fc.")}
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], value) for key, value in expected.items())


def test_what_the_network_computes(small_settings: MakeSettings) -> None:
    model = build_model(small_settings()).eval()
    images = torch.randn(2, 3, 32, 32)
    encoder = torchvision.models.resnet18()
    encoder.fc = torch.nn.Identity()
    encoder.load_state_dict(encoder_state(model))
    features = encoder.eval()(images)  # (2, 512)
    first, norm, _, second = model.projection
    hidden = torch.relu(norm(features @ first.weight.T + first.bias))
    torch.testing.assert_close(model(images), hidden @ second.weight.T, atol=1e-5, rtol=1e-4)
    assert (first.weight.shape, second.weight.shape, second.bias) == ((32, 512), (16, 32), None)


def test_other_weights_are_refused(tmp_path: Path, small_settings: MakeSettings) -> None:
    path = tmp_path / "weights.pth"
    state = torchvision.models.resnet18().state_dict()

    def refused(message: str) -> None:
        with pytest.raises(WeightsError, match=message):
            build_model(small_settings(initial=str(path)), path)

    refused("cannot read weights")  # no file yet
    for content in (b"not a model", b"weights\n", b"", bytes(100)):
        path.write_bytes(content)
        refused("cannot read weights")
    torch.save([1, 2], path)
    refused("no state_dict")
    torch.save({"model": state}, path)
    refused(r"missing conv1.weight, .* and \d+ more; unexpected model")
    torch.save({key: value for key, value in state.items() if key != "bn1.weight"} | {"extra": torch.zeros(1)}, path)
    refused(r"missing bn1.weight; unexpected extra")
    torch.save(torchvision.models.resnet50().state_dict(), path)
    refused(r"weights of other shapes")
