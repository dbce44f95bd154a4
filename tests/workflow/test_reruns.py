"""What runs again after a change: each row of the table in docs/reruns.md, and no job more or less."""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from simhand.stable import shard_of
from tests.conftest import ROOT
from tests.workflow.checkout import Checkout

RUNS = ["none", "simclr", "peclr", "simhand"]
QUERIES = {f"mine_neighbours demo {i}of2" for i in range(2)}
REPORT = {"write_report", "all"}
ERRORS = REPORT | {"draw_hands demo", "write_paper_table table1"}
SETS = ["demo", "demo_dexycb"]  # of Table 1; the error table has the first
EVALUATED = {f"evaluate {name} {run} 100 0" for name in SETS for run in RUNS}
FINETUNED = EVALUATED | {job.replace("evaluate", "finetune") for job in EVALUATED}
FROM_PRETRAINING = {f"pretrain {run}" for run in RUNS[1:]} | {job for job in FINETUNED if " none " not in job} | ERRORS
FROM_POSITIVES = {"pretrain simhand", *(job for job in FINETUNED if " simhand " in job)} | ERRORS
FROM_NEIGHBOURS = FROM_POSITIVES | QUERIES | {"write_data_report", "all"}
FROM_PECLR = {job.replace("simhand", "peclr") for job in FROM_POSITIVES}
FROM_POOL = {"draw_pool demo", "embed_pool demo", "write_data_report"} | QUERIES | FROM_PRETRAINING
HALF_QUERIES = {"mine_neighbours demo-half 0of1"}
HALF = {"draw_pool demo-half", "embed_pool demo-half"} | HALF_QUERIES  # no run of `all` has it
OF_SHARDS = ["list_videos", "sample_frames", "detect_hands", "balance_hands", "crop_hands", "find_keypoints"]
OF_POOLS = ["draw_pool", "embed_pool", "mine_neighbours", "write_data_report"]
CHAIN = [*OF_SHARDS, *OF_POOLS, "pretrain", "finetune", "evaluate", "draw_hands", "write_paper_table", "write_report"]

Change = Callable[[Checkout], Any]


def shards(checkout: Checkout) -> set[str]:
    return {shard_of(path.name, 3) for path in (checkout.folder / "demo" / "videos").iterdir()}


def chain(first: str, of_shards: set[str]) -> set[str]:
    """The jobs from a stage on, for some shards, with what follows the pools."""
    stages = OF_SHARDS[OF_SHARDS.index(first) :]
    return {f"{stage} demo {shard}" for stage in stages for shard in of_shards} | FROM_POOL | HALF


def setting(*values: tuple[str, Any]) -> Change:
    """Sets keys of config.yaml."""

    def change(checkout: Checkout) -> None:
        config = checkout.config()
        for key, value in values:
            *path, last = key.split(".")
            block = config
            for part in path:
                block = block[part]
            block[last] = value
        checkout.write_config(config)

    return change


def edit(file: str) -> Change:
    def change(checkout: Checkout) -> None:
        with (checkout.folder / file).open("a") as module:
            module.write("\n\nADDED = 1\n")

    return change


def reformat_every_module(checkout: Checkout) -> None:
    for folder in ("simhand", "workflow_scripts"):
        for path in (checkout.folder / folder).rglob("*.py"):
            path.write_text(f"# Another comment.\n{ast.unparse(ast.parse(path.read_bytes()))}\n")


def touch_every_file(checkout: Checkout) -> None:
    files = [path for path in checkout.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    random.Random(0).shuffle(files)
    for path in files:
        os.utime(path)


def copy_video(name: str) -> Change:
    def change(checkout: Checkout) -> None:
        videos = checkout.folder / "demo" / "videos"
        shutil.copy(videos / "person_001.mp4", videos / name)

    return change


def remove_video(checkout: Checkout) -> None:
    (checkout.folder / "demo" / "videos" / "person_002.mp4").unlink()


def delete_frames(checkout: Checkout) -> None:
    for path in (checkout.folder / "results" / "frames").rglob("*.arrow"):
        path.unlink()
    setting(("report.title", "Another title"))(checkout)


def edit_a_command_line(checkout: Checkout) -> None:
    rule = checkout.folder / "rules" / "pretraining.smk"
    text = rule.read_text()
    assert text.count("python -m simhand.pretraining") == 1
    rule.write_text(text.replace("python -m simhand.pretraining", "python -X dev -m simhand.pretraining"))


HOW = [
    ("pretraining.defaults.workers", 1),
    ("pretraining.defaults.device", "cpu"),
    ("pretraining.peclr.checkpoint_every_steps", 7),
    ("finetuning.workers", 1),
    ("finetuning.device", "cpu"),
    ("finetuning.checkpoint_every_epochs", 7),
]

# By the first cell of its row in docs/reruns.md: the change, and the jobs that follow (a stage: all from there on).
ROWS: dict[str, tuple[Change, set[str] | str]] = {
    "a video is added": (copy_video("another.mp4"), chain("list_videos", {shard_of("another.mp4", 3)})),
    "a video is removed": (remove_video, chain("list_videos", {shard_of("person_002.mp4", 3)})),
    "a video's file is replaced": (copy_video("person_000.mp4"), chain("list_videos", {shard_of("person_000.mp4", 3)})),
    "`sources.demo.shards`": (setting(("sources.demo.shards", 1)), chain("list_videos", {"0of1"})),
    "`sampling.fps`": (setting(("sampling.fps", 2)), "sample_frames"),
    "`detection.score_threshold`": (setting(("detection.score_threshold", 0.6)), "detect_hands"),
    "`selection.min_box_px`": (setting(("selection.min_box_px", 40)), "balance_hands"),
    "`balance.seed`": (setting(("balance.seed", 1)), "balance_hands"),
    "`crops.jpeg_quality`": (setting(("crops.jpeg_quality", 80)), "crop_hands"),
    "`keypoints.score_threshold`": (setting(("keypoints.score_threshold", 0.6)), "find_keypoints"),
    "`pools.demo.seed`": (setting(("pools.demo.seed", 1)), FROM_POOL),
    "`pools.demo.components`: the PCA's size": (
        setting(("pools.demo.components", 12)),
        FROM_NEIGHBOURS | {"embed_pool demo"},
    ),
    "`pools.demo.neighbours`: K": (setting(("pools.demo.neighbours", 2)), FROM_NEIGHBOURS),
    "`pools.demo.further_ranks`": (setting(("pools.demo.further_ranks", [4, 5])), FROM_NEIGHBOURS),
    "`pools.demo-half.components`: a pool that no run of `all` is trained on": (
        setting(("pools.demo-half.components", 12)),
        HALF_QUERIES | {"embed_pool demo-half", "write_data_report"} | REPORT,
    ),
    "`pretraining.peclr.temperature`: of one run": (setting(("pretraining.peclr.temperature", 0.4)), FROM_PECLR),
    "`finetuning.learning_rate`": (setting(("finetuning.learning_rate", 2e-3)), FINETUNED | ERRORS),
    "`report.title`": (setting(("report.title", "Another title")), REPORT | {"write_data_report"}),
    "`report.title`, once frames were deleted for their size": (delete_frames, REPORT | {"write_data_report"}),
    "`report.cases`": (setting(("report.cases", 2)), REPORT | {"write_data_report", "draw_hands demo"}),
    "`experiment.paper.few_labels`: only tables that `all` does not make read it": (
        setting(("experiment.paper.few_labels", 20), ("experiment.paper.ranks", [1, 3])),
        set(),
    ),
    "`device`, `workers`, and how often checkpoints are written": (setting(*HOW), set()),
    "the rules' own text: `rules/*.smk`, `Snakefile`": (edit_a_command_line, set()),
    "every file is touched, as `git checkout` does": (touch_every_file, set()),
    "every module is reformatted and has other comments": (reformat_every_module, set()),
    "sampling: `simhand/frames/sampling.py`": (edit("simhand/frames/sampling.py"), "sample_frames"),
    "mining: `simhand/mining/tree.py`": (edit("simhand/mining/tree.py"), FROM_NEIGHBOURS | HALF_QUERIES),
    "a loss: `simhand/pretraining/weighted_nt_xent.py`": (
        edit("simhand/pretraining/weighted_nt_xent.py"),
        FROM_PRETRAINING,
    ),
    "DetNet: `simhand/finetuning/detnet.py`": (edit("simhand/finetuning/detnet.py"), FINETUNED | ERRORS),
    "a metric: `simhand/evaluation/metrics.py`": (edit("simhand/evaluation/metrics.py"), EVALUATED | ERRORS),
    "a figure: `simhand/reporting/curves.py`": (edit("simhand/reporting/curves.py"), REPORT),
    "the gallery's script: `simhand/reporting/gallery.js`": (
        edit("simhand/reporting/gallery.js"),
        REPORT | {"write_data_report", "write_paper_table table1"},
    ),
}
# Options of snakemake, which rerun nothing.
OPTIONS = {
    "more cores, threads or memory": (
        "--cores",
        "8",
        "--set-threads",
        "pretrain=3",
        "--set-resources",
        "evaluate:mem=1GB",
    ),
    "another profile": ("--profile", "slurm"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_change_reruns_its_stage_and_what_follows(restored: Checkout, row: str) -> None:
    change, jobs = ROWS[row]
    change(restored)
    assert restored.to_do() == (chain(jobs, shards(restored)) if isinstance(jobs, str) else jobs)


@pytest.mark.parametrize("row", OPTIONS)
def test_an_option_of_snakemake_reruns_nothing(finished: Checkout, row: str) -> None:
    assert finished.to_do(*OPTIONS[row]) == set()


def documented() -> dict[str, set[str]]:
    """The rules that each row of the table says to run again."""
    lines = re.findall(r"^\| ([^*].*?) \| (.*?) \|", (ROOT / "docs" / "reruns.md").read_text(), re.MULTILINE)
    return {change: rules_of(again) for change, again in lines[2:]}


def rules_of(cell: str) -> set[str]:
    first, but = re.match(r"from `(\w+)` on", cell), re.search(r"without `(\w+)`", cell)
    if first:
        after = CHAIN[CHAIN.index(first[1]) :]
        return {*after} - {but[1] if but else ""}
    return set() if cell == "nothing" else set(re.findall(r"`(\w+)`", cell))


def test_the_table_in_the_documentation_tells_what_the_tests_see() -> None:
    seen: dict[str, set[str]] = {row: set() for row in OPTIONS}
    for row, (_, jobs) in ROWS.items():
        of_all = chain(jobs, {"0of3"}) if isinstance(jobs, str) else jobs
        seen[row] = {job.split()[0] for job in of_all} - {"all"}
    assert documented() == seen
