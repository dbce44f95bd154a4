"""Checkpoints: the last two stay, the state comes back whole, and strangers are refused."""

from __future__ import annotations

import errno
import fcntl
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from simhand.errors import CheckpointError
from simhand.pretraining.checkpoint import Checkpoints, fingerprint
from simhand.pretraining.lars import LarsAdam
from simhand.pretraining.settings import PretrainingSettings


def trained(steps: int) -> tuple[nn.Module, LarsAdam]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimiser = LarsAdam([{"params": list(model.parameters()), "decay": 0.1}], lr=0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        model(torch.randn(4, 3)).square().sum().backward()
        optimiser.step()
    return model, optimiser


def test_the_latest_comes_back_and_two_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, {"seed": 1})
    for step in (5, 90, 1000):
        model, optimiser = trained(3)
        checkpoints.save(step, model, optimiser)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step_000000090.pt", "step_000001000.pt"]
    fresh, its_optimiser = trained(0)
    assert checkpoints.resume(fresh, its_optimiser) == 1000
    torch.testing.assert_close(fresh.state_dict(), model.state_dict(), rtol=0, atol=0)
    ours, theirs = its_optimiser.state_dict(), optimiser.state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    torch.testing.assert_close(ours["state"], theirs["state"], rtol=0, atol=0)
    checkpoints.clear()
    assert not list(tmp_path.iterdir())
    assert checkpoints.resume(fresh, its_optimiser) == 0


def test_another_configuration_is_refused_with_what_differs(tmp_path: Path) -> None:
    Checkpoints(tmp_path, {"seed": 1, "epochs": 3, "old": 7}).save(5, *trained(1))
    with pytest.raises(CheckpointError) as refused:
        Checkpoints(tmp_path, {"seed": 1, "epochs": 4}).resume(*trained(0))
    assert "expected: epochs = 4; old = None" in str(refused.value)
    assert "got:      epochs = 3; old = 7" in str(refused.value)
    assert "delete" in str(refused.value)


@pytest.mark.parametrize("damage", [b"", b"no checkpoint at all"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: bytes) -> None:
    checkpoints = Checkpoints(tmp_path, {})
    checkpoints.save(5, *trained(1))
    (tmp_path / "step_000000006.pt").write_bytes(damage)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoints.resume(*trained(0))
    (tmp_path / "step_000000006.pt").unlink()
    assert checkpoints.resume(*trained(0)) == 5


def test_what_makes_a_run(tmp_path: Path, small_settings: Callable[..., PretrainingSettings]) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"some")
    base = fingerprint(small_settings(), "data", None)
    free = {"device": "auto", "workers": 3, "compile": True, "checkpoint_every_steps": 7}
    assert fingerprint(small_settings(**free), "data", None) == base
    changes = {"seed": 9, "method": "peclr", "augmentation": {"hue": (0.5, 1)}, "initial": "imagenet"}
    for key, value in changes.items():
        assert fingerprint(small_settings(**{key: value}), "data", None) != base
    assert fingerprint(small_settings(), "data", weights) != base
    assert fingerprint(small_settings(), "other data", None) != base
    moved = tmp_path / "elsewhere.pth"
    moved.write_bytes(b"some")
    first, second = (fingerprint(small_settings(initial=str(path)), "data", path) for path in (weights, moved))
    assert first == second
    assert "augmentation.hue" in base


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = Checkpoints(tmp_path / "run", {}), Checkpoints(tmp_path / "run", {})
    refused = pytest.raises(CheckpointError, match="another process trains this run")
    with caplog.at_level(logging.INFO), first.alone(), refused, second.alone(patience_s=0.1):
        pass
    assert "waiting for its end" in caplog.text
    with second.alone(patience_s=0.1):
        assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


def test_on_a_disk_without_locks_a_run_is_trained_and_says_what_nobody_would_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(file: object, operation: int) -> None:  # what Lustre answers that is mounted without flock
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with Checkpoints(tmp_path, {}).alone():
        assert "has no locks" in caplog.text
