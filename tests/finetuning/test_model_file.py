"""A fine-tuned DetNet as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from simhand.errors import WeightsError
from simhand.finetuning.initial import initial_model
from simhand.finetuning.model_file import read_model, write_model
from simhand.finetuning.settings import FinetuningSettings

CARD = {"encoder": "resnet18", "seed": 3}


@pytest.mark.parametrize("head", ["detnet", "regression25d"])
def test_what_was_written_is_read(tmp_path: Path, head: str) -> None:
    settings = FinetuningSettings(encoder="resnet18", head=head, image_size=64)
    model, card = initial_model(settings, None, seed=0), {**settings.values(), "seed": 3}
    for name in ("first.pt", "second.pt"):
        write_model(model, card, tmp_path / name)
    assert (tmp_path / "first.pt").read_bytes() == (tmp_path / "second.pt").read_bytes()
    found, found_settings, found_card = read_model(tmp_path / "first.pt")
    assert found_card == card
    assert found_settings == settings
    assert not found.training
    weights = model.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in found.state_dict().items())


@pytest.mark.parametrize("content", [None, {}, {"card": CARD, "state_dict": {}}, {"card": {"encoder": "resnet9"}}])
def test_something_else_is_refused(tmp_path: Path, content: object) -> None:
    if content is None:
        (tmp_path / "model.pt").write_bytes(b"not a model")
    else:
        torch.save(content, tmp_path / "model.pt")
    with pytest.raises(WeightsError, match=r"model\.pt"):
        read_model(tmp_path / "model.pt")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "model.pt"
    torch.save({"card": CARD, "state_dict": {}}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"cannot read a fine-tuned model\n.*model\.pt"):
            read_model(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"model\.pt"):
        read_model(tmp_path / "model.pt")
