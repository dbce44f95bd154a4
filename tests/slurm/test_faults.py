"""What goes wrong on clusters: the same results at the end, nothing lost, nothing half written."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, Job, processes_of, run, wait_until
from tests.slurm.site import Site
from tests.workflow.checkout import Checkout

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(2400)]

HANDS = [f"results/hands/demo/{shard}.parquet" for shard in ("0of2", "1of2")]
ENCODER = "results/pretraining/simhand/encoder.pt"
STEPS = 20


def forget(site: Site, *paths: str) -> None:
    """Deletes results, to be made again."""
    for path in paths:
        (site.checkout.folder / path).unlink()


def assert_made_again(site: Site, local: Checkout, *paths: str) -> None:
    """They are what they were without a cluster and undisturbed, and nothing half written lies beside them."""
    for path in paths:
        assert (site.checkout.folder / path).read_bytes() == (local.folder / path).read_bytes(), path
    assert list((site.checkout.folder / "results").rglob(".*.partial")) == []


def started(cluster: Cluster, rule: str, count: int = 1) -> list[Job]:
    """Waits until the scripts of so many jobs of a rule are at work at once."""
    found: list[Job] = []

    def at_work() -> bool:
        found[:] = [job for job in cluster.running() if job.rule == rule and processes_of(job.nodes, f"{rule}.py")]
        return len(found) >= count

    wait_until(at_work, f"{count} x {rule} at work", 300)
    return found


def end_of(process: subprocess.Popen[str], site: Site) -> None:
    assert process.wait(timeout=600) == 0, site.printed()[-5000:]


def test_a_cancelled_job_runs_again(cluster: Cluster, finished: Site, local: Checkout) -> None:
    forget(finished, *HANDS)
    process = finished.start(*HANDS)
    cancelled = started(cluster, "detect_hands")[0]
    run("scancel", cancelled.number)
    end_of(process, finished)
    states = [job.state for job in cluster.jobs() if job.comment == cancelled.comment]
    assert states[-2:] == ["CANCELLED", "COMPLETED"]
    assert_made_again(finished, local, *HANDS)


def test_a_nodes_jobs_run_again_when_it_dies(cluster: Cluster, finished: Site, local: Checkout) -> None:
    forget(finished, *HANDS)
    process = finished.start(*HANDS)
    lost = started(cluster, "detect_hands")[0]
    cluster.kill_node(lost.nodes)
    wait_until(lambda: "down" in cluster.state(lost.nodes), f"{lost.nodes} is given up")
    cluster.start_node(lost.nodes)
    end_of(process, finished)
    states = [job.state for job in cluster.jobs() if job.comment == lost.comment]
    assert states[-2:] == ["NODE_FAIL", "COMPLETED"]
    assert_made_again(finished, local, *HANDS)


def test_jobs_outlive_slurms_controller_and_submissions_wait_for_it(
    cluster: Cluster, finished: Site, local: Checkout
) -> None:
    forget(finished, *HANDS)
    cluster.stop_controller()
    process = finished.start(*HANDS)
    wait_until(lambda: "submissions wait" in finished.printed(), "snakemake wants to submit", 300)
    assert not finished.calls("sbatch")
    cluster.start_controller()
    started(cluster, "detect_hands", count=2)
    cluster.stop_controller()
    wait_until(lambda: "asked for again" in finished.printed(), "snakemake has asked for its jobs", 300)
    cluster.start_controller()
    end_of(process, finished)
    assert len(finished.calls("sbatch")) == 2
    assert_made_again(finished, local, *HANDS)


def test_of_jobs_that_slurm_has_forgotten_the_outputs_tell(cluster: Cluster, finished: Site, local: Checkout) -> None:
    forget(finished, *HANDS)
    process = finished.start(*HANDS)
    jobs = started(cluster, "detect_hands", count=2)
    wait_until(lambda: finished.calls("squeue")[2:], "snakemake has looked at its jobs")
    with cluster.forgetting(seconds=10):
        process.send_signal(signal.SIGSTOP)  # a laptop's lid, a disk that hangs
        numbers = {job.number for job in jobs}
        wait_until(lambda: not numbers & {job.number for job in cluster.jobs()}, "Slurm has forgotten them", 300)
        process.send_signal(signal.SIGCONT)
        end_of(process, finished)
    assert len(finished.calls("sbatch")) == 2
    assert_made_again(finished, local, *HANDS)


def test_a_job_over_its_memory_has_more_in_its_next_try(cluster: Cluster, finished: Site, local: Checkout) -> None:
    rules = finished.checkout.folder / "rules" / "hands.smk"
    text = rules.read_text()
    asked = 'memory(300, mb_per=1, of=megabytes("frames"), per_thread_mb=700)'
    assert text.count(asked) == 1
    rules.write_text(text.replace(asked, "memory(100)"))  # 700 to 800 MB are needed, with Snakemake's
    forget(finished, HANDS[0])
    known = len(cluster.jobs())
    finished.run(HANDS[0], "--retries", "5")
    *killed, last = cluster.jobs()[known:]
    assert killed
    assert all(job.state != "COMPLETED" for job in killed)
    assert last.state == "COMPLETED"
    megabytes = [int(job.memory.removesuffix("M")) for job in [*killed, last]]
    assert megabytes == [600, 700, 800, 900, 1000, 1100][: len(megabytes)]
    told = finished.checkout.folder / ".snakemake/slurm_logs/rule_detect_hands/demo_0of2" / f"{killed[0].number}.log"
    assert "exceeded memory limit" in told.read_text()
    assert_made_again(finished, local, HANDS[0])


def trained_a_little(site: Site) -> list[Path]:
    """Waits until pre-training has left a checkpoint, and returns those there are."""
    folder = (site.checkout.folder / ENCODER).with_name("checkpoints")
    wait_until(lambda: list(folder.glob("step_*.pt")), "a checkpoint is written", 300)
    return list(folder.glob("step_*.pt"))


def assert_resumed(site: Site) -> None:
    """The last try went on where an earlier one had come to."""
    log = (site.checkout.folder / "results/logs/pretrain/simhand.log").read_text()
    (step,) = re.findall(r"resuming from .*, after step (\d+)", log)
    assert 0 < int(step) < STEPS


def test_pretraining_over_its_time_goes_on_from_its_checkpoint(
    cluster: Cluster, finished: Site, local: Checkout
) -> None:
    finished.set_resource("pretrain", runtime="1 if attempt == 1 else 30")  # minutes
    forget(finished, ENCODER)
    process = finished.start(ENCODER)
    trained_a_little(finished)
    for trainer in processes_of("gpu1", command="simhand.pretraining"):
        os.kill(trainer, signal.SIGSTOP)  # it would be too fast
    end_of(process, finished)
    states = [job.state for job in cluster.jobs() if job.rule == "pretrain"]
    assert states[-2:] == ["TIMEOUT", "COMPLETED"]
    assert_resumed(finished)
    assert_made_again(finished, local, ENCODER)


def test_an_interrupted_snakemake_cancels_its_jobs_and_training_goes_on_where_it_was(
    cluster: Cluster, finished: Site, local: Checkout
) -> None:
    forget(finished, ENCODER)
    process = finished.start(ENCODER)
    trained_a_little(finished)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=300) != 0
    wait_until(lambda: not cluster.active(), "its jobs have ended")
    assert trained_a_little(finished)
    finished.run(ENCODER)
    assert_resumed(finished)
    assert_made_again(finished, local, ENCODER)


def test_after_snakemakes_death_its_jobs_are_named_and_may_be_cancelled_or_waited_for(
    cluster: Cluster, finished: Site, local: Checkout
) -> None:
    forget(finished, *HANDS)
    process = finished.start(*HANDS)
    orphans = started(cluster, "detect_hands", count=2)
    for job in orphans:
        run("scontrol", "suspend", job.number)  # they would be too fast
    process.kill()
    process.wait()
    finished.checkout.snakemake("--unlock")

    printed = len(finished.printed())
    assert finished.start(*HANDS).wait(timeout=300) == 1
    refusal = finished.printed()[printed:]
    print(refusal)
    assert all(job.number in refusal for job in orphans)
    assert f"scancel {' '.join(job.number for job in orphans)}" in refusal
    assert len(finished.calls("sbatch")) == 2

    run("scancel", orphans[0].number)
    run("scontrol", "resume", orphans[1].number)
    wait_until(lambda: not cluster.running(), "the orphans have ended")
    finished.run(*HANDS)
    again = [job.comment for job in cluster.jobs()][-1:]
    assert again == [orphans[0].comment], "the work of the other counts"
    assert len(finished.calls("sbatch")) == 3
    assert_made_again(finished, local, *HANDS)


@pytest.fixture
def small_disk(finished: Site) -> Iterator[Path]:
    """The results lie on a disk of their own."""
    results = finished.checkout.folder / "results"
    aside = results.with_name("aside")
    results.rename(aside)
    for name in ("pretraining", "finetuning"):
        shutil.rmtree(aside / name)
    results.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=64m", "simhand", str(results))
    try:
        shutil.copytree(aside, results, dirs_exist_ok=True)
        yield results
    finally:
        run("umount", "--lazy", str(results))


def fill(disk: Path) -> Path:
    """Writes a file that takes all that is free."""
    filler = disk / "filler"
    filler.write_bytes(b"\0" * shutil.disk_usage(disk).free)
    assert shutil.disk_usage(disk).free == 0
    return filler


def test_a_disk_that_is_full_for_a_while(cluster: Cluster, finished: Site, local: Checkout, small_disk: Path) -> None:
    frames = [path.replace("/hands/", "/frames/").replace(".parquet", ".arrow") for path in HANDS]
    forget(finished, *HANDS, *frames)
    filler = fill(small_disk)
    process = finished.start(*HANDS)
    wait_until(lambda: "No space left on device" in finished.printed(), "the full disk is told", 300)
    filler.unlink()
    end_of(process, finished)
    assert_made_again(finished, local, *HANDS, *frames)


def test_a_shard_that_was_cut_is_named(cluster: Cluster, finished: Site, local: Checkout) -> None:
    frames = "results/frames/demo/0of2.arrow"
    path = finished.checkout.folder / frames
    os.truncate(path, path.stat().st_size // 2)
    forget(finished, HANDS[0])
    printed = finished.run(HANDS[0], "--retries", "0", check=False)
    assert "cannot read a table" in printed
    assert f"where:    {frames}" in printed
    assert "delete it and start the workflow again" in printed
    path.unlink()
    finished.run(HANDS[0])
    assert_made_again(finished, local, HANDS[0], frames)
