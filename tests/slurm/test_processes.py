"""Training in several processes, on one node and on two, joined by gloo: Slurm's GPUs here only count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.site import Site
from tests.workflow.checkout import Checkout

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(2400)]

FOLDER = Path("results/pretraining/simhand")
ENCODER = str(FOLDER / "encoder.pt")


def set_run(checkout: Checkout, **settings: Any) -> None:
    config = checkout.config()
    config["pretraining"]["simhand"] |= settings
    checkout.write_config(config)


def trained_once(checkout: Checkout) -> str:
    """What the run says of itself; it was started once."""
    log = (checkout.folder / "results/logs/pretrain/simhand.log").read_text()
    starts = [line for line in log.splitlines() if " hands, from random weights: " in line]
    assert len(starts) == 1, log
    return starts[0]


def test_two_processes_of_one_node_and_of_two_train_what_two_train_without_a_cluster(
    cluster: Cluster, finished: Site, local: Checkout, tmp_path: Path
) -> None:
    folder = finished.checkout.folder
    set_run(finished.checkout, processes=2, checkpoint_every_steps=100)  # one a step takes longer than the step
    finished.checkout.snakemake("--cores", "2", ENCODER)
    expected = (folder / ENCODER).read_bytes()
    assert expected != (local.folder / ENCODER).read_bytes()  # of one process, whose batch norm sees whole batches
    trained_once(finished.checkout)

    (folder / ENCODER).unlink()
    finished.run(ENCODER)
    one_node = finished.calls("sbatch")[-1]
    assert " -p gpu " in one_node
    assert all(option in one_node for option in (" --gpus=2", " --nodes=1 ", " --cpus-per-gpu=8 "))
    assert "--ntasks-per-gpu" not in one_node
    assert (cluster.jobs()[-1].nodes, cluster.jobs()[-1].cpus) == ("gpu1", "16")
    assert "2 x cpu" in trained_once(finished.checkout)
    assert (folder / ENCODER).read_bytes() == expected

    (folder / ENCODER).unlink()
    set_run(finished.checkout, nodes=2)
    finished.run(ENCODER)
    two_nodes = finished.calls("sbatch")[-1]
    asked = (" -p gpu ", " --nodes=2 ", " --cpus-per-task=8 ", " --gres=gpu:1")
    assert all(option in two_nodes for option in asked), two_nodes
    assert "--gpus" not in two_nodes
    assert (cluster.jobs()[-1].nodes, cluster.jobs()[-1].cpus) == ("gpu[1-2]", "16")
    assert "2 x cpu" in trained_once(finished.checkout)
    assert (folder / ENCODER).read_bytes() == expected
