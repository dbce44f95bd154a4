"""Several processes, joined by gloo, compute what one does on the same batch: loss, weights and every gradient."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from simhand.errors import ConfigError
from simhand.pretraining.augment import Views
from simhand.pretraining.crops import Pair
from simhand.pretraining.encoder import ContrastiveModel, build_model
from simhand.pretraining.processes import ALONE, Processes, joined
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.step import Step, batch_views, contrastive_loss
from simhand.pretraining.weights import adaptive_weights

PAIRS = 8
CPU = torch.device("cpu")
CASES: dict[str, dict[str, Any]] = {
    "simclr": {"method": "simclr"},
    "linear": {"method": "simhand", "weighting": "linear"},
    "sigmoid": {"method": "peclr", "weighting": "sigmoid"},
    "official linear": {"method": "simhand", "weighting": "linear", "behaviour": "official"},
    "official sigmoid": {"method": "simhand", "weighting": "sigmoid", "behaviour": "official"},
    "in parts": {"method": "simhand", "weighting": "linear", "micro_batch": 1},
    "per device": {"method": "simhand", "weighting": "linear", "per_device_loss": True},
}
Result = dict[str, Any]


def settings_of(case: str) -> PretrainingSettings:
    small = {"encoder": "resnet18", "image_size": 32, "projection_hidden": 32, "projection_dim": 16, "pool": "made-up"}
    return PretrainingSettings.model_validate({**small, **CASES[case]})


def model_of(settings: PretrainingSettings) -> ContrastiveModel:
    """Random weights, in double precision, its batch statistics held fixed."""
    torch.manual_seed(0)
    return build_model(settings).double().eval()


def views_of(settings: PretrainingSettings, processes: Processes = ALONE) -> Views:
    """Of this process's part of a batch of 8 pairs, in double precision."""
    random = torch.Generator().manual_seed(1)
    crops = torch.randint(0, 256, (PAIRS, 2, 3, 48, 48), generator=random, dtype=torch.uint8)
    keypoints_px = torch.rand(PAIRS, 2, 21, 2, generator=random) * 48
    own = processes.own(PAIRS)
    views = batch_views(Pair(torch.arange(PAIRS)[own], crops[own], keypoints_px[own]), settings, 3, processes)
    return replace(views, **{name: value.double() for name, value in vars(views).items()})


def result_of(model: nn.Module, settings: PretrainingSettings, processes: Processes) -> Result:
    views = views_of(settings, processes)
    loss = Step(model, settings, processes).backward(views)
    weights = (
        adaptive_weights(*views.keypoints_px.chunk(2), settings, processes) if settings.weighting != "none" else ()
    )
    inner = model.module if isinstance(model, DistributedDataParallel) else model
    return {
        "loss": processes.sum(loss) / processes.count,
        "gradients": [parameter.grad for parameter in inner.parameters()],
        "weights": [each for each in weights if each is not None],
    }


def in_a_process(rank: int, count: int, port: int, folder: Path) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(count), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    with joined(count, CPU) as processes:
        results = {}
        for case in CASES:
            settings = settings_of(case)
            model = DistributedDataParallel(model_of(settings), gradient_as_bucket_view=True)
            results[case] = result_of(model, settings, processes)
        torch.save(results, folder / f"{rank}.pt")


@pytest.fixture(scope="module", params=[2, 4])
def shared_results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Result]]:
    """Of every process."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(in_a_process, (request.param, port, folder), nprocs=request.param)
    return [torch.load(folder / f"{rank}.pt") for rank in range(request.param)]


def close(one: Tensor, other: Tensor) -> None:
    assert (one - other).norm() <= 1e-9 * other.norm() + 1e-15


@pytest.mark.parametrize("case", [case for case in CASES if case != "per device"])
def test_loss_and_gradients_are_those_of_one_process(shared_results: list[dict[str, Result]], case: str) -> None:
    settings = settings_of(case)
    alone = result_of(model_of(settings), settings, ALONE)
    for results in shared_results:
        close(results[case]["loss"], alone["loss"])
        for shared, own in zip(results[case]["gradients"], alone["gradients"], strict=True):
            close(shared, own)


@pytest.mark.parametrize("case", ["linear", "sigmoid", "official linear", "official sigmoid"])
def test_weights_are_those_of_the_whole_batch(shared_results: list[dict[str, Result]], case: str) -> None:
    settings, count = settings_of(case), len(shared_results)
    positive, pairs = result_of(model_of(settings), settings, ALONE)["weights"]
    parts = torch.arange(2 * PAIRS).view(2, count, -1).transpose(0, 1)  # of each process: its hands, their positives
    order = parts.flatten()  # in which processes have them
    for rank, results in enumerate(shared_results):
        own_positive, own_pairs = results[case]["weights"]
        close(own_positive, positive[Processes(count, rank).own(PAIRS)])
        close(own_pairs, pairs[parts[rank].flatten()][:, order])


def test_a_loss_of_each_device_is_the_mean_of_its_parts(shared_results: list[dict[str, Result]]) -> None:
    settings, count = settings_of("per device"), len(shared_results)
    model = model_of(settings)
    views = [views_of(settings, Processes(count, rank)) for rank in range(count)]
    loss = torch.stack([contrastive_loss(model(each.images), each, settings) for each in views]).mean()
    loss.backward()
    for results in shared_results:
        close(results["per device"]["loss"], loss.detach())
        for shared, parameter in zip(results["per device"]["gradients"], model.parameters(), strict=True):
            assert parameter.grad is not None
            close(shared, parameter.grad)


def test_views_do_not_depend_on_the_number_of_processes() -> None:
    settings = settings_of("linear")
    whole = views_of(settings)
    for rank in range(4):
        own = torch.arange(2 * PAIRS).view(2, PAIRS)[:, Processes(4, rank).own(PAIRS)].flatten()
        part = views_of(settings, Processes(4, rank))
        for name, value in vars(part).items():
            torch.testing.assert_close(value, getattr(whole, name)[own], rtol=0, atol=1e-6)


def test_another_number_of_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(ConfigError, match=r"expected: 2\n.*got: +1\n.*torchrun --standalone --nproc-per-node 2"),
        joined(2, CPU),
    ):
        pass
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"expected: 1\n.*got: +2"), joined(1, CPU):
        pass


def test_a_batch_that_cannot_be_shared_is_refused(small_settings: Callable[..., PretrainingSettings]) -> None:
    with pytest.raises(ValueError, match=r"batch_size \(9\) must be a multiple of processes \(2\)"):
        small_settings(batch_size=9, processes=2)
