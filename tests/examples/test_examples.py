"""The examples of docs/extending.md are put into a checkout, and the stages that they extend run there for real."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.tables import CROPS, HANDS, MEMBERS, PREDICTIONS
from tests.conftest import ROOT, WriteVideo
from tests.finetuning.conftest import WriteSet, write_set  # noqa: F401
from tests.pretraining.conftest import MadeUpPool, pool  # noqa: F401
from tests.workflow.checkout import Checkout

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.patch"))
WIDTH_PX, LEFT = 64, 2  # of the made-up images; the hand that is made a left one


def apply(patch: Path, folder: Path) -> None:
    finished = subprocess.run(["git", "apply", str(patch)], cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{patch.name} no longer fits the code:\n{finished.stderr}"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory, write_video: WriteVideo) -> Checkout:
    """A checkout with all examples in it, and one video."""
    checkout = Checkout.new(tmp_path_factory.mktemp("extended"))
    for patch in EXAMPLES:
        apply(patch, checkout.folder)
    shutil.copy(ROOT / "pyproject.toml", checkout.folder)
    write_video(checkout.folder / "videos" / "a.mp4", [0, 1, 2])
    return checkout


def configure(checkout: Checkout, **blocks: Any) -> None:
    sources = {"sources": {"demo": {"videos": "videos", "shards": 1}}, "pools": {"demo": {"sources": ["demo"]}}}
    checkout.write_config({**sources, **blocks})


def test_the_page_names_each_file_that_an_example_touches(extended: Checkout) -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    assert len(EXAMPLES) == 4
    for patch in EXAMPLES:
        assert f"examples/{patch.name}" in page
        files = re.findall(r"^\+\+\+ b/(.+)$", patch.read_text(), re.MULTILINE)
        section = page[page.rindex(f"examples/{patch.name}") :].partition("\n## ")[0]
        assert [name for name in files if f"`{name}`" not in section] == []


def test_the_examples_are_written_as_the_rest(extended: Checkout) -> None:
    folders = ("simhand", "workflow_scripts", "tests")
    extended.run("ruff", "check", "--no-cache", "-q", *folders)
    extended.run("ruff", "format", "--no-cache", "--check", "-q", *folders)
    extended.run("snakefmt", "--check", "rules")


@pytest.mark.slow
def test_the_detector_finds_its_hand_in_every_frame(extended: Checkout) -> None:
    box = {"detector": "fixed_box", "box": [0.25, 0.5, 0.75, 1.0]}
    configure(extended, detection=box, balance={"enabled": False})
    extended.snakemake("--cores", "1", "results/crops/demo/0of1.arrow")
    hands = read_parquet(extended.folder / "results/hands/demo/0of1.parquet", HANDS).to_pylist()
    assert [hand["hand_id"] for hand in hands] == [f"demo/a.mp4#{frame}.0" for frame in range(3)]
    for hand in hands:  # of 96 x 64 pixels
        assert [hand[name] for name in ("x1", "y1", "x2", "y2")] == [24, 32, 72, 64]
        assert (hand["side"], hand["side_source"], hand["score"]) == ("right", "fixed_box", 1.0)
    crops = open_arrow(extended.folder / "results/crops/demo/0of1.arrow", CROPS)
    assert crops["hand_id"].to_pylist() == [hand["hand_id"] for hand in hands]
    configure(extended, detection={**box, "max_hands": 2}, balance={"enabled": False})
    target = "results/crops/demo/0of1.arrow"
    assert extended.to_do(target=target) == set()  # a key of another detector
    configure(extended, detection={**box, "box": [0, 0, 1, 1]}, balance={"enabled": False})
    assert {job.split()[0] for job in extended.to_do(target=target)} == {
        "detect_hands_fixed_box",
        "balance_hands",
        "crop_hands",
    }


def losses(checkout: Checkout, pool: MadeUpPool, out: Path, **settings: object) -> list[float]:  # noqa: F811
    """Of the steps of a short run."""
    small = {"encoder": "resnet18", "image_size": 32, "batch_size": 8, "epochs": 2, "warmup_epochs": 0}
    run = {"method": "simhand", "pool": "made-up", "device": "cpu", **small, **settings}
    neighbours = map(str, pool.neighbours)
    files = ["--members", str(pool.members), "--neighbours", *neighbours, "--crops", str(pool.crops)]
    outputs = ["--encoder", str(out / "encoder.pt"), "--metrics", str(out / "m.jsonl"), "--checkpoints", str(out / "c")]
    checkout.run("simhand.pretraining", "--settings", json.dumps(run), *files, *outputs)
    assert (out / "encoder.pt").is_file()
    lines = map(json.loads, (out / "m.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if "loss" in line]


_POSITIVES = """
import sys
from simhand.pretraining.random_video import read_random_positives
print(*read_random_positives(sys.argv[1], int(sys.argv[2])))
"""


def random_positives(checkout: Checkout, members: Path, seed: int) -> list[int]:
    command = [sys.executable, "-c", _POSITIVES, str(members), str(seed)]
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, check=True)
    return list(map(int, done.stdout.split()))


@pytest.mark.slow
def test_the_method_trains_on_hands_of_other_videos(
    extended: Checkout,
    pool: MadeUpPool,  # noqa: F811
    tmp_path: Path,
) -> None:
    sources = read_parquet(pool.members, MEMBERS, ["source"])["source"].to_pylist()  # one video each
    chosen = random_positives(extended, pool.members, 0)
    assert all(sources[row] != sources[positive] for row, positive in enumerate(chosen))
    assert len(set(chosen)) > len(chosen) / 4
    assert random_positives(extended, pool.members, 0) == chosen != random_positives(extended, pool.members, 1)

    found = losses(extended, pool, tmp_path / "random", method="random_video")
    assert found == losses(extended, pool, tmp_path / "again", method="random_video")
    assert found != losses(extended, pool, tmp_path / "plain")
    run = {"method": "random_video", "pool": "demo", "encoder": "resnet18"}
    configure(extended, pretraining={"control": run})
    jobs = {job.split()[0] for job in extended.to_do(target="results/pretraining/control/encoder.pt")}
    assert {"draw_pool", "pretrain"} <= jobs
    assert "mine_neighbours" not in jobs


@pytest.mark.slow
def test_the_loss_trains_an_encoder(extended: Checkout, pool: MadeUpPool, tmp_path: Path) -> None:  # noqa: F811
    plain = losses(extended, pool, tmp_path / "plain")
    decoupled = losses(extended, pool, tmp_path / "decoupled", loss="decoupled")
    assert len(plain) == len(decoupled) >= 1
    # Of the same first step: what leaves out one of 15 terms that are all between exp(-2) and exp(2).
    assert 0 < plain[0] - decoupled[0] < np.log(1 + np.exp(4) / 14)
    assert np.isfinite(decoupled).all()
    refused = {"method": "simhand", "pool": "p", "loss": "decoupled", "weighting": "linear"}
    answer = extended.run("simhand.pretraining", "--settings", json.dumps(refused), check=False)
    assert "decoupled knows no weights" in answer.stdout or answer.returncode == 2


@pytest.mark.slow
def test_the_example_of_a_test_passes(extended: Checkout) -> None:
    test = extended.folder / "tests/pretraining/test_decoupled_nt_xent.py"
    finished = extended.run("pytest", "-q", "-p", "no:cacheprovider", str(test))
    assert "1 passed" in finished.stdout


def as_one_json(freihand: Path, root: Path) -> list[dict[str, Any]]:
    """A set in FreiHAND's layout in that of the example; one hand is said to be a left one."""
    rows = []
    for split in ("training", "evaluation"):
        xyz, cameras = (json.loads((freihand / f"{split}_{kind}.json").read_text()) for kind in ("xyz", "K"))
        for number, (joints, camera) in enumerate(zip(xyz, cameras, strict=True)):
            image = f"images/{split}_{number}.jpg"
            (root / "images").mkdir(parents=True, exist_ok=True)
            shutil.copy(freihand / split / "rgb" / f"{number:08d}.jpg", root / image)
            row = {"image": image, "split": split, "side": "right", "camera": camera, "joints": joints}
            rows.append(row | {"size": [WIDTH_PX, WIDTH_PX]})
    left = next(row for row in rows if row["split"] == "evaluation" and row["image"].endswith(f"_{LEFT}.jpg"))
    left["side"] = "left"
    (root / "labels.json").write_text(json.dumps(rows))
    return rows


@pytest.mark.slow
def test_the_dataset_is_learnt_and_judged(extended: Checkout, write_set: WriteSet, tmp_path: Path) -> None:  # noqa: F811
    rows = as_one_json(write_set(tmp_path / "freihand"), extended.folder / "mine")
    configure(
        extended,
        labelled={"mine": {"format": "one_json", "path": "mine"}},
        finetuning={"encoder": "resnet18", "image_size": 64, "epochs": 1, "batch_size": 4, "device": "cpu"},
        experiment={"runs": ["none"], "labelled": ["mine"]},
    )
    folder = extended.folder / "results/finetuning/mine/none/100/0"
    extended.snakemake("--cores", "1", f"{folder.relative_to(extended.folder)}/metrics.json")
    table = read_parquet(folder / "predictions.parquet", PREDICTIONS)
    labels = [row for row in rows if row["split"] == "evaluation"]
    assert table["image"].to_pylist() == [row["image"] for row in labels]
    assert table["flipped"].to_pylist() == [row["side"] == "left" for row in labels]
    true_mm = 1000 * np.array([row["joints"] for row in labels])
    true_mm[LEFT, :, 0] *= -1
    assert_allclose(keypoints_array(table["true_mm"]), true_mm, rtol=1e-5, atol=1e-3)
    joints, camera = np.array(labels[LEFT]["joints"]), np.array(labels[LEFT]["camera"])
    points = joints @ camera.T
    mirrored = WIDTH_PX - 1 - points[:, 0] / points[:, 2]
    assert_allclose(keypoints_array(table["true_px"], 2)[LEFT, :, 0], mirrored, rtol=1e-4)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["n_images"] == len(labels)
    assert metrics["mpjpe_mm"] > 0
