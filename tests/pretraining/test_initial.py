"""What an encoder starts from: a file, the official checkpoint's layout, ImageNet's weights from the cache, a run."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision

from simhand.errors import ConfigError, WeightsError
from simhand.pretraining.encoder import build_model, encoder_state
from simhand.pretraining.initial import initial_path
from simhand.pretraining.official import official_state
from simhand.pretraining.settings import PretrainingSettings

MakeSettings = Callable[..., PretrainingSettings]
WEIGHTS = torchvision.models.ResNet18_Weights.IMAGENET1K_V1


def test_where_the_weights_are(small_settings: MakeSettings) -> None:
    elsewhere = Path("results/pretraining/base/encoder.pt")
    assert initial_path(small_settings(), None) is None
    assert initial_path(small_settings(initial="imagenet"), None) is None
    assert initial_path(small_settings(initial="some/weights.pth"), None) == Path("some/weights.pth")
    assert initial_path(small_settings(initial="run:base"), elsewhere) == elsewhere
    with pytest.raises(ConfigError, match=r"got: +run:base\n.*--initial"):
        initial_path(small_settings(initial="run:base"), None)
    with pytest.raises(ConfigError, match=r"starts from no file\n(.|\n)*expected: random"):
        initial_path(small_settings(), elsewhere)


def test_from_an_official_checkpoint(tmp_path: Path, small_settings: MakeSettings) -> None:
    torch.manual_seed(5)
    trained = build_model(small_settings())
    official = official_state(encoder_state(trained), trained.projection.state_dict())
    for number, state in enumerate([{"state_dict": official, "epoch": 3}, official]):
        path = tmp_path / f"{number}.ckpt"
        torch.save(state, path)
        loaded = build_model(small_settings(initial=str(path)), path)
        torch.testing.assert_close(encoder_state(loaded), encoder_state(trained), rtol=0, atol=0)


def cached(home: Path) -> Path:
    path = home / "checkpoints" / Path(WEIGHTS.url).name
    path.parent.mkdir(parents=True)
    return path


def test_imagenet_from_torchvisions_cache(
    tmp_path: Path, small_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    weights = torchvision.models.resnet18().state_dict()  # stand in for ImageNet's, which cannot be had here
    torch.save(weights, cached(tmp_path))
    found = encoder_state(build_model(small_settings(initial="imagenet")))
    assert all(torch.equal(value, weights[key]) for key, value in found.items())


def test_imagenet_that_cannot_be_had(
    tmp_path: Path, small_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(WeightsError, match=r"cannot be had\n.*resnet18-\w+\.pth(.|\n)*download https://.*`initial`"):
        build_model(small_settings(initial="imagenet"))
    cached(tmp_path / "damaged").write_bytes(b"half a file")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "damaged"))
    with pytest.raises(WeightsError, match="cannot be had"):
        build_model(small_settings(initial="imagenet"))
