"""Two processes, joined by gloo, get the losses and gradients of both heads that one gets on the same batch."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, multiprocessing, nn

from simhand.finetuning.heads import HEADS
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.processes import ALONE, Processes, joined
from tests.finetuning.made_up_batch import batch_of, random_joints, rows

COUNT, IMAGES, SIZE = 2, 4, 32
CPU = torch.device("cpu")
CLOSE = 1e-9
Result = dict[str, Any]


def settings_of(head: str) -> FinetuningSettings:
    return FinetuningSettings.model_validate({"head": head, "encoder": "resnet18", "image_size": SIZE})


def model_of(head: str) -> nn.Module:
    """Random weights, in double precision, its batch statistics held fixed."""
    torch.manual_seed(0)
    return HEADS[head].build(settings_of(head)).double().eval()


def whole_batch() -> Sample:
    """The processes' parts differ in how much is seen, and in one hand the unit of depth is not known."""
    seen = torch.ones(IMAGES, 21, dtype=torch.bool)
    seen[0, 3:9] = seen[1, 13:] = seen[3, 20] = False
    batch = batch_of(random_joints(IMAGES), SIZE, seen)
    scales = batch.scale_mm.clone()
    scales[1] = torch.nan
    return batch._replace(scale_mm=scales)


def result_of(head: str, processes: Processes) -> Result:
    model, settings = model_of(head), settings_of(head)
    shared = processes.share(model)
    batch = rows(whole_batch(), processes.own(IMAGES))
    losses = HEADS[head].losses(shared(batch.image), batch, settings, processes)
    losses["loss"].backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return {"losses": {name: loss.detach() for name, loss in losses.items()}, "gradients": gradients}


def in_a_process(rank: int, port: int, folder: Path) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(COUNT), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    with joined(COUNT, CPU) as processes:
        torch.save({head: result_of(head, processes) for head in HEADS}, folder / f"{rank}.pt")


@pytest.fixture(scope="module")
def shared_results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Result]]:
    """Of every process."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(in_a_process, (port, folder), nprocs=COUNT)
    return [torch.load(folder / f"{rank}.pt") for rank in range(COUNT)]


def close(one: Tensor, other: Tensor) -> None:
    assert (one - other).norm() <= CLOSE * other.norm() + 1e-15


@pytest.mark.parametrize("head", HEADS)
def test_losses_and_gradients_are_those_of_one_process(shared_results: list[dict[str, Result]], head: str) -> None:
    alone = result_of(head, ALONE)
    assert all(loss > 0 for loss in alone["losses"].values())
    assert all(gradient is not None for gradient in alone["gradients"])
    for results in shared_results:
        assert results[head]["losses"].keys() == alone["losses"].keys()
        for name, loss in alone["losses"].items():
            close(results[head]["losses"][name], loss)
        for shared, own in zip(results[head]["gradients"], alone["gradients"], strict=True):
            close(shared, own)
