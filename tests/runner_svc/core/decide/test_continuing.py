"""A session that continues another: the worker's next stream takes over while the old one lives."""

from __future__ import annotations

import pytest

from runner_svc.core.model import signals
from runner_svc.core.model.states import DOING, VALIDATING
from runner_svc.core.model.values import Settings
from tests.support.story import (
    Run,
    accepted,
    candidate,
    candidate_under,
    executor,
    given,
    passes,
    resumed,
    started,
    started_with,
    validator,
    worker_lost,
)


@pytest.mark.guard(name="a continued session ends in order")
def test_a_session_that_continues_another_replaces_it_in_order_and_keeps_its_leases() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    old, lease = run.sessions["w1"], run.lease("a")
    run.when(executor("w1", held=[lease], continues=old))
    run.then(events=[], commands=["EndSession -> gone", "Keep a -> w1"])
    assert run.last.commands[0].continued  # type: ignore[attr-defined]  # it is an EndSession
    run.when(passes(60)).then(events=[], statuses={"a": DOING})


@pytest.mark.guard(name="assign again")
def test_an_assignment_that_crossed_the_next_hello_is_repeated_and_costs_nothing() -> None:
    run = given("a", executor("w1"), started)
    lease = run.lease("a")
    run.when(executor("w1", continues=run.sessions["w1"]))
    run.then(events=[], commands=["EndSession -> gone", "Assign a -> w1"])
    assert run.assignment("a").lease == lease
    run.when(accepted("a"), candidate("a")).then(events=["CandidateStored a"])
    assert (run.execution.record(0).attempt, run.execution.record(0).losses) == (1, 0)


def test_a_repeated_assignment_has_what_the_first_one_had() -> None:
    run = given("a", executor("w1"), validator("v1"), started)
    first = run.when(candidate("a")).assignment("a")
    run.when(validator("v1", continues=run.sessions["v1"]))
    again = run.assignment("a")
    assert again.session == run.sessions["v1"]
    for part in ("lease", "phase", "attempt", "inputs", "omitted", "candidate", "feedback"):
        assert getattr(again, part) == getattr(first, part)


@pytest.mark.guard(name="assign again waits anew")
def test_a_repeated_assignment_has_the_whole_accept_deadline_and_no_more() -> None:
    run = given("a", executor("w1"), started, passes(9))
    run.when(executor("w1", continues=run.sessions["w1"]), passes(9))
    run.then(events=[], commands=["EndSession -> gone", "Assign a -> w1"])
    run.when(passes(1)).then(events=["LeaseReturned a", "TaskAssigned a"])


@pytest.mark.guard(name="what is never accepted ends with its run timeout")
def test_an_assignment_that_is_repeated_again_and_again_ends_with_its_run_timeout() -> None:
    run = given("a", executor("w1"), started_with(Settings(run_timeout=20)))
    lease = run.lease("a")
    for _ in range(3):
        run.when(passes(6), executor("w1", continues=run.sessions["w1"]))
        assert run.lease("a") == lease
    run.when(passes(2)).then(events=["LeaseReturned a", "TaskAssigned a"])


@pytest.mark.guard(name="workers that were told to stop do not hold leases")
def test_a_worker_that_was_told_to_stop_during_a_quarantine_gets_the_work_anew_when_it_is_over() -> None:
    """Its journal says that the worker has the lease: it would wait for its time-out, and fill the worker's window."""
    run = given("a", executor("w1"), started, accepted("a"))
    come_back_from_quarantine(run)
    run.when(resumed)
    run.then(events=["UsageRecorded a", "LeaseReturned a", "TaskAssigned a"], statuses={"a": DOING})


@pytest.mark.guard(name="a connected worker is asked for its answer")
@pytest.mark.guard(name="only a worker that is away is waited for")
def test_a_worker_that_is_connected_keeps_its_other_work_when_an_execution_comes_back_from_a_quarantine() -> None:
    run = given("a; b", executor("w1", slots=2), started, accepted("a"), accepted("b"))
    kept, roster = run.lease("b"), run.machine.state.roster
    roster.end(run.lease("a"))
    roster.expect_back(run.execution, run.task("a"), run.at)
    assert not roster.absent
    run.when(passes(61)).then(events=["UsageRecorded a", "LeaseReturned a", "TaskAssigned a"])
    assert run.lease("b") == kept


@pytest.mark.guard(name="a grace is not lengthened")
def test_a_worker_that_is_away_is_waited_for_no_longer_when_an_execution_comes_back_from_a_quarantine() -> None:
    run = given("a", executor("w1"), started, accepted("a"), worker_lost("w1"), passes(50))
    come_back_from_quarantine(run)
    run.when(passes(10)).then(events=["UsageRecorded a", "LeaseLost a"])


def come_back_from_quarantine(run: Run) -> None:
    run.machine.state.roster.end(run.lease("a"))  # as a state that is built without the execution
    run.machine.readmit(run.execution, run.at)
    run.machine.state.readmitted.add(run.execution.id)


def test_a_lease_that_was_accepted_and_is_not_named_is_lost() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    run.when(executor("w1", continues=run.sessions["w1"])).then(
        events=["UsageRecorded a", "LeaseLost a", "TaskAssigned a"],
        commands=["EndSession -> gone", "Assign a -> w1"],
    )


@pytest.mark.guard(name="only the present session is continued")
def test_a_session_that_continues_another_than_the_present_one_just_replaces_it() -> None:
    run = given("a", executor("w1"), started)
    earlier = run.sessions["w1"]
    run.when(executor("w1"), executor("w1", continues=earlier))
    assert not run.last.commands[-2].continued  # type: ignore[attr-defined]  # it is an EndSession
    run.then(
        events=["LeaseReturned a", "TaskAssigned a"] * 2,
        commands=["EndSession -> gone", "Assign a -> gone", "EndSession -> gone", "Assign a -> w1"],
    )


@pytest.mark.guard(name="who drains goes on draining")
def test_a_session_that_continues_one_that_drains_is_given_nothing_new() -> None:
    run = given("a; b", executor("w1"), started, accepted("a"))
    lease, old = run.lease("a"), run.sessions["w1"]
    run.when(lambda run: signals.WorkerDraining(at=run.at, session=old))
    run.when(executor("w1", slots=2, held=[lease], continues=old))
    run.then(events=[], commands=["EndSession -> gone", "Keep a -> w1"])


def test_what_the_old_session_still_says_changes_nothing() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    old, lease = run.sessions["w1"], run.lease("a")
    run.when(executor("w1", held=[lease], continues=old))
    run.when(candidate_under(lease, "said on the old stream", old)).then(events=[], commands=[])
    run.when(candidate("a")).then(events=["CandidateStored a"], statuses={"a": VALIDATING})


@pytest.mark.guard(name="a replaced session cannot be lost")
def test_the_end_of_the_old_stream_loses_nothing() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    old, lease = run.sessions["w1"], run.lease("a")
    run.when(executor("w1", held=[lease], continues=old))
    new, run.sessions["w1"] = run.sessions["w1"], old
    run.when(worker_lost("w1"))
    run.sessions["w1"] = new
    run.when(passes(60)).then(events=[], statuses={"a": DOING})
