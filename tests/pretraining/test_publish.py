"""What a run leaves behind: the encoder in the forms that others read, and its card."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from simhand.pretraining.card import RunFacts, card_text, training_code
from simhand.pretraining.encoder import ContrastiveModel
from simhand.pretraining.exports import exported_program
from simhand.pretraining.official import from_official, is_official
from simhand.pretraining.order import Plan
from simhand.pretraining.pool import Pool
from simhand.pretraining.publish import publish
from simhand.pretraining.settings import PretrainingSettings
from tests.conftest import ROOT


class OfficialModel(nn.Module):
    """The official structure (spec section 4): what their code loads a checkpoint into, strictly."""

    def __init__(self) -> None:
        super().__init__()
        resnet = torchvision.models.resnet18(weights=None)
        self.encoder = nn.Module()
        self.encoder.features = nn.Sequential(*list(resnet.children())[:-1])
        self.encoder.final_layer = nn.Sequential(nn.Linear(512, 64))
        self.projection_head = nn.Sequential(
            nn.Linear(512, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16, bias=False)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.projection_head(self.encoder.features(images).flatten(1))


def _randomise(model: nn.Module) -> None:
    """Numbers of its own for every tensor, running means and counts of batches included."""
    random = torch.Generator().manual_seed(3)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=random) * 0.1 + 0.01)
        else:
            value.fill_(int(torch.randint(1, 100, (), generator=random)))


@pytest.fixture(scope="module")
def model() -> ContrastiveModel:
    encoder = torchvision.models.resnet18(weights=None)
    encoder.fc = nn.Identity()
    model = ContrastiveModel(encoder, 512, 32, 16)
    _randomise(model)
    return model.to(memory_format=torch.channels_last)  # as in training


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory, small_settings: Callable[..., PretrainingSettings]) -> RunFacts:
    metrics = tmp_path_factory.mktemp("run") / "metrics.jsonl"
    losses = [(0, 9.0), (1, 4.0), (1, 3.0), (1, 2.0000004)]
    lines = [{"step": step, "epoch": epoch, "loss": loss} for step, (epoch, loss) in enumerate(losses, 1)]
    metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stores = (Path("crops/ego/0of2.arrow"), Path("crops/ego/1of2.arrow"), Path("crops/exo/0of1.arrow"))
    zeros = np.zeros(26, np.int32)
    pool = Pool(stores, zeros, zeros, np.zeros((26, 21, 2), np.float32))
    settings = small_settings(image_size=48, epochs=2, seed=7, processes=2, per_device_loss=True)
    return RunFacts(settings, Plan(26, 8, 2, 1.0), pool, "d1935", "random", torch.device("cpu"), "c0de", metrics)


@pytest.fixture(scope="module")
def published(model: ContrastiveModel, facts: RunFacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    publish(model.train(), facts, folder / "encoder.pt")
    return folder


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand((5, 3, 48, 48), generator=torch.Generator().manual_seed(1)) * 4 - 2


def test_the_encoder_is_torchvisions_state_dict_without_fc(published: Path, model: ContrastiveModel) -> None:
    found = torch.load(published / "encoder.pt", weights_only=True)
    expected = torchvision.models.resnet18(weights=None).state_dict()
    assert list(found) == [key for key in expected if not key.startswith("fc.")]
    assert all(torch.equal(found[key], value) for key, value in model.encoder.state_dict().items())
    assert all(value.is_contiguous() for value in found.values())


def test_the_official_port_by_position_gives_torchvisions_weights(published: Path, model: ContrastiveModel) -> None:
    official = torch.load(published / "official.ckpt", weights_only=True)["state_dict"]
    values = [value for key, value in official.items() if "features" in key]
    resnet = torchvision.models.resnet18(weights=None)
    ported = dict(zip(resnet.state_dict(), values, strict=False))  # fc comes last, and is left out
    assert list(resnet.state_dict())[len(ported) :] == ["fc.weight", "fc.bias"]
    resnet.load_state_dict(ported, strict=False)
    for key, value in model.encoder.state_dict().items():
        assert torch.equal(resnet.state_dict()[key], value), key


def test_the_official_model_loads_it_strictly_and_embeds_alike(
    published: Path, model: ContrastiveModel, images: Tensor
) -> None:
    official = OfficialModel()
    state = torch.load(published / "official.ckpt", weights_only=True)["state_dict"]
    assert list(state) == list(official.state_dict())
    official.load_state_dict(state)
    with torch.no_grad():
        torch.testing.assert_close(official.eval()(images), model.eval()(images))
    final = official.encoder.get_submodule("final_layer").state_dict()
    assert all(value.eq(0).all() for value in final.values())


@pytest.mark.parametrize("prefix", ["encoder.", ""])
def test_official_weights_come_back_under_torchvisions_names(
    published: Path, model: ContrastiveModel, prefix: str
) -> None:
    state = torch.load(published / "official.ckpt", weights_only=True)["state_dict"]
    state = {key.replace("encoder.", prefix, 1): value for key, value in state.items()}
    found, expected = from_official(state), model.encoder.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_an_official_state_dict_is_told_from_torchvisions(published: Path, model: ContrastiveModel) -> None:
    assert is_official(torch.load(published / "official.ckpt", weights_only=True)["state_dict"])
    assert not is_official(model.encoder.state_dict())
    assert not is_official({"backbone.features.0.weight": 1})
    assert from_official({"features.2.weight": torch.ones(1), "projection_head.0.bias": torch.ones(1)}) == {}


_TORCH_ALONE = """
import sys
for name in ("torchvision", "simhand"):
    sys.modules[name] = None  # importing it fails now
import torch
folder = sys.argv[1]
encoder = torch.export.load(f"{folder}/encoder_exported.pt2").module()
batches = torch.load(f"{folder}/batches.pt")
torch.save([encoder(batch).detach() for batch in batches], f"{folder}/found.pt")
"""


def test_the_exported_encoder_runs_with_torch_alone(
    published: Path, model: ContrastiveModel, images: Tensor, tmp_path: Path
) -> None:
    (tmp_path / "encoder_exported.pt2").write_bytes((published / "encoder_exported.pt2").read_bytes())
    batches = [images[:1], images, images[:3, :, 7:40], images[:, :, :33, :33]]  # sizes are free too
    torch.save(batches, tmp_path / "batches.pt")
    subprocess.run([sys.executable, "-c", _TORCH_ALONE, str(tmp_path)], check=True)
    with torch.no_grad():
        expected = [model.encoder.eval()(batch) for batch in batches]
    for found, wanted in zip(torch.load(tmp_path / "found.pt"), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_an_encoder_for_the_smallest_images_is_exported_for_them(model: ContrastiveModel, images: Tensor) -> None:
    state = {key: value.contiguous() for key, value in model.encoder.state_dict().items()}
    exported = torch.export.load(io.BytesIO(exported_program(state, "resnet18", 32))).module()
    small = images[:, :, :32, :32]
    with torch.no_grad():
        torch.testing.assert_close(exported(small), model.encoder.eval()(small))


def test_equal_weights_are_equal_bytes_that_tell_no_paths(
    published: Path, model: ContrastiveModel, facts: RunFacts, tmp_path: Path
) -> None:
    publish(model.eval(), facts, tmp_path / "other" / "encoder.pt")
    folders = (published, tmp_path / "other")
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert set(first) == {"encoder.pt", "official.ckpt", "encoder_exported.pt2", "card.json"}
    assert first == second
    for content in first.values():
        assert str(ROOT).encode() not in content
        assert b"site-packages" not in content


def test_publishing_leaves_the_model_and_the_random_numbers_alone(
    model: ContrastiveModel, facts: RunFacts, tmp_path: Path
) -> None:
    before = torch.get_rng_state()
    publish(model.train(), facts, tmp_path / "encoder.pt")
    assert model.training
    assert model.encoder.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_card_tells_what_the_encoder_is(published: Path, facts: RunFacts) -> None:
    card = json.loads((published / "card.json").read_text())
    assert card["what"] == "hand encoder: torchvision's resnet18 without fc, pre-trained with simhand"
    assert card["encoder"]["architecture"] == "resnet18"
    assert card["encoder"]["image_size_px"] == 48
    assert card["encoder"]["output_width"] == 512
    assert card["encoder"]["mean"] == [0.485, 0.456, 0.406]
    assert (card["method"], card["weighting"], card["seed"]) == ("simhand", "none", 7)
    training = card["training"]
    assert training.pop("device").startswith("cpu, ")
    assert training == {
        "epochs": 2,
        "steps": 6,
        "pairs_per_step": 8,
        "pairs_per_loss": 4,
        "mean_loss_of_last_epoch": 3.0,  # of 4, 3 and 2
        "loss_of_last_step": 2.0,
        "processes": 2,
    }
    assert card["data"] == {
        "pool": "made-up",
        "hands": 26,
        "shards_by_source": {"ego": ["0of2", "1of2"], "exo": ["0of1"]},
        "digest": "d1935",
    }
    assert card["code"]["fingerprint"] == "c0de"
    assert card["code"]["torch"] == torch.__version__
    assert PretrainingSettings.model_validate(card["settings"]) == facts.settings


def test_a_loss_of_one_process_is_over_the_whole_batch(
    model: ContrastiveModel, facts: RunFacts, tmp_path: Path
) -> None:
    settings = facts.settings.model_copy(update={"per_device_loss": False})
    publish(model, replace(facts, settings=settings), tmp_path / "encoder.pt")
    assert json.loads((tmp_path / "card.json").read_text())["training"]["pairs_per_loss"] == 8


def test_a_card_has_a_line_for_each_key() -> None:
    value = {"a": [1, 2], "b": {"c": "é", "d": {}}, "e": None}
    text = '{\n  "a": [1, 2],\n  "b": {\n    "c": "é",\n    "d": {}\n  },\n  "e": null\n}'
    assert card_text(value) == text
    assert json.loads(text) == value


def test_the_code_of_training_has_a_fingerprint() -> None:
    assert len(training_code()) == 16
    assert int(training_code(), 16) > 0
