"""Checkpoints: written whole, the last two kept, and refused by a run of another configuration.

A checkpoint holds weights and the optimiser's state after a number of steps. The learning rate, the order of hands and
their views need no place in it: they are functions of the seed and the step.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import torch
from torch import nn

from simhand.errors import CheckpointError, WeightsError
from simhand.files import whole_file
from simhand.locks import Lock, lock
from simhand.pretraining.settings import EXECUTION, PretrainingSettings
from simhand.state_file import read_state

log = logging.getLogger(__name__)

Fingerprint = dict[str, Any]
_KEPT = 2
# What may change between two starts of the same run; the initial weights count by their content.
_FREE = EXECUTION | {"initial"}


def fingerprint(settings: PretrainingSettings, data_digest: str, initial: Path | None) -> Fingerprint:
    """What makes a run this run, one key for each setting (`augmentation.hue`, say), and the identity of its data.

    Args:
        settings: of the run.
        data_digest: of its data.
        initial: the file of weights that it starts from.

    Raises:
        WeightsError: that file cannot be read.
    """
    found: Fingerprint = {}
    for key, value in settings.model_dump(mode="json", exclude=_FREE).items():
        nested = value if isinstance(value, dict) else None
        found |= {key: value} if nested is None else {f"{key}.{inner}": each for inner, each in nested.items()}
    return {**found, "content of initial": _content(settings, initial), "content of the pool": data_digest}


def _content(settings: PretrainingSettings, initial: Path | None) -> str:
    if initial is None:
        return settings.initial
    try:
        return hashlib.blake2b(initial.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise WeightsError("cannot read initial weights", where=initial, got=error) from error


class Stateful(Protocol):
    """What a checkpoint can hold."""

    def state_dict(self) -> dict[str, Any]:
        """What is to be kept."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Goes on from there."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run in its own folder."""

    folder: Path
    fingerprint: Fingerprint

    def save(self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer, **others: Stateful) -> None:
        """Writes the state after `step` steps and deletes all but the last two."""
        parts: dict[str, Stateful] = {"model": model, "optimiser": optimiser, **others}
        states = {name: part.state_dict() for name, part in parts.items()}
        state = {"fingerprint": self.fingerprint, "step": step, **states}
        with whole_file(self.folder / f"step_{step:09d}.pt") as temporary:
            torch.save(state, temporary)
        for old in self._paths()[:-_KEPT]:
            old.unlink(missing_ok=True)

    def resume(self, model: nn.Module, optimiser: torch.optim.Optimizer, **others: Stateful) -> int:
        """Loads the latest checkpoint and returns the number of steps it has behind it; 0 if there is none.

        Raises:
            CheckpointError: it is damaged, or belongs to another configuration.
        """
        path = self.latest()
        if path is None:
            return 0
        state = _load(path)
        self._check(state["fingerprint"], path)
        parts: dict[str, Stateful] = {"model": model, "optimiser": optimiser, **others}
        for name, part in parts.items():
            part.load_state_dict(state[name])
        log.info("resuming from %s, after step %d", path, state["step"])
        return state["step"]

    @contextmanager
    def alone(self, patience_s: float = 300.0) -> Iterator[None]:
        """No other process writes here until the end of the block.

        One that was told to end, or whose starter was killed, may still be finishing a step: it is waited for.

        Raises:
            CheckpointError: another process still trains this run after `patience_s` seconds.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("ab") as file:
            _wait_for(file, self.folder, patience_s)
            yield

    def latest(self) -> Path | None:
        """The file of the latest checkpoint, None if there is none."""
        return self._paths()[-1] if self._paths() else None

    def clear(self) -> None:
        """Deletes all checkpoints, and what a killed process left half written."""
        for path in [*self._paths(), *self.folder.glob(".step_*.partial")]:
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step_*.pt"))

    def _check(self, found: Fingerprint, path: Path) -> None:
        differing = [key for key in sorted({*found, *self.fingerprint}) if found.get(key) != self.fingerprint.get(key)]
        if differing:
            raise CheckpointError(
                "a checkpoint of another configuration",
                where=path,
                expected="; ".join(f"{key} = {self.fingerprint.get(key)}" for key in differing),
                got="; ".join(f"{key} = {found.get(key)}" for key in differing),
                hint=f"to train anew, delete {path.parent}; to go on with the old run, restore its configuration",
            )


def _wait_for(file: IO[bytes], folder: Path, patience_s: float) -> None:
    until, told = time.monotonic() + patience_s, False
    while (got := lock(file)) is Lock.TAKEN:
        if time.monotonic() > until:
            hint = "wait until it has ended, or end it"
            raise CheckpointError("another process trains this run", where=folder, hint=hint)
        if not told:
            log.info("another process still trains this run: waiting for its end")
        told = True
        time.sleep(min(1.0, patience_s))
    if got is Lock.UNKNOWN:
        log.warning("the disk of %s has no locks: nobody would notice a second process that trains this run", folder)


def _load(path: Path) -> dict[str, Any]:
    try:
        return read_state(path)
    except ValueError as error:
        hint = "delete it: the run goes on from the checkpoint before it, or from the start"
        raise CheckpointError("a checkpoint is damaged", where=path, got=error, hint=hint) from error
