from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simhand.synthetic.demo import render_demo
from simhand.synthetic.settings import DemoSettings
from tests.slurm.cluster import Cluster, reason_to_skip, slurm
from tests.slurm.site import Site, on_cluster
from tests.workflow.checkout import Checkout

DEMO = DemoSettings(videos=5, seconds=(5.0, 6.0), training=16, evaluation=8, dexycb=(0, 0), assemblyhands=(0, 0))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Slurm of four nodes; where there can be none its tests are skipped, or fail if SIMHAND_SLURM is set."""
    if reason := reason_to_skip():
        (pytest.fail if "SIMHAND_SLURM" in os.environ else pytest.skip)(reason)
    with tempfile.TemporaryDirectory(prefix="simhand-slurm-") as folder, slurm(Path(folder)) as running:
        yield running


def small_config(config: dict[str, Any]) -> dict[str, Any]:
    """The demo's configuration with one pool, one run and one labelled set."""
    config["sources"]["demo"]["shards"] = 2
    pool = {"sources": ["demo"], "components": 8, "neighbours": 3, "query_shards": 2, "max_failed_videos": 0.5}
    config["pools"] = {"demo": pool}
    small = {"epochs": 20, "warmup_epochs": 0, "batch_size": 8, "checkpoint_every_steps": 1}
    defaults = config["pretraining"]["defaults"] | small
    config["pretraining"] = {"defaults": defaults, "simhand": config["pretraining"]["simhand"]}
    config["labelled"] = {"demo": config["labelled"]["demo"]}
    config["finetuning"] |= {"epochs": 1, "batch_size": 8}
    config["experiment"] = {"runs": ["none", "simhand"], "labelled": ["demo"]}
    return config


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded demo, smaller; an hour old, as a video younger than 2 s is looked at again the next time."""
    folder = tmp_path_factory.mktemp("rendered") / "demo"
    render_demo(folder, DEMO, jobs=2)
    an_hour_ago = time.time() - 3600
    for path in folder.rglob("*"):
        os.utime(path, (an_hour_ago, an_hour_ago))
    return folder


@pytest.fixture(scope="session")
def new_checkout(rendered: Path) -> Callable[[Path], Checkout]:
    """Makes a checkout with the small demo and its configuration."""

    def make(folder: Path) -> Checkout:
        folder.mkdir(exist_ok=True)
        checkout = Checkout.new(folder)
        shutil.copytree(rendered, folder / "demo")
        checkout.write_config(small_config(checkout.config()))
        return checkout

    return make


@pytest.fixture(scope="session")
def local(new_checkout: Callable[[Path], Checkout], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Where the chain has run without a cluster and undisturbed; tests leave it as it is."""
    checkout = new_checkout(tmp_path_factory.mktemp("local"))
    checkout.snakemake("--cores", "2", "all")
    return checkout


@pytest.fixture
def site(cluster: Cluster, new_checkout: Callable[[Path], Checkout], tmp_path: Path) -> Iterator[Site]:
    """A checkout in which nothing has run yet."""
    yield from _for_a_test(on_cluster(new_checkout(tmp_path / "site")), cluster)


@pytest.fixture
def finished(cluster: Cluster, local: Checkout, tmp_path: Path) -> Iterator[Site]:
    """A copy of the checkout in which the chain has run, to be run again in parts."""
    shutil.copytree(local.folder, tmp_path / "site")
    yield from _for_a_test(on_cluster(Checkout(tmp_path / "site")), cluster)


def _for_a_test(site: Site, cluster: Cluster) -> Iterator[Site]:
    """With the test end snakemake and its jobs, and what it has left dead is started again."""
    yield site
    site.end()
    cluster.heal()
    cluster.cancel_all()
