"""Files of weights from elsewhere: what is damaged, or would run code, is refused in words of our own."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest
import torch
from torch import nn

from simhand.state_file import read_state


class _Attack:
    def __reduce__(self) -> tuple:
        return os.system, ("false",)


def file_of(content: object, zipped: bool) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


@pytest.fixture
def content() -> dict:
    """As a trainer leaves it."""
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(4)).sum().backward()
    optimizer.step()
    return {"epoch": 8, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "name": "n", "flag": False}


@pytest.mark.parametrize("zipped", [False, True])
def test_what_was_saved_is_read(content: dict, zipped: bool, tmp_path: Path) -> None:
    (tmp_path / "s.pt").write_bytes(file_of(content, zipped))
    state = read_state(tmp_path / "s.pt")
    assert {key: state[key] for key in ("epoch", "name", "flag")} == {"epoch": 8, "name": "n", "flag": False}
    assert torch.equal(state["model"]["weight"], content["model"]["weight"])
    momenta = [entry["momentum_buffer"] for entry in state["optimizer"]["state"].values()]
    assert [momentum.tolist() for momentum in momenta] == [[[1.0] * 4] * 3, [1.0] * 3]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [False, True])
def test_a_damaged_file_is_a_value_error_wherever_it_is_damaged(content: dict, zipped: bool, tmp_path: Path) -> None:
    """Some damage goes unnoticed; none is another error."""
    whole, path = file_of(content, zipped), tmp_path / "s.pt"
    chance, refused = random.Random(0), 0
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randrange(1, len(damaged))] if chance.random() < 0.5 else damaged)
        try:
            read_state(path)
        except ValueError:
            refused += 1
    assert refused > 250


@pytest.mark.parametrize("zipped", [False, True])
def test_advice_to_trust_the_file_is_not_passed_on(zipped: bool, tmp_path: Path) -> None:
    (tmp_path / "s.pt").write_bytes(file_of({"model": _Attack()}, zipped))
    with pytest.raises(
        ValueError, match=r"^it holds \w+\.system, and only tensors and plain values are read$"
    ) as caught:
        read_state(tmp_path / "s.pt")
    assert caught.value.__suppress_context__  # nor in a traceback
    (tmp_path / "s.pt").write_text("<html>quota exceeded</html>")
    with pytest.raises(ValueError, match=r"^it is damaged, or torch\.save did not write it$"):
        read_state(tmp_path / "s.pt")


def test_of_a_file_that_was_cut_a_line_is_said(content: dict, tmp_path: Path) -> None:
    """Without PyTorch's guesses at what happened."""
    whole = file_of(content, zipped=True)
    (tmp_path / "s.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"^RuntimeError: [\w ]+ zip archive: failed finding central directory$"):
        read_state(tmp_path / "s.pt")


def test_of_an_empty_file_too(tmp_path: Path) -> None:
    (tmp_path / "s.pt").touch()
    with pytest.raises(ValueError, match=r"^EOFError$"):
        read_state(tmp_path / "s.pt")


def test_a_missing_file_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_state(tmp_path / "s.pt")
