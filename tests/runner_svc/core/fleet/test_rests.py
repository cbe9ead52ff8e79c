"""A worker that gives back what it is given gets nothing for a growing while; other workers go on at once."""

from __future__ import annotations

import pytest

from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.fleet.rests import LONGEST_REST, Rests
from runner_svc.core.model import signals
from runner_svc.core.model.states import DOING, UNDONE
from runner_svc.core.model.values import WorkerName
from tests.support.story import (
    Run,
    accepted,
    candidate,
    executor,
    given,
    given_back,
    passes,
    started,
    worker_lost,
)

W1 = WorkerName("w1")


def given_back_twice() -> Run:
    """Returns a run in which w1 has given a back twice, and rests for a second."""
    return given("a", executor("w1"), started, given_back("a"), given_back("a"))


@pytest.mark.guard(name="work that is given back is not given out at once")
def test_work_that_is_given_back_again_and_again_is_given_out_ever_more_rarely() -> None:
    run = given("a", executor("w1"), started)
    run.when(given_back("a")).then(events=["LeaseReturned a", "TaskAssigned a"])
    for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
        run.when(given_back("a")).then(events=["LeaseReturned a"], statuses={"a": UNDONE})
        run.when(passes(seconds - 0.5)).then(events=[])
        run.when(passes(0.5)).then(events=["TaskAssigned a"])


def test_another_worker_gets_what_was_given_back_at_once() -> None:
    run = given_back_twice()
    run.when(executor("w2")).then(events=["TaskAssigned a"])
    assert run.holder("a") == run.sessions["w2"]


@pytest.mark.guard(name="what is given back together counts once")
def test_what_a_worker_gives_back_in_one_go_makes_one_rest() -> None:
    names = [f"t{number}" for number in range(10)]
    run = given("; ".join(names), executor("w1", slots=10), started)
    run.when(lambda run: [given_back(name)(run) for name in names])  # type: ignore[misc]
    assert run.machine.state.roster.rests.until(W1, run.at) == run.at + 1
    run.when(passes(1)).then(events=[f"TaskAssigned {name}" for name in names])


@pytest.mark.guard(name="a result ends a rest")
def test_a_result_ends_the_rest_and_the_next_one_is_as_short_as_the_first() -> None:
    run = given("a; b", executor("w1", slots=2), started, accepted("a"), given_back("b"), given_back("b"))
    run.when(candidate("a")).then(events=["CandidateStored a", "TaskAssigned b"])
    run.when(given_back("b")).then(events=["LeaseReturned b", "TaskAssigned b"])


def test_work_that_is_accepted_and_given_back_makes_a_rest_too() -> None:
    run = given("a", executor("w1"), started, accepted("a"), given_back("a"), accepted("a"))
    run.when(given_back("a")).then(events=["LeaseReturned a"])


def test_work_that_is_let_lie_makes_a_rest_too() -> None:
    run = given("a", executor("w1"), started)
    run.when(passes(10)).then(events=["LeaseReturned a", "TaskAssigned a"])
    run.when(passes(10)).then(events=["LeaseReturned a"], commands=["Cancel a -> w1"])
    run.when(passes(1)).then(events=["TaskAssigned a"])


def test_a_worker_that_finds_all_unchanged_without_being_asked_rests() -> None:
    def unchanged(run: Run) -> signals.Signal:
        return signals.WorkUnchanged(at=run.at, session=run.holder("a"), lease=run.lease("a"), maker="m1")

    run = given("a", executor("w1"), started)
    run.when(unchanged).then(events=["LeaseReturned a", "TaskAssigned a"])
    run.when(unchanged).then(events=["LeaseReturned a"])


@pytest.mark.guard(name="a new session goes on resting")
def test_a_new_session_of_a_worker_goes_on_resting() -> None:
    run = given_back_twice()
    run.when(worker_lost("w1", orderly=True), executor("w1")).then(events=[])
    run.when(passes(1)).then(events=["TaskAssigned a"])


def test_a_worker_that_drains_gives_back_what_it_has_not_begun_and_its_next_session_is_given_it() -> None:
    run = given("a; b; c", executor("w1", slots=3), started)
    run.when(lambda run: signals.WorkerDraining(at=run.at, session=run.sessions["w1"]))
    run.when(given_back("a"), given_back("b"), given_back("c"), worker_lost("w1", orderly=True), executor("w1"))
    run.then(statuses={"a": DOING})
    assert not run.machine.state.roster.rests


def test_a_task_says_that_the_worker_it_waits_for_rests() -> None:
    run = given_back_twice()
    waiting = waiting_of(run.machine.state, run.execution, 0, run.at)
    assert waiting is not None
    assert (waiting.what, waiting.until) == (WaitingFor.EXECUTOR, run.at + 1)
    assert "gave work back" in waiting.message


@pytest.mark.guard(name="rests are forgotten")
def test_workers_that_have_left_are_forgotten() -> None:
    run = given("a", started)
    for number in range(3):
        run.when(executor(f"w{number}"), given_back("a"), worker_lost(f"w{number}", orderly=True))
    assert len(run.machine.state.roster.rests) == 3
    run.when(passes(LONGEST_REST))
    assert not run.machine.state.roster.rests


def test_deadlines_are_bounded_by_the_rests_and_not_by_what_is_given_back() -> None:
    reminders: list[float] = []
    rests = Rests(lambda at, _: reminders.append(at))
    for _ in range(10_000):
        rests.gave_back(W1, at=0.0)
    assert len(reminders) == 3  # one of the first time, two of the rest
