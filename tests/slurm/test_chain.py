"""The whole chain as a user starts it, on a real Slurm."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, Job
from tests.slurm.site import Site
from tests.workflow.checkout import Checkout

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(2400)]

ON_GPUS = {"pretrain", "finetune"}
JOBS = {
    "hand_model": 1, "sample_frames": 2, "detect_hands": 2, "balance_hands": 2, "crop_hands": 2, "find_keypoints": 2,
    "draw_pool": 1, "embed_pool": 1, "mine_neighbours": 2, "write_data_report": 1, "pretrain": 1, "finetune": 2,
    "evaluate": 2, "draw_hands": 1, "write_report": 1,
}  # fmt: skip


def results(folder: Path) -> dict[Path, bytes]:
    """What the stages wrote, but for what tells of time."""
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    told = {"logs", "benchmarks", "tensorboard", "runs.csv", "costs.csv"}
    return {
        path.relative_to(folder): path.read_bytes()
        for path in files
        if not told & set(path.parts) and path.suffix not in {".jsonl", ".html", ".png"} and path.name[0] != "."
    }


def test_the_chain_runs_on_the_cluster_and_gives_what_it_gives_without(
    cluster: Cluster, site: Site, local: Checkout
) -> None:
    known = len(cluster.jobs())
    site.run("all")
    jobs = cluster.jobs()[known:]
    assert {job.rule: sum(other.rule == job.rule for other in jobs) for job in jobs} == JOBS
    assert {job.state for job in jobs} == {"COMPLETED"}

    for job in jobs:
        on_gpus = job.rule in ON_GPUS
        assert (job.partition, job.nodes[:3]) == (("gpu", "gpu") if on_gpus else ("cpu", "cpu")), job
    asked = {call.split("--comment rule_")[1].split("_wildcards")[0].split()[0]: call for call in site.calls("sbatch")}
    assert {rule for rule, call in asked.items() if "--gpus=1" in call} == ON_GPUS
    assert all("--mem " in call and " -t " in call for call in asked.values())

    sampling = [job for job in jobs if job.rule == "sample_frames"]
    assert {job.nodes for job in sampling} == {"cpu1", "cpu2"}
    assert at_once(*sampling)

    # Bounded: a call of sbatch a job, and one of squeue a look at all of them, however many there are.
    assert len(site.calls("sbatch")) == len(jobs)
    assert len(site.calls("squeue")) <= 3 * len(jobs)
    cpus = {job.rule: int(job.cpus) for job in jobs}
    assert (cpus["mine_neighbours"], cpus["pretrain"]) == (8, 8), "more than this machine has"

    expected, found = results(local.folder), results(site.checkout.folder)
    assert Path("results/report/table.csv") in expected
    assert expected.keys() == found.keys()
    assert [path for path, content in expected.items() if found[path] != content] == []


def begun(job: Job) -> datetime:
    return datetime.fromisoformat(job.begun)


def ended(job: Job) -> datetime:
    return datetime.fromisoformat(job.ended)


def at_once(one: Job, other: Job) -> bool:
    return begun(one) < ended(other) and begun(other) < ended(one)
