from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from simhand.__main__ import main
from simhand.errors import WeightsError
from simhand.export.encoder import export_encoder
from simhand.pretraining.official import official_state

FORMS = ("torchvision", "safetensors", "program", "torchscript")


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    """With statistics of batch norm that are not those of a new one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.resnet18(weights=None)
        network.fc = nn.Identity()
        network.train()
        with torch.no_grad():
            for _ in range(3):
                network(torch.rand(4, 3, 64, 64))
    return network.eval()


@pytest.fixture
def run(resnet: nn.Module, tmp_path: Path) -> Path:
    """The folder of a run with encoder.pt and its card."""
    folder = tmp_path / "run"
    folder.mkdir()
    torch.save(resnet.state_dict(), folder / "encoder.pt")
    (folder / "card.json").write_text(json.dumps({"settings": {"encoder": "resnet18", "image_size": 64}}))
    return folder


def as_users_load_it(path: Path, form: str) -> Any:
    if form == "program":
        return torch.export.load(path).module()
    if form == "torchscript":
        return torch.jit.load(path)
    state = load_file(path) if form == "safetensors" else torch.load(path, weights_only=True)
    network = torchvision.models.resnet18(weights=None)
    keys = network.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["fc.weight", "fc.bias"]
    assert keys.unexpected_keys == []
    network.fc = nn.Identity()
    return network.eval()


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same_features(run: Path, resnet: nn.Module, tmp_path: Path, form: Any) -> None:
    out = tmp_path / f"written.{form}"
    assert export_encoder(run / "encoder.pt", form, out) < 1e-4
    images = torch.rand(5, 3, 96, 64, generator=torch.Generator().manual_seed(1))  # another number, other sizes
    with torch.no_grad():
        expected, got = resnet(images), as_users_load_it(out, form)(images)
    assert got.shape == (5, 512)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_what_it_is_stands_in_safetensors(run: Path, tmp_path: Path) -> None:
    export_encoder(run / "encoder.pt", "safetensors", tmp_path / "out")
    with safe_open(tmp_path / "out", "pt") as file:
        assert file.metadata() == {"encoder": "resnet18", "image_size_px": "64"}


def test_without_a_card_the_weights_tell_the_resnet(run: Path, tmp_path: Path, resnet: nn.Module) -> None:
    (run / "card.json").unlink()
    export_encoder(run / "encoder.pt", "torchvision", tmp_path / "out.pt")
    written = torch.load(tmp_path / "out.pt", weights_only=True)
    assert written.keys() == resnet.state_dict().keys()
    assert all(torch.equal(value, resnet.state_dict()[key]) for key, value in written.items())


def test_an_official_checkpoint_becomes_torchvisions(run: Path, tmp_path: Path, resnet: nn.Module) -> None:
    projection = {
        "0.weight": torch.zeros(8, 512), "0.bias": torch.zeros(8), "1.weight": torch.ones(8), "1.bias": torch.zeros(8),
        "1.running_mean": torch.zeros(8), "1.running_var": torch.ones(8), "1.num_batches_tracked": torch.tensor(0),
        "3.weight": torch.zeros(4, 8), "3.bias": torch.zeros(4),
    }  # fmt: skip
    official = {"state_dict": official_state(dict(resnet.state_dict()), projection)}
    torch.save(official, tmp_path / "official.ckpt")
    export_encoder(tmp_path / "official.ckpt", "torchvision", tmp_path / "out.pt")
    written = torch.load(tmp_path / "out.pt", weights_only=True)
    assert all(torch.equal(value, resnet.state_dict()[key]) for key, value in written.items())


def test_no_file_and_no_encoder_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read weights"):
        export_encoder(tmp_path / "nowhere", "torchvision", tmp_path / "out.pt")
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="another network"):
        export_encoder(tmp_path / "other.pt", "torchvision", tmp_path / "out.pt")
    assert not (tmp_path / "out.pt").exists()


def test_a_run_goes_before_a_folder_of_its_name(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "simhand").mkdir()  # as in a checkout
    (tmp_path / "results" / "pretraining").mkdir(parents=True)
    run.rename(tmp_path / "results" / "pretraining" / "simhand")
    assert main(["export", "encoder", "simhand", "--out", "hand.pt"]) == 0
    assert capsys.readouterr().out == "hand.pt: torchvision, 45 MB; features differ by 0 at most\n"
    assert main(["export", "encoder", "other", "--out", "other.pt"]) == 1
    told = capsys.readouterr().err
    assert "no such encoder\n  where:    results/pretraining/other/encoder.pt\n" in told
    assert "a finished run (simhand), its folder, or a file of weights\n  got:      other\n" in told
    assert main(["export", "encoder", "results/pretraining/simhand", "--out", "again.pt"]) == 0
    assert (tmp_path / "again.pt").read_bytes() == (tmp_path / "hand.pt").read_bytes()
