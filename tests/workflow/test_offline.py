"""Jobs without a network, as on the compute nodes of many clusters: only a loopback is there."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.checkout import Checkout

IN_A_NAMESPACE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
REACH_OUT = """
import socket, sys
try:
    socket.create_connection(("192.0.2.1", 443), timeout=5)
except OSError as error:
    sys.exit(error.errno)
"""


def without_network(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command where there is no network; the test is skipped where no such place can be made."""
    loopback = [*IN_A_NAMESPACE, "ip", "link", "set", "lo", "up"]
    try:
        subprocess.run(loopback, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"no {error.filename} here (util-linux, iproute2)")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
    return subprocess.run(
        [*IN_A_NAMESPACE, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "TORCH_HOME": str(folder / "torch")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_that_there_is_no_network(tmp_path: Path) -> None:
    assert without_network(tmp_path, "-c", REACH_OUT).returncode == errno.ENETUNREACH


@pytest.fixture(scope="module")
def offline(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with one pool, one run of two processes, and one that starts from ImageNet's weights."""
    checkout = Checkout.new(tmp_path_factory.mktemp("offline"))
    shutil.copytree(small_demo, checkout.folder / "demo")
    config = checkout.config()
    config["sources"]["demo"]["shards"] = 2
    config["pools"] = {"demo": {"sources": ["demo"], "neighbours": 3, "max_failed_videos": 0.5}}
    defaults = config["pretraining"]["defaults"] | {"epochs": 1, "warmup_epochs": 0, "batch_size": 16}
    config["pretraining"] = {
        "defaults": defaults,
        "simhand": {"method": "simhand", "processes": 2},
        "from_imagenet": {"method": "simclr", "initial": "imagenet"},
    }
    config["labelled"] = {"demo": config["labelled"]["demo"]}
    config["finetuning"] |= {"epochs": 1, "batch_size": 8}
    config["experiment"] = {"runs": ["simhand"], "labelled": ["demo"]}
    checkout.write_config(config)
    return checkout


@pytest.mark.slow
def test_the_chain_needs_no_network_and_weights_that_would_are_named(offline: Checkout) -> None:
    metrics = "results/finetuning/demo/simhand/100/0/metrics.json"
    run = without_network(offline.folder, "-m", "snakemake", "--cores", "2", "data", metrics)
    assert run.returncode == 0, run.stdout[-5000:]
    assert (offline.folder / metrics).is_file()
    assert (offline.folder / "results/report/data/index.html").is_file()

    encoder = "results/pretraining/from_imagenet/encoder.pt"
    assert without_network(offline.folder, "-m", "snakemake", "--cores", "2", encoder).returncode == 1
    said = (offline.folder / "results/logs/pretrain/from_imagenet.log").read_text()
    file = offline.folder / "torch/hub/checkpoints/resnet18-f37072fd.pth"
    assert "WeightsError: ImageNet's weights cannot be had" in said
    assert f"where:    {file}" in said
    assert "download https://download.pytorch.org/models/resnet18-f37072fd.pth to that place" in said
    assert "Traceback" not in said
