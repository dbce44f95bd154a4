from __future__ import annotations

from pathlib import Path

import pytest

from simhand.status.failures import Failure
from simhand.status.running import AtWork
from simhand.status.states import State
from simhand.status.summary import summary
from simhand.why.chain_job import ChainJob


def jobs(rule: str, *kinds: tuple[State, int]) -> dict[ChainJob, State]:
    """So many jobs of a rule in each state."""
    in_order = [state for state, count in kinds for _ in range(count)]
    return {
        ChainJob(rule, ("wild", str(i)), (f"{rule}/{i}",), (f"{rule}_{i}.log",)): state
        for i, state in enumerate(in_order)
    }


def failure(job: ChainJob, **values: str) -> Failure:
    return Failure(job.rule, job.outputs[0], job.logs, values.get("message", ""), "Sun Nov 22 05:50:05 2026")


def test_256_shards_are_a_line_a_rule() -> None:
    states = {
        **jobs("sample_frames", (State.DONE, 250), (State.RUNNING, 3), (State.FAILED, 1), (State.TO_DO, 2)),
        **jobs("detect_hands", (State.TO_DO, 256)),
    }
    failed = [failure(job) for job, state in states.items() if state is State.FAILED]
    text = summary(states, failed, AtWork(is_locked=True, process=4242), log=Path("now.log"), lines=10)
    assert text == (
        "250 of 512 jobs done. snakemake is at work (process 4242, now.log).\n\n"
        "  sample_frames  #########.  250 of 256, 3 running, 1 failed, 2 to do\n"
        "  detect_hands   ..........    0 of 256, 256 to do\n\n"
        "1 job failed:\n\n"
        "  sample_frames wild 253, Sun Nov 22 05:50:05 2026\n"
        "  nothing in its log: sample_frames_253.log\n"
    )


def test_all_done_says_so_in_its_first_line() -> None:
    text = summary(jobs("pretrain", (State.DONE, 2)), [], AtWork(), log=None, lines=10)
    assert text == "2 of 2 jobs done.\n\n  pretrain  ##########  2 of 2\n"


def test_of_what_would_run_again_another_command_tells_why() -> None:
    states = jobs("finetune", (State.DONE, 1), (State.AGAIN, 1))
    text = summary(states, [], AtWork(), log=None, lines=10)
    assert "  finetune  #####.....  1 of 2, 1 to run again\n\n`simhand why` tells why" in text
    assert "simhand why" not in summary(states, [], AtWork(is_locked=True, process=1), log=None, lines=10)


def test_the_last_lines_of_logs_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    states = {**jobs("pretrain", (State.RUNNING, 1)), **jobs("finetune", (State.FAILED, 1))}
    Path("pretrain_0.log").write_text("begun\nstep 3 of 10\n\n")
    Path("finetune_0.log").write_text("".join(f"line {i}\n" for i in range(20)))
    failed = [failure(list(states)[1], message="SLURM-job '7' failed")]
    text = summary(states, failed, AtWork(is_locked=True, process=1), log=None, lines=2)
    assert "\n\nWhat running jobs last logged:\n  pretrain wild 0: step 3 of 10\n\n" in text
    expected = "2026\n  SLURM-job '7' failed\n  finetune_0.log:\n    line 18\n    line 19\n"
    assert text.endswith(expected)


def test_of_many_failed_jobs_three_are_shown_and_ten_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    states = jobs("sample_frames", (State.FAILED, 40))
    text = summary(states, [failure(job) for job in states], AtWork(), log=None, lines=10)
    assert "40 jobs failed:" in text
    assert text.count("nothing in its log") == 3
    assert text.endswith("  sample_frames wild 12\n  and 27 more\n")


def test_a_lock_without_a_process_may_be_of_another_machine(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    text = summary(jobs("pretrain", (State.STARTED, 1)), [], AtWork(True, None, {}, "login2"), log=log, lines=10)
    assert "locked, but no snakemake works here on login2:\nit is on another machine, or was killed (its log" in text
    assert "`snakemake --unlock`" in text
