"""What is said before any job starts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from simhand.finetuning.settings import PartSettings, label_files
from tests.conftest import WriteVideo
from tests.workflow.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path, write_video: WriteVideo) -> Checkout:
    """A checkout with two short videos and empty labels of each layout, nothing run yet."""
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "demo" / "videos" / name, [0, 0.5, 1.0])
    made = Checkout.new(tmp_path)
    for labelled in made.config()["labelled"].values():
        for path in label_files(tmp_path / labelled["path"], labelled["format"], PartSettings()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    config = made.config()
    config["pools"]["demo-half"]["size"] = 12
    made.write_config(config)
    return made


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


def test_a_contact_that_the_detector_does_not_tell(checkout: Checkout) -> None:
    message = refusal(checkout, "selection", "contact", value=["portable"])
    assert "selection.contact: mediapipe does not tell what hands touch" in message
    assert "hint:     detector: hundred_doh, or leave contact empty" in message


def test_a_configuration_of_ones_own_takes_the_place_of_the_shipped_one(checkout: Checkout) -> None:
    config = checkout.config()
    config["sources"]["mine"] = config["sources"].pop("demo")
    for pool in config["pools"].values():
        pool["sources"] = ["mine"]
    (checkout.folder / "my.yaml").write_text(json.dumps(config))
    planned = checkout.to_do("--configfile", "my.yaml")
    assert any(job.startswith("sample_frames mine") for job in planned)
    assert not any(job.startswith("sample_frames demo") for job in planned)


def test_videos_and_a_pool_are_enough_for_the_data_half(checkout: Checkout) -> None:
    config = checkout.config()
    checkout.write_config({name: config[name] for name in ("sources", "pools")})
    planned = {job.split()[0] for job in checkout.to_do()}
    assert {"mine_neighbours", "write_data_report", "write_report", "all"} <= planned
    assert not planned & {"pretrain", "finetune", "evaluate"}
    assert "write_report" not in {job.split()[0] for job in checkout.to_do(target="data")}


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


@pytest.mark.parametrize(("device", "gpus", "threads"), [("auto", 1, 4), ("cpu", 0, 2)])
def test_the_100doh_detector_asks_for_a_gpu_unless_it_runs_on_the_cpu(
    checkout: Checkout, device: str, gpus: int, threads: int
) -> None:
    (checkout.folder / "weights.pth").touch()
    config = checkout.config()
    config["detection"] = {"detector": "hundred_doh", "weights": "weights.pth", "device": device}
    checkout.write_config(config)
    planned = checkout.snakemake("--cores", "4", "-n", "data").stdout
    jobs = [part for part in planned.split("\n\n") if "rule detect_hands_hundred_doh:" in part]
    assert jobs
    for job in jobs:
        assert f"gpu={gpus}" in job
        assert f"threads: {threads}" in job
        assert "results/models/hundred_doh.pt" in job
    assert planned.count("rule hundred_doh_weights:") == 1


def test_weights_of_another_hash(checkout: Checkout) -> None:
    (checkout.folder / "weights.pth").touch()
    message = refusal(
        checkout, "detection", value={"detector": "hundred_doh", "weights": "weights.pth", "sha256": "0" * 64}
    )
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for words in ("have another content", f"sha256 {'0' * 64}", empty, "faster_rcnn_1_8_89999.pth", "mediapipe"):
        assert words in message


SETS = ("demo", "demo_dexycb", "demo_assemblyhands")
METHODS = ("simclr", "peclr", "simhand")


def cells(labelled: Iterable[str], runs: Iterable[str], percent: int) -> set[str]:
    """The jobs of the cells of a table."""
    models = [f"{name} {run} {percent} 0" for name in labelled for run in runs]
    return {f"{rule} {model}" for model in models for rule in ("finetune", "evaluate")}


def trained(planned: set[str]) -> set[str]:
    return {job for job in planned if job.split()[0] in {"pretrain", "finetune", "evaluate"}}


HALF = tuple(f"{run}-demo-half" for run in METHODS)
UNWEIGHTED = "simhand-demo-half-unweighted"
WEIGHTED = ("simclr-demo-half-weighted", "peclr-demo-half-weighted")
RANKED = tuple(f"{UNWEIGHTED}-rank_{rank}" for rank in (2, 5, 10, 50, 100))
FORMS = ("simhand-demo-half-original", *(
    f"simhand-demo-half-sigmoid_{slopes}-{keypoints}"
    for slopes in ("5_0p05", "2p5_0p01", "1_0p005") for keypoints in ("original", "augmented")
))  # fmt: skip


TRAINED = {
    "table1": cells(SETS, ("none", *METHODS), 100),
    "table2": cells(["demo"], ("none", *METHODS, *HALF[:2], UNWEIGHTED), 10),
    "table3": cells(["demo"], (*HALF, *WEIGHTED, UNWEIGHTED), 10),
    "table4": cells(["demo"], (UNWEIGHTED, *RANKED), 10),
    "table5": cells(["demo"], (UNWEIGHTED, *FORMS, HALF[2]), 10),
    "figure4": set().union(*(cells(["demo"], ("none", *METHODS), percent) for percent in (10, 20, 40, 80, 100))),
}


def with_pretraining(models: set[str]) -> set[str]:
    return models | {f"pretrain {job.split()[2]}" for job in models if " none " not in job}


def test_all_makes_the_papers_first_table(checkout: Checkout) -> None:
    planned = checkout.to_do()
    assert trained(planned) == with_pretraining(TRAINED["table1"])
    assert {"write_paper_table table1", "write_report", *(f"draw_hands {name}" for name in SETS)} <= planned
    assert {job for job in checkout.to_do(target="pretrained") if job.startswith("pretrain ")} == {
        f"pretrain {run}" for run in METHODS
    }


@pytest.mark.slow
def test_each_table_trains_what_stands_in_it_and_together_they_share(checkout: Checkout) -> None:
    for target, models in TRAINED.items():
        planned = checkout.to_do(target=target)
        assert trained(planned) == with_pretraining(models), target
        assert f"write_paper_{target.rstrip('12345')} {target}" in planned
        assert "write_report" not in planned
    together = checkout.snakemake("-n", *TRAINED).stdout
    counts = {rule: int(count) for rule, count in re.findall(r"^(pretrain|finetune) +(\d+)$", together, re.MULTILINE)}
    union = with_pretraining(set().union(*TRAINED.values()))
    assert counts == {rule: sum(job.startswith(f"{rule} ") for job in union) for rule in ("pretrain", "finetune")}
    assert counts["pretrain"] == 3 + 3 + 3 + 5 + 7
    assert counts["finetune"] == 4 * 3 + (4 + 3) + 3 + 5 + 7 + 4 * 3


def test_a_table_that_cannot_be_made_says_why_and_the_others_can(checkout: Checkout) -> None:
    config = checkout.config()
    config["experiment"]["paper"]["ranks"] = [1, 500]
    checkout.write_config(config)
    refused = checkout.snakemake("-n", "table4", check=False)
    assert refused.returncode != 0
    assert "table4 needs a neighbour that is not mined" in refused.stdout
    assert "add 500 to pools.demo-half.further_ranks" in refused.stdout
    assert "write_paper_table table3" in checkout.to_do(target="table3")
    del config["experiment"]["paper"]
    checkout.write_config(config)
    assert "experiment.paper" in checkout.snakemake("-n", "table1", check=False).stdout
    planned = checkout.to_do()
    assert "write_report" in planned
    assert not any(job.startswith("write_paper_table") for job in planned)


def test_that_the_report_is_without_the_papers_first_table_is_told_once(checkout: Checkout) -> None:
    config = checkout.config()
    config["pretraining"]["simhand"]["neighbour_rank"] = 2
    config["pools"]["deep"] = dict(config["pools"]["demo"])
    config["pretraining"]["simhand"]["pool"] = "deep"
    config["pools"]["demo"] |= {"neighbours": 1, "further_ranks": []}
    checkout.write_config(config)
    text = checkout.snakemake("-n", "all").stdout
    assert text.count("The report is without the paper's Table 1: table1 needs a neighbour that is not mined") == 1
    assert "add 2 to pools.demo.further_ranks" in text
    assert "write_paper_table" not in text
    del config["experiment"]["paper"]
    checkout.write_config(config)
    assert "Table 1" not in checkout.snakemake("-n", "all").stdout


@pytest.mark.parametrize("runs", [["simhand"], ["none"], []])
def test_predicted_hands_are_drawn_of_what_there_is(checkout: Checkout, runs: list[str]) -> None:
    config = checkout.config()
    config["experiment"]["runs"] = runs
    checkout.write_config(config)
    sheets = {job for job in checkout.to_do() if job.startswith("draw_hands")}
    assert sheets == ({f"draw_hands {name}" for name in SETS} if runs else set())


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
