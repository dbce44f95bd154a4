from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simhand.synthetic.demo import render_demo
from simhand.synthetic.settings import DemoSettings
from tests.workflow.checkout import Checkout

DEMO = DemoSettings(videos=5, seconds=(7.0, 9.0), training=16, evaluation=8, dexycb=(2, 1), assemblyhands=(2, 1))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker that wants it makes for all; they leave it as it is."""
    common = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    folder, unfinished = common / name, common / f"{name}.unfinished"
    with (common / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)  # of a worker that failed
            make(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded demo, smaller."""
    return made_once(tmp_path_factory, "small_demo", lambda folder: render_demo(folder, DEMO, jobs=2))


@pytest.fixture(scope="session")
def finished(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which `snakemake all` has finished on the small demo; tests leave it as it was.

    The error table compares on one labelled set, Table 1 on two.
    """
    made = made_once(tmp_path_factory, "chain", lambda folder: run_chain(folder, small_demo))
    own = tmp_path_factory.mktemp("finished") / "checkout"
    shutil.copytree(made, own)
    return Checkout(own)


def run_chain(folder: Path, small_demo: Path) -> None:
    """Runs `snakemake all` on the small demo in a new checkout."""
    folder.mkdir()
    checkout = Checkout.new(folder)
    shutil.copytree(small_demo, checkout.folder / "demo")
    config = checkout.config()
    config["sources"]["demo"]["shards"] = 3
    config["pools"]["demo"] |= {"neighbours": 3, "max_failed_videos": 0.5}
    config["pools"]["demo-half"] |= {"size": 20, "neighbours": 3, "further_ranks": [], "max_failed_videos": 0.5}
    config["pretraining"]["defaults"] |= {"epochs": 1, "warmup_epochs": 0, "batch_size": 16}
    config["finetuning"] |= {"epochs": 1, "batch_size": 8}
    config["experiment"]["labelled"] = ["demo"]
    config["experiment"]["paper"]["labelled"] = {"FreiHAND": "demo", "DexYCB": "demo_dexycb"}
    checkout.write_config(config)
    checkout.snakemake("--cores", "2", "all")


@pytest.fixture
def restored(finished: Checkout) -> Iterator[Checkout]:
    """The finished checkout; what a test changes in its configuration, code, videos or frames is put back."""
    names = ("config.yaml", "simhand", "workflow_scripts", "rules", "demo", "results/frames")
    kept = [finished.folder / name for name in names]
    backup = finished.folder.with_name("backup")
    shutil.rmtree(backup, ignore_errors=True)
    backup.mkdir()
    for path in kept:
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, backup / path.name)
    yield finished
    for path in kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.move(backup / path.name, path)
