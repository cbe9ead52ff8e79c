"""Who may say what about a lease, and how many a worker may hold."""

from __future__ import annotations

import pytest

from runner_svc.core import signals as s
from runner_svc.core.states import DOING
from runner_svc.core.values import Settings
from tests.support.story import (
    Run,
    Step,
    accepted,
    candidate,
    candidate_under,
    executor,
    given,
    given_back,
    passes,
    progressed,
    started,
    started_with,
    validator,
    worker_lost,
)


def credit(name: str, window: int) -> Step:
    return lambda run: s.CreditGranted(at=run.at, session=run.sessions[name], window=window)


@pytest.mark.guard(name="a lease is its session's")
def test_a_result_from_a_session_that_does_not_hold_the_lease_changes_nothing() -> None:
    run = given("a", executor("w1"), executor("w2"), started, accepted("a"))
    (other,) = {*run.sessions.values()} - {run.holder("a")}
    run.when(candidate_under(run.lease("a"), "of somebody else", other)).then(
        events=["OrphanStored a"], statuses={"a": DOING}
    )
    run.when(candidate("a")).then(events=["CandidateStored a"])


@pytest.mark.guard(name="lease fence")
def test_a_result_under_an_old_lease_does_not_count_for_the_new_one() -> None:
    run = given("a", executor("w1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(given_back("a"))
    assert run.lease("a") != lease
    run.when(candidate_under(lease, "late", session)).then(events=["OrphanStored a"], statuses={"a": DOING})


@pytest.mark.guard(name="credit")
def test_a_worker_holds_no_more_leases_than_it_granted_credit_for() -> None:
    run = given("a; b; c", executor("w1", slots=3), credit("w1", 2))
    run.when(started).then(events=["ExecutionCreated", "ExecutionStarted", "TaskAssigned a", "TaskAssigned b"])
    run.when(credit("w1", 0), candidate("a")).then(events=["CandidateStored a"])
    run.when(credit("w1", 2)).then(events=["TaskAssigned c"])


def timed(run_timeout: float, idle_timeout: float) -> Run:
    settings = Settings(run_timeout=run_timeout, idle_timeout=idle_timeout)
    return given("a", executor("w1"), validator("v1"), started_with(settings), accepted("a"))


@pytest.mark.guard(name="run timeout")
def test_an_attempt_that_runs_too_long_ends_whatever_its_progress() -> None:
    run = timed(run_timeout=100, idle_timeout=60)
    run.when(passes(50), progressed("a"), passes(49), progressed("a")).then(events=[])
    run.when(passes(1)).then(events=["AttemptFailed a", "RetryScheduled a"], commands=["Cancel a -> w1"])


@pytest.mark.guard(name="idle timeout")
def test_an_attempt_without_progress_ends() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    run.when(passes(30)).then(events=["AttemptFailed a", "RetryScheduled a"], commands=["Cancel a -> w1"])


@pytest.mark.guard(name="progress refreshes the idle clock")
def test_an_attempt_with_progress_goes_on() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    for _ in range(5):
        run.when(passes(29), progressed("a")).then(events=[])
    run.when(passes(30)).then(events=["AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="to come back is no progress")
def test_an_attempt_whose_stream_is_continued_again_and_again_without_progress_ends() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    for _ in range(2):
        run.when(passes(14), executor("w1", held=[run.lease("a")], continues=run.sessions["w1"])).then(events=[])
    run.when(passes(2)).then(events=["AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="to come back is no progress")
def test_an_attempt_whose_stream_breaks_again_and_again_without_progress_ends() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    for _ in range(2):
        run.when(passes(14), worker_lost("w1"), executor("w1", held=[run.lease("a")])).then(events=[])
    run.when(passes(2)).then(events=["AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="the idle clock stands still while a worker is away")
def test_the_time_that_a_worker_was_away_is_not_held_against_its_work() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    run.when(passes(20), worker_lost("w1"), passes(50), executor("w1", held=[run.lease("a")])).then(events=[])
    run.when(passes(9)).then(events=[])
    run.when(passes(1)).then(events=["AttemptFailed a", "RetryScheduled a"])
