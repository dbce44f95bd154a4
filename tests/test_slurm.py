"""What is made of Slurm's answers; on a real Slurm: tests/slurm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import snakemake_executor_plugin_slurm as plugin

from simhand.errors import OrphanError
from simhand.slurm import Patience, refuse_orphans, wait_for_slurm

Put = Callable[[str, str], None]
COMMENTS = {"rule_pretrain_wildcards_simhand", "rule_draw_pool_wildcards_all"}


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a program first on the path: its name, and the text of a shell script."""

    def write(name: str, script: str) -> None:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    return write


def test_without_slurm_there_are_no_orphans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refuse_orphans(tmp_path, COMMENTS)


def test_only_the_same_jobs_of_the_same_folder_are_orphans(tmp_path: Path, put: Put) -> None:
    here = tmp_path / "a|b"
    here.mkdir()
    (tmp_path / "link").symlink_to(here)
    jobs = [
        f"1|RUNNING|rule_pretrain_wildcards_simhand|{tmp_path / 'link'}",
        f"2|PENDING|rule_draw_pool_wildcards_all|{here}",
        f"3|RUNNING|rule_draw_pool_wildcards_all|{tmp_path}",
        f"4|RUNNING|rule_pretrain_wildcards_peclr|{here}",  # of another snakemake that works here
    ]
    put("squeue", "cat <<'END'\n" + "\n".join(jobs) + "\nEND")
    with pytest.raises(OrphanError) as refused:
        refuse_orphans(here, COMMENTS)
    told = "got:      1 running rule_pretrain_wildcards_simhand; 2 pending rule_draw_pool_wildcards_all"
    assert told in str(refused.value)
    assert str(refused.value).endswith("scancel 1 2")
    refuse_orphans(here, {"rule_evaluate_wildcards_demo_none_100_0"})


def test_a_slurm_that_does_not_answer_is_told(tmp_path: Path, put: Put, caplog: pytest.LogCaptureFixture) -> None:
    put("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with caplog.at_level(logging.WARNING):
        refuse_orphans(tmp_path, COMMENTS)
    assert "Unable to contact slurm controller" in caplog.text


def states(*answers: dict[str, str] | None, command: str = "squeue --states=all") -> list[dict[str, str]]:
    """What the plugin is told, look by look."""
    left = iter(answers)

    async def query(command: str, logger: Any) -> tuple[dict[str, str] | None, float | None]:
        answer = next(left)
        return answer, None if answer is None else 0.5

    patience = Patience(query)
    return [asyncio.run(patience.states(command, logging.getLogger()))[0] for _ in answers]


def test_no_answer_means_that_no_job_has_ended() -> None:
    assert states({"1": "RUNNING"}, None, {"1": "COMPLETED"}) == [{"1": "RUNNING"}, {}, {"1": "COMPLETED"}]


def test_of_a_job_that_slurm_has_forgotten_the_outputs_tell() -> None:
    assert states({"1": "RUNNING", "2": "PENDING"}, {"2": "RUNNING"}, {}) == [
        {"1": "RUNNING", "2": "PENDING"}, {"1": "UNKNOWN", "2": "RUNNING"}, {"1": "UNKNOWN", "2": "UNKNOWN"},
    ]  # fmt: skip
    assert states({"1": "RUNNING"}, {}, command="sacct -X") == [{"1": "RUNNING"}, {}]


def test_the_installed_plugin_has_the_shape_that_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "query_job_status", plugin.query_job_status)
    monkeypatch.setattr(plugin.Executor, "run_job", plugin.Executor.run_job)
    Patience.give_to(plugin)
    once = plugin.query_job_status, plugin.Executor.run_job
    Patience.give_to(plugin)
    assert (plugin.query_job_status, plugin.Executor.run_job) == once
    answer = asyncio.run(plugin.query_job_status("false", logging.getLogger()))
    assert answer == ({}, 0.0)


def test_a_submission_waits_for_slurm(tmp_path: Path, put: Put, caplog: pytest.LogCaptureFixture) -> None:
    put("scontrol", f'echo asked >> {tmp_path / "asked"}; [ "$(wc -l < {tmp_path / "asked"})" -gt 2 ]')
    wait_for_slurm(every_s=0.01)
    assert (tmp_path / "asked").read_text().count("asked") == 3
    assert caplog.text.count("submissions wait") == 1
    put("scontrol", "exit 1")
    wait_for_slurm(at_most_s=0.05, every_s=0.01)
