"""`simhand status` tells what Slurm runs from what waits in its queue, and how a job failed there."""

from __future__ import annotations

import re
from contextlib import suppress

import psutil
import pytest

from tests.slurm.cluster import Cluster, run, wait_until
from tests.slurm.site import Site

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]

FRAMES = "results/frames/demo/0of2.arrow"


def status(site: Site) -> str:
    return site.checkout.run("simhand", "status", FRAMES, "--profile", "slurm", check=False).stdout


def line(site: Site) -> str:
    """What is said of the jobs that sample frames."""
    found = re.search(r"^  sample_frames +[#.]+ +(.*)$", status(site), re.MULTILINE)
    return found[1] if found else ""


def pause(job: str) -> None:
    """Stops the processes of a job; to Slurm it still runs."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended meanwhile
            if process.environ().get("SLURM_JOB_ID") == job:
                process.suspend()


def test_in_the_queue_running_and_failed(cluster: Cluster, site: Site) -> None:
    run("scontrol", "update", "PartitionName=cpu", "State=DOWN")
    process = site.start(FRAMES, "--retries", "0")
    try:
        wait_until(lambda: site.calls("sbatch"), "the job is submitted", 300)
        wait_until(lambda: line(site) == "0 of 1, 1 in the queue", "status tells that it waits", 120)
        run("scontrol", "update", "PartitionName=cpu", "State=UP")
        wait_until(cluster.running, "it runs", 120)
        pause(cluster.running()[0].number)
        assert line(site) == "0 of 1, 1 running"
        run("scancel", cluster.running()[0].number)
        assert process.wait(timeout=300) != 0
        told = status(site)
        assert "0 of 1, 1 failed" in told
        assert "SLURM status is: 'CANCELLED'" in told
    finally:
        run("scontrol", "update", "PartitionName=cpu", "State=UP")
