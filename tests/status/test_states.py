from __future__ import annotations

import pytest

from simhand.status.failures import Failure
from simhand.status.running import AtWork, comment
from simhand.status.states import State, states
from simhand.why.chain_job import ChainJob

HERE = AtWork(is_locked=True, process=7)
ELSEWHERE = AtWork(is_locked=True)
NOBODY = AtWork()
FAILED = Failure("detect", "a, b", ("log",), "", "today")


def job(*, to_do: bool = True, there: bool = False, started: bool = False) -> ChainJob:
    return ChainJob("detect", ("wild", "0of2"), ("a", "b"), ("log",), to_do, there, started)


@pytest.mark.parametrize(
    ("one", "failed", "at_work", "state"),
    [
        (job(to_do=False, there=True), [], HERE, State.DONE),
        (job(to_do=False, there=True), [FAILED], NOBODY, State.DONE),  # it was tried again by hand, say
        (job(), [], NOBODY, State.TO_DO),
        (job(there=True), [], NOBODY, State.AGAIN),
        (job(there=True), [FAILED], NOBODY, State.AGAIN),  # it ended well after it had failed
        (job(), [FAILED], NOBODY, State.FAILED),
        (job(), [FAILED._replace(output="a")], NOBODY, State.TO_DO),
        (job(started=True), [FAILED], HERE, State.RUNNING),
        (job(started=True), [], ELSEWHERE, State.STARTED),
        (job(started=True), [], NOBODY, State.INTERRUPTED),
    ],
)
def test_state(one: ChainJob, failed: list[Failure], at_work: AtWork, state: State) -> None:
    assert states([one], failed, at_work) == {one: state}


def test_slurm_knows_best_what_runs() -> None:
    name = comment(job())
    assert name == "rule_detect_wildcards_wild_0of2"
    for lock in (True, False):
        for is_running, state in ((True, State.RUNNING), (False, State.QUEUED)):
            at_work = AtWork(is_locked=lock, queue={name: is_running})
            assert states([job(started=True)], [], at_work) == {job(started=True): state}
    assert comment(ChainJob("hand_model")) == "rule_hand_model"
