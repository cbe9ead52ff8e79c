"""Fencing: only the holder reports under a lease, and a worker holds no more than it asked for."""

from __future__ import annotations

from typing import Any

import pytest

from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.states import DOING
from runner_svc.core.model.values import Content, LeaseId, Role, SessionId, Settings, WorkerName
from tests.support.story import (
    Run,
    Step,
    accepted,
    candidate,
    candidate_under,
    executor,
    failed,
    given,
    given_back,
    passed,
    passes,
    progressed,
    started,
    started_with,
    validator,
    worker_lost,
)

MADE = Content(digest="d", size=1, media_type="text/plain")
HELLO: Any = {"session": SessionId("s9"), "worker": WorkerName("w9"), "role": Role.EXECUTOR, "slots": 1}


def credit(name: str, window: int) -> Step:
    return lambda run: signals.CreditGranted(at=run.at, session=run.sessions[name], window=window)


def _name(run: Run, wanted: SessionId) -> str:
    return next(name for name, session in run.sessions.items() if session == wanted)


@pytest.mark.guard(name="a lease is its session's")
def test_a_result_from_a_session_that_does_not_hold_the_lease_changes_nothing() -> None:
    run = given("a", executor("w1"), executor("w2"), started, accepted("a"))
    (other,) = {*run.sessions.values()} - {run.holder("a")}
    run.when(candidate_under(run.lease("a"), "of another worker", other)).then(
        events=[], commands=[f"Supersede a -> {_name(run, other)}"], statuses={"a": DOING}
    )
    run.when(candidate("a")).then(events=["CandidateStored a"])


@pytest.mark.guard(name="lease fence")
def test_a_result_under_an_old_lease_does_not_count_for_the_new_one() -> None:
    run = given("a", executor("w1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(given_back("a"))
    assert run.lease("a") != lease
    run.when(candidate_under(lease, "late", session)).then(events=["OrphanStored a"], statuses={"a": DOING})


@pytest.mark.guard(name="one orphan a lease")
def test_of_a_lease_that_has_ended_one_late_result_is_kept_and_the_next_ones_are_only_answered() -> None:
    run = given("a", executor("w1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(given_back("a"), candidate_under(lease, "late", session))
    for text in ("late", "later", "latest"):
        run.when(candidate_under(lease, text, session)).then(events=[], commands=["Supersede a -> w1"])
        assert run.last.contents == {}


@pytest.mark.parametrize(
    ("before", "result"),
    [([], passed("a")), ([candidate("a")], failed("a")), ([candidate("a")], candidate("a", "another"))],
)
def test_a_result_of_another_phase_under_a_lease_that_is_held_leaves_nothing_behind(
    before: list[Step], result: Step
) -> None:
    run = given("a", executor("w1"), validator("v1"), started, *before)
    lease = run.lease("a")
    for _ in range(2):
        run.when(result).then(events=[], commands=[f"Supersede a -> {_name(run, run.holder('a'))}"])
        assert run.last.contents == {}
    assert run.lease("a") == lease


@pytest.mark.parametrize("lease", ["e1.0.3", "e1.0.99", "e1.0.x", "e1.0", "another.0.3", "e1.7.3", "x", ""])
@pytest.mark.guard(name="orphans of leases that were given")
def test_a_result_under_a_lease_that_its_worker_was_never_given_leaves_nothing_behind(lease: str) -> None:
    run = given("a", executor("w1"), executor("w2"), started, given_back("a"))
    rogue = run.sessions["w2"] if run.holder("a") == run.sessions["w1"] else run.sessions["w1"]
    (first,) = [entry.event.lease for entry in run.entries if isinstance(entry.event, events.LeaseReturned)]
    for forged in (LeaseId(lease), first):
        other = _other(run, first) if forged == first else rogue
        run.when(candidate_under(forged, "forged", other))
        assert run.last.entries == []
        assert [type(command) for command in run.last.commands] == [commands.Supersede]
        assert run.last.contents == {}


def _other(run: Run, lease: LeaseId) -> SessionId:
    """Returns the session of the worker that was not given this lease."""
    (given_to,) = [
        entry.event.worker
        for entry in run.entries
        if isinstance(entry.event, events.TaskAssigned) and entry.event.lease == lease
    ]
    return next(session for name, session in run.sessions.items() if name != given_to)


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 11, "-1", "٣", "1e3", "0x1", "", " 0"])
def test_a_lease_whose_number_makes_no_sense_is_answered_and_changes_nothing(number: str) -> None:
    run = given("a", executor("w1"), started)
    lease = LeaseId(f"e1.{number}.3")
    before = run.execution.sequence
    run.machine.turn(
        [signals.CandidateMade(at=run.at, session=run.sessions["w1"], lease=lease, content=MADE, body=b"x")]
    )
    run.machine.turn([signals.WorkerJoined(at=run.at, **HELLO, held=frozenset({lease}))])
    assert run.execution.sequence >= before


@pytest.mark.guard(name="leases settled before")
def test_a_result_that_is_repeated_after_the_next_attempt_has_ended_is_acknowledged() -> None:
    run = given("a", executor("w1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(failed("a"), passes(60), failed("a"), passes(60))
    run.when(candidate_under(lease, "again", session)).then(events=[], commands=["Acknowledge a -> w1"])


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
    run.when(passes(1)).then(
        events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"], commands=["Cancel a -> w1"]
    )


@pytest.mark.guard(name="idle timeout")
def test_an_attempt_without_progress_ends() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    run.when(passes(30)).then(
        events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"], commands=["Cancel a -> w1"]
    )


@pytest.mark.guard(name="progress refreshes the idle clock")
def test_an_attempt_with_progress_goes_on() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    for _ in range(5):
        run.when(passes(29), progressed("a")).then(events=[])
    run.when(passes(30)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="to come back is no progress")
def test_an_attempt_whose_stream_is_continued_again_and_again_without_progress_ends() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    for _ in range(2):
        run.when(passes(14), executor("w1", held=[run.lease("a")], continues=run.sessions["w1"]))
        run.then(events=[], commands=["EndSession -> gone", "Keep a -> w1"])
    run.when(passes(2)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="to come back is no progress")
def test_an_attempt_whose_stream_breaks_again_and_again_without_progress_ends() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    for _ in range(2):
        run.when(passes(14), worker_lost("w1"), executor("w1", held=[run.lease("a")]))
        run.then(events=[], commands=["Keep a -> w1"])
    run.when(passes(2)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="the idle clock stands still while a worker is away")
def test_the_time_that_a_worker_was_away_is_not_held_against_its_work() -> None:
    run = timed(run_timeout=1000, idle_timeout=30)
    run.when(passes(20), worker_lost("w1"), passes(50), executor("w1", held=[run.lease("a")]))
    run.then(events=[], commands=["Keep a -> w1"])
    run.when(passes(9)).then(events=[])
    run.when(passes(1)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])
