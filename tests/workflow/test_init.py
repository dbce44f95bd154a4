"""What `simhand init` writes is a workflow that can be planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import WriteVideo
from tests.workflow.checkout import Checkout


@pytest.mark.parametrize("gpus", ["0", "8"])
def test_snakemake_plans_what_is_written(tmp_path: Path, small_demo: Path, write_video: WriteVideo, gpus: str) -> None:
    checkout = Checkout.new(tmp_path)
    labelled = [str(small_demo / name) for name in ("labelled", "labelled_dexycb", "labelled_assemblyhands")]
    for name in "abc":
        write_video(tmp_path / "kitchen" / f"{name}.mp4", [i / 2 for i in range(20)], shade=ord(name))
    done = checkout.run("simhand", "init", "kitchen", *labelled, "--gpus", gpus, "--out", "my.yaml")
    assert "a folder of videos: 3, 0.5 minutes" in done.stdout
    assert "a labelled set as dexycb is downloaded" in done.stdout
    to_do = checkout.to_do("--configfile", "my.yaml")
    assert {"pretrain simhand", "finetune freihand simhand 100 0", "finetune dexycb none 100 0"} <= to_do
    assert sum(job.startswith("sample_frames kitchen ") for job in to_do) >= 2
