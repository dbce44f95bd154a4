"""torch.hub loads a pre-trained encoder, with torch and torchvision alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from tests.conftest import ROOT


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run: the weights of a resnet18 and their card."""
    torch.manual_seed(5)
    weights = torchvision.models.resnet18(weights=None).state_dict()
    torch.save({key: value for key, value in weights.items() if not key.startswith("fc.")}, tmp_path / "encoder.pt")
    (tmp_path / "card.json").write_text(json.dumps({"settings": {"encoder": "resnet18"}}))
    return tmp_path


def load(weights: Path | str, **options: str) -> nn.Module:
    return torch.hub.load(str(ROOT), "hand_encoder", source="local", weights=weights, **options)


@pytest.mark.parametrize("file", ["encoder.pt", ""])
def test_the_encoder_is_the_one_that_was_written(run: Path, file: str) -> None:
    torch.manual_seed(5)
    expected = torchvision.models.resnet18(weights=None)
    expected.fc = nn.Identity()
    images = torch.rand(2, 3, 40, 40)
    encoder = load(str(run / file))
    assert not encoder.training
    with torch.no_grad():
        assert torch.equal(encoder(images), expected.eval()(images))


def test_the_resnet_can_be_named_where_there_is_no_card(run: Path) -> None:
    (run / "card.json").rename(run / "elsewhere.json")
    assert load(run, encoder="resnet18")(torch.zeros(1, 3, 40, 40)).shape == (1, 512)
    with pytest.raises(FileNotFoundError, match=r"no card\.json beside .*encoder\.pt: name the ResNet"):
        load(run)


def test_what_is_wrong_is_named(run: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no weights in .*absent"):
        load(run / "absent")
    with pytest.raises(ValueError, match="does not hold the weights of a resnet50"):
        load(run, encoder="resnet50")
    with pytest.raises(ValueError, match="no encoder 'vgg16': expected one of resnet18"):
        load(run, encoder="vgg16")
    (run / "card.json").write_text("{}")
    with pytest.raises(ValueError, match=r"card\.json does not name the ResNet"):
        load(run)
    (run / "encoder.pt").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="damaged, or no file of weights"):
        load(run)
    torch.save([1, 2], run / "encoder.pt")
    with pytest.raises(ValueError, match="holds a list, no state_dict"):
        load(run)


def test_nothing_but_torch_and_torchvision_is_needed(run: Path) -> None:
    code = """
import sys
for name in ("pydantic", "pyarrow", "yaml", "tqdm", "tensorboard", "pandas", "matplotlib", "cv2", "snakemake"):
    sys.modules[name] = None  # importing it fails now
import torch
encoder = torch.hub.load(sys.argv[1], "hand_encoder", source="local", weights=sys.argv[2])
assert encoder(torch.zeros(2, 3, 40, 40)).shape == (2, 512)
assert not any(name.split(".")[0] == "simhand" for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code, str(ROOT), str(run)], check=True, cwd=run)
