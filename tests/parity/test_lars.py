"""LARS over Adam and the schedule against the official configuration's (c_lars.npz)."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import nn

from simhand.pretraining.lars import LarsAdam, parameter_groups
from simhand.pretraining.schedule import learning_rate


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("c_lars")


def test_parameters_and_scaled_gradients_of_all_steps(data: NpzFile) -> None:
    meta = json.loads(str(data["meta_json"]))
    names = meta["decay_group"] + meta["no_decay_group"]
    parameters = {name: nn.Parameter(torch.tensor(data[f"p0/{name}"])) for name in names}
    groups = parameter_groups(parameters.items(), float(data["weight_decay"]), by_name=True)
    for group, key in zip(groups, ("decay_group", "no_decay_group"), strict=True):
        assert {id(each) for each in group["params"]} == {id(parameters[name]) for name in meta[key]}
    optimiser = LarsAdam(groups, lr=meta["base_lr"])
    steps_per_epoch = meta["iters_per_epoch"] // meta["config"]["num_of_mini_batch"]
    warmup_steps = meta["config"]["warmup_epochs"] * steps_per_epoch
    for step, recorded_rate in enumerate(data["lr_used"]):
        rate = learning_rate(step, meta["base_lr"], warmup_steps, meta["max_epochs"] * steps_per_epoch)
        assert rate == pytest.approx(recorded_rate, rel=1e-9, abs=1e-15)
        for group in optimiser.param_groups:
            group["lr"] = rate
        for name, parameter in parameters.items():
            key = f"g{step}/{name}"
            parameter.grad = torch.tensor(data[key]) if key in data.files else None
        optimiser.step()
        for name, parameter in parameters.items():
            np.testing.assert_allclose(parameter.detach(), data[f"p{step + 1}/{name}"], rtol=1e-6, atol=1e-7)
            if parameter.grad is not None:
                np.testing.assert_allclose(parameter.grad, data[f"gscaled{step}/{name}"], rtol=1e-5, atol=1e-12)


def test_schedules(data: NpzFile) -> None:
    cases = [name.removeprefix("sched/") for name in data.files if name.startswith("sched/")]
    assert cases
    for case in cases:
        meta = json.loads(str(data[f"sched_meta/{case}"]))
        # accumulated batches make fewer steps; plain Adam has no warm-up
        accumulated, epochs = meta["config"]["num_of_mini_batch"], meta["max_epochs"]
        warmup_epochs = meta["config"]["warmup_epochs"] if meta["config"]["optimizer"] == "LARS" else 0
        warmup_steps = warmup_epochs * meta["iters_per_epoch"] // accumulated
        steps = epochs * meta["iters_per_epoch"] // accumulated
        own = [learning_rate(step, meta["base_lr"], warmup_steps, steps) for step in range(meta["n"])]
        np.testing.assert_allclose(own, data[f"sched/{case}"], rtol=1e-12, atol=1e-15, err_msg=case)
