"""A run on several nodes: each is a process here that is told the variables which Slurm's srun sets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import psutil
import pytest
from torch.distributed import DistError

from simhand.errors import ConfigError
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining import launch as launching
from simhand.pretraining.launch import launch
from simhand.pretraining.nodes import Node, slurm_node
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs
from tests.nodes import free_port, told_by_srun
from tests.pretraining.test_train import arguments, lines, outputs_in, same_course, wait_for_step

if TYPE_CHECKING:
    from .conftest import MadeUpPool

MakeSettings = Callable[..., PretrainingSettings]
STEPS = {"epochs": 5, "checkpoint_every_steps": 1000, "weighting": "linear"}  # 15 steps


def test_where_nodes_meet() -> None:
    assert slurm_node(2, told_by_srun(1)) == Node(1, "127.0.0.1", 24567)
    named = told_by_srun(0, 3, MASTER_ADDR="n1.cluster", MASTER_PORT="29500")
    assert slurm_node(3, named) == Node(0, "n1.cluster", 29500)
    del named["SLURM_JOB_ID"], named["SLURM_LAUNCH_NODE_IPADDR"]
    assert slurm_node(3, named) == Node(0, "n1.cluster", 29500)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SLURM_STEP_NUM_NODES": ""}, r"got: +no SLURM_STEP_NUM_NODES(.|\n)*hint: .*srun --nodes=2"),
        ({"SLURM_LAUNCH_NODE_IPADDR": ""}, "got: +no SLURM_LAUNCH_NODE_IPADDR"),
        ({"SLURM_STEP_NUM_NODES": "1", "SLURM_STEP_NUM_TASKS": "1"}, "expected: 2 nodes.*\n.*got: +1 nodes, 1 starts"),
        ({"SLURM_STEP_NUM_TASKS": "4"}, "got: +2 nodes, 4 starts"),
        ({"MASTER_PORT": "http"}, "where: +MASTER_PORT\n.*got: +http"),
    ],
)
def test_what_is_no_start_on_two_nodes(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        slurm_node(2, told_by_srun(0) | changes)


def test_nodes_share_processes_alike(small_settings: MakeSettings) -> None:
    assert small_settings(processes=4, nodes=2).nodes == 2
    with pytest.raises(ValueError, match=r"processes \(4\) must be a multiple of nodes \(3\)"):
        small_settings(processes=4, nodes=3)
    with pytest.raises(ValueError, match=r"processes \(1\) must be a multiple of nodes \(2\)"):
        FinetuningSettings(nodes=2)


def never(stop: Event) -> bool:
    raise AssertionError("trained here")


def test_a_start_without_srun_says_how_to_start(caplog: pytest.LogCaptureFixture) -> None:
    assert launch("no.module", 4, [], never, nodes=2) == 1
    assert "srun --nodes=2 --ntasks-per-node=1" in caplog.text


def test_what_torchrun_has_started_trains_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        assert launch("no.module", 4, [], lambda stop: True, nodes=2) == 0
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize("rank", [0, 1])
def test_nodes_that_do_not_meet(rank: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The other one never starts."""
    port = str(free_port())
    for name, value in told_by_srun(rank, MASTER_PORT=port).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(launching, "_PATIENCE_S", 2)
    for name in ("OMP_NUM_THREADS", "TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "SIMHAND_STARTER"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))  # what a start sets is taken back
    assert launch("no.module", 4, [], never, nodes=2) == 1
    assert "the nodes of the run have not met" in caplog.text
    assert re.search(rf"where: +node {rank}, at port {port} of 127.0.0.1", caplog.text)


def test_an_error_without_words_is_told_by_its_name() -> None:
    error = launching._apart(Node(1, "10.0.0.1", 24567), DistError())
    assert re.search(r"where: +node 1, at port 24567 of 10.0.0.1\n +got: +DistError\n", str(error))


def start_nodes(
    settings: PretrainingSettings, pool: MadeUpPool, outputs: Outputs, logs: Path
) -> list[subprocess.Popen[bytes]]:
    """The same command on each node; what node i says is in i.log."""
    command = [sys.executable, "-m", "simhand.pretraining", *arguments(settings, pool, outputs)]
    port, logs = str(free_port()), logs / "logs"
    logs.mkdir(exist_ok=True)
    nodes = []
    for rank in range(settings.nodes):
        told = told_by_srun(rank, settings.nodes, MASTER_PORT=port) if settings.nodes > 1 else {}
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **told}
        with (logs / f"{rank}.log").open("a") as log:
            nodes.append(
                subprocess.Popen(command, env=environment, start_new_session=True, stdout=log, stderr=subprocess.STDOUT)
            )
    return nodes


def trainers(node: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [child for child in psutil.Process(node.pid).children() if "WORLD_SIZE" in child.environ()]


@pytest.fixture(scope="module")
def one_node(pool: MadeUpPool, tmp_path_factory: pytest.TempPathFactory, small_settings: MakeSettings) -> Outputs:
    """An unbroken run of two processes on one node."""
    folder = tmp_path_factory.mktemp("one_node")
    (node,) = start_nodes(small_settings(**STEPS, processes=2), pool, outputs_in(folder), folder)
    assert node.wait(timeout=120) == 0, (folder / "logs" / "0.log").read_text()
    return outputs_in(folder)


def test_two_nodes_train_what_one_does(
    pool: MadeUpPool, outputs: Outputs, one_node: Outputs, small_settings: MakeSettings, tmp_path: Path
) -> None:
    nodes = start_nodes(small_settings(**STEPS, processes=2, nodes=2), pool, outputs, tmp_path)
    said = tmp_path / "logs"
    assert [node.wait(timeout=120) for node in nodes] == [0, 0], "".join(p.read_text() for p in said.iterdir())
    assert outputs.encoder.read_bytes() == one_node.encoder.read_bytes()
    assert same_course(outputs.metrics, one_node.metrics)
    assert "on 2 x cpu" in (said / "0.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_node_that_dies_ends_the_other(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings, tmp_path: Path, killed: int
) -> None:
    """Without a word, as when its power fails: the process that started the trainers, and those."""
    settings = small_settings(**{**STEPS, "epochs": 1000}, processes=2, nodes=2)
    nodes = start_nodes(settings, pool, outputs, tmp_path)
    wait_for_step(nodes[0], outputs, 2)
    for process in [*trainers(nodes[killed]), psutil.Process(nodes[killed].pid)]:
        process.kill()
    assert nodes[1 - killed].wait(timeout=60) > 0
    assert not outputs.encoder.exists()


@pytest.mark.slow
def test_nodes_told_to_end_go_on_to_the_same_weights(
    pool: MadeUpPool, one_node: Outputs, small_settings: MakeSettings, tmp_path: Path
) -> None:
    """First those of one node hear it, then all, as in a job that is cancelled."""
    settings, outputs, done = small_settings(**STEPS, processes=2, nodes=2), outputs_in(tmp_path), 0
    for told in ([1], [0, 1]):
        nodes = start_nodes(settings, pool, outputs, tmp_path)
        wait_for_step(nodes[0], outputs, done + 2)
        for rank in told:
            os.killpg(nodes[rank].pid, signal.SIGTERM)
        assert nodes[1].wait(timeout=60) == 128 + signal.SIGTERM
        done = int(max(outputs.checkpoints.glob("step_*.pt")).stem.removeprefix("step_"))
        assert nodes[0].wait(timeout=60) == 128 + signal.SIGTERM
        assert lines(outputs.checkpoints / "metrics.jsonl")[-1]["step"] == done < 15

    assert [node.wait(timeout=120) for node in start_nodes(settings, pool, outputs, tmp_path)] == [0, 0]
    assert f"after step {done}" in (tmp_path / "logs" / "1.log").read_text()
    assert outputs.encoder.read_bytes() == one_node.encoder.read_bytes()
    assert same_course(outputs.metrics, one_node.metrics)
