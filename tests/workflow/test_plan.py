"""What is said before any job starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import WriteVideo
from tests.workflow.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path, write_video: WriteVideo) -> Checkout:
    """A checkout with two short videos and empty labels, nothing run yet."""
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "demo" / "videos" / name, [0, 0.5, 1.0])
    for split in ("training", "evaluation"):
        (tmp_path / "demo" / "labelled" / split / "rgb").mkdir(parents=True)
        for kind in ("K", "xyz"):
            (tmp_path / "demo" / "labelled" / f"{split}_{kind}.json").write_text(json.dumps([]))
    return Checkout.new(tmp_path)


def refusal(checkout: Checkout, *path: str, value: Any) -> str:
    config = checkout.config()
    block = config
    for part in path[:-1]:
        block = block[part]
    block[path[-1]] = value
    checkout.write_config(config)
    finished = checkout.snakemake("--cores", "2", "all", check=False)
    assert finished.returncode != 0
    assert not (checkout.folder / "results" / "frames").exists()
    assert "Traceback" not in finished.stdout
    return finished.stdout


def test_a_wrong_key(checkout: Checkout) -> None:
    message = refusal(checkout, "sampling", "fsp", value=2)
    assert "unknown key sampling.fsp" in message
    assert "did you mean fps?" in message


def test_a_wrong_type(checkout: Checkout) -> None:
    message = refusal(checkout, "sampling", "fps", value="often")
    assert "wrong value of sampling.fps" in message
    assert "'often'" in message


def test_a_missing_folder(checkout: Checkout) -> None:
    message = refusal(checkout, "sources", "demo", "videos", value="no/where")
    assert "sources.demo.videos: no such folder" in message


def test_a_pool_larger_than_its_sources(checkout: Checkout) -> None:
    message = refusal(checkout, "pools", "demo", "size", value=100_000)
    assert "pools.demo.size is larger than its sources" in message
    assert "100000" in message


def test_a_configuration_of_ones_own_takes_the_place_of_the_shipped_one(checkout: Checkout) -> None:
    config = checkout.config()
    config["sources"]["mine"] = config["sources"].pop("demo")
    config["pools"]["demo"]["sources"] = ["mine"]
    (checkout.folder / "my.yaml").write_text(json.dumps(config))
    planned = checkout.to_do("--configfile", "my.yaml")
    assert any(job.startswith("sample_frames mine") for job in planned)
    assert not any(job.startswith("sample_frames demo") for job in planned)


def test_videos_and_a_pool_are_enough_for_the_data_half(checkout: Checkout) -> None:
    config = checkout.config()
    checkout.write_config({name: config[name] for name in ("sources", "pools")})
    planned = {job.split()[0] for job in checkout.to_do()}
    assert {"mine_neighbours", "write_data_report", "all"} <= planned
    assert not planned & {"pretrain", "finetune", "evaluate", "write_report"}


def test_encoders_without_an_experiment_have_a_report(checkout: Checkout) -> None:
    config = checkout.config()
    checkout.write_config({name: config[name] for name in ("sources", "pools", "pretraining")})
    planned = checkout.to_do()
    assert {"write_report", "write_data_report", "pretrain simhand"} <= planned
    assert not any(job.startswith(("finetune", "evaluate")) for job in planned)


def test_a_run_starts_from_the_encoder_of_another_and_has_a_gpu_for_each_process(checkout: Checkout) -> None:
    config = checkout.config()
    config["pretraining"] |= {"longer": {"method": "tempclr", "initial": "run:simclr", "processes": 2}}
    config["pretraining"]["simclr"] |= {"device": "cpu"}
    checkout.write_config(config)
    planned = checkout.snakemake("-n", "-p", "results/pretraining/longer/encoder.pt").stdout
    jobs = {job.split("wildcards: run=")[1].split()[0]: job for job in planned.split("rule pretrain:")[1:]}
    assert set(jobs) == {"longer", "simclr"}
    assert "results/pretraining/simclr/encoder.pt" in jobs["longer"].split("output:")[0]
    assert "--initial results/pretraining/simclr/encoder.pt" in jobs["longer"]
    assert "gpu=2" in jobs["longer"]
    assert "gpu=0" in jobs["simclr"]
    assert "--initial" not in jobs["simclr"]


def test_annotated_hands_take_the_place_of_the_first_stages(checkout: Checkout) -> None:
    config = checkout.config()
    (checkout.folder / "released.json").write_text('{"images": [], "annotations": []}')
    config["sources"] |= {"released": {"annotations": "released.json", "images": "demo", "shards": 2}}
    config["pools"] |= {"both": {"sources": ["demo", "released"]}}
    config["pools"] |= {"theirs": {"sources": ["released"], "similar": "annotated"}}
    checkout.write_config(config)
    planned = checkout.to_do()
    assert {job for job in planned if "released" in job} == {
        "read_annotations released", "import_hands released 0of2", "import_hands released 1of2",
        "released_neighbours theirs",
    }  # fmt: skip
    assert {"draw_pool both", "mine_neighbours both 0of1", "draw_pool theirs"} <= planned
    assert "mine_neighbours theirs 0of1" not in planned


def test_annotated_similar_hands_need_annotations(checkout: Checkout) -> None:
    message = refusal(checkout, "pools", "demo", "similar", value="annotated")
    assert "pools.demo.similar: annotated similar hands of a source without annotations" in message
    assert "similar: mined" in message


def test_the_cluster_profile_is_found_and_plans_the_same_jobs(checkout: Checkout) -> None:
    local = checkout.to_do()
    assert len(local) > 20
    assert checkout.to_do("--profile", "slurm") == local
