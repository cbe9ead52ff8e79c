"""Checkpoints: the next executor of a task goes on from the last one's, as long as its inputs are the same."""

from __future__ import annotations

import pytest

from runner_svc.core.model.states import DOING
from runner_svc.core.model.values import Settings
from tests.support.story import (
    Run,
    accepted,
    candidate,
    content_of,
    executor,
    failed,
    given,
    passed,
    passes,
    rejected,
    retried,
    saved,
    signed_off,
    started,
    started_with,
    validator,
    worker_lost,
)

TEAM = (executor("w1"), validator("v1"))


def left_to(run: Run, task: str = "a") -> str | None:
    """Returns the digest of the checkpoint in the last assignment of a task."""
    checkpoint = run.assignment(task).checkpoint
    return checkpoint.digest if checkpoint else None


def digest(text: str) -> str:
    return content_of(text).digest


def test_a_checkpoint_is_kept_and_moves_nothing() -> None:
    run = given("a", *TEAM, started, saved("a", "half"))
    run.then(
        events=["ExecutionCreated", "ExecutionStarted", "TaskAssigned a", "CheckpointStored a"], statuses={"a": DOING}
    )
    assert run.last.contents == {digest("half"): b"half"}


def test_the_first_attempt_is_left_nothing() -> None:
    assert left_to(given("a", *TEAM, started)) is None


@pytest.mark.guard(name="checkpoints are handed over")
def test_whoever_goes_on_after_a_loss_gets_the_last_one() -> None:
    run = given("a", *TEAM, started, saved("a", "third"), saved("a", "half"))
    run.when(worker_lost("w1"), passes(61), executor("w2"))
    assert left_to(run) == digest("half")


def test_a_failed_attempt_leaves_its_checkpoint_too() -> None:
    run = given("a", *TEAM, started, saved("a", "half"))
    run.when(failed("a"), passes(60))
    assert left_to(run) == digest("half")


def test_the_same_word_again_changes_nothing() -> None:
    run = given("a", *TEAM, started, saved("a", "half"))
    run.when(saved("a", "half")).then(events=[])
    assert run.last.contents == {}


@pytest.mark.guard(name="a candidate ends its checkpoint")
def test_a_rejected_candidate_is_begun_anew() -> None:
    run = given("a", *TEAM, started, saved("a", "half"), candidate("a"))
    run.when(rejected("a"), passes(60))
    assert left_to(run) is None


def test_a_judge_is_left_nothing_and_leaves_nothing() -> None:
    run = given("a", *TEAM, started, saved("a", "half"))
    run.when(candidate("a"))
    assert left_to(run) is None
    run.when(saved("a", "judged by half")).then(events=[])


def test_who_does_not_hold_the_lease_leaves_nothing() -> None:
    run = given("a", *TEAM, executor("w2"), started)
    name = next(name for name in ("w1", "w2") if run.sessions[name] == run.holder("a"))
    lease = run.lease("a")
    run.when(worker_lost(name), passes(61), executor(name))
    run.when(saved("a", "late", under=(run.sessions[name], lease))).then(events=[])


@pytest.mark.parametrize(
    ("made", "left"),
    [
        pytest.param("another", None, marks=pytest.mark.guard(name="checkpoints are for the same inputs")),
        ("the same", digest("half")),
    ],
)
def test_work_on_other_inputs_is_begun_anew(made: str, left: str | None) -> None:
    run = given("a[x]; b(x) <- a", *TEAM, started, *signed_off("a", "the same"), saved("b", "half"), retried("a"))
    run.when(passes(1), *signed_off("a", made))
    assert left_to(run, "b") == left


@pytest.mark.guard(name="a retry forgets checkpoints")
def test_a_task_that_a_person_has_done_again_is_begun_anew() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=1)), saved("a", "half"), failed("a"))
    run.when(retried("a"), passes(60))
    assert left_to(run) is None


def test_a_checkpoint_puts_the_idle_time_out_off() -> None:
    run = given("a", *TEAM, started, accepted("a"))
    for number in range(5):
        run.when(passes(100), saved("a", str(number)))
    run.when(candidate("a"), passed("a")).then(
        events=["CandidateStored a", "TaskAssigned a", "VerdictPassed a", "ExecutionSucceeded"]
    )
