"""A candidate that comes after its lease has ended is judged all the same, when there is nothing better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from runner_svc.core.model import events
from runner_svc.core.model.states import DOING, DONE, EXECUTION_FAILED, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.usage import NOTHING
from runner_svc.core.model.values import Content, FailureKind, LeaseId, SessionId, Settings
from tests.support.story import (
    Run,
    Step,
    accepted,
    candidate,
    candidate_under,
    executor,
    failed,
    given,
    passed,
    passes,
    paused,
    rejected,
    resumed,
    retried,
    signed_off,
    spent,
    started,
    started_with,
    stopped,
    validator,
    worker_lost,
)

LONG = 600.0  # seconds: longer than any grace
GONE_AND_BACK = (worker_lost("w1"), passes(LONG), executor("w1"))
QUICK = Settings(run_timeout=100, idle_timeout=1000, retry_base=30)


def lost(text: str = "a", *before: Step) -> tuple[Run, LeaseId]:
    """Returns a run in which w1 held the last task's lease, was away for too long, and is back."""
    run = given(text, executor("w1"), validator("v1"), started, *before)
    task = text.split(";")[-1].split("<-")[0].strip()
    lease = run.lease(task)
    run.when(accepted(task), worker_lost("w1"), passes(LONG))
    return run, lease


def late(run: Run, lease: LeaseId, text: str = "late") -> Step:
    """W1 brings what it has made under the lease, on whatever stream it has."""
    return lambda _: candidate_under(lease, text, run.sessions["w1"])(run)


def adopted(run: Run) -> Sequence[Content]:
    return [entry.event.content for entry in run.entries if isinstance(entry.event, events.OrphanAdopted)]


@pytest.mark.guard(name="a late candidate is adopted")
def test_what_a_lost_worker_brings_after_all_is_judged() -> None:
    run, lease = lost()
    run.when(executor("w1", slots=0), late(run, lease)).then(
        events=["OrphanAdopted a", "TaskAssigned a"],
        commands=["Acknowledge a -> w1", "Assign a -> v1"],
        statuses={"a": VALIDATING},
    )
    (content,) = adopted(run)
    assert (content.attempt, content.maker) == (2, "m1"), "it is an attempt of its own"
    assert run.last.contents == {content.digest: b"late"}
    run.when(passed("a")).then(state=ExecutionState.SUCCEEDED)
    assert run.execution.records[0].artifact is not None


def test_the_attempt_that_was_to_replace_it_is_taken_back_and_its_own_result_changes_nothing() -> None:
    run, lease = lost()
    run.when(executor("w2"), executor("w1"))
    second, session = run.lease("a"), run.holder("a")
    run.when(late(run, lease)).then(
        events=["LeaseReturned a", "OrphanAdopted a", "TaskAssigned a"], statuses={"a": VALIDATING}
    )
    run.when(candidate_under(second, "made twice", session)).then(events=["OrphanStored a"])
    run.when(passed("a")).then(statuses={"a": DONE})


@pytest.mark.guard(name="a candidate without its bytes does not count")
def test_one_whose_bytes_were_dropped_is_an_orphan() -> None:
    run, lease = lost()
    run.when(executor("w1", slots=0), without_bytes(late(run, lease))).then(
        events=["OrphanStored a"], commands=["Supersede a -> w1"]
    )


@pytest.mark.guard(name="a candidate without its bytes does not count")
def test_one_whose_bytes_were_dropped_before_its_lease_was_given_fails() -> None:
    run = given("a", executor("w1"), started)
    events_of_a_failure = ["AttemptFailed a", "RetryScheduled a"]
    run.when(without_bytes(candidate("a"))).then(events=events_of_a_failure, commands=["Acknowledge a -> w1"])


def without_bytes(step: Step) -> Step:
    return lambda run: replace(step(run), body=None)  # type: ignore[type-var]


def test_it_is_adopted_once_and_acknowledged_as_often_as_it_comes() -> None:
    run, lease = lost()
    run.when(executor("w1", slots=0), late(run, lease))
    run.when(late(run, lease)).then(events=[], commands=["Acknowledge a -> w1"])
    run.when(late(run, lease, "another")).then(events=[], commands=["Acknowledge a -> w1"])


def test_one_that_is_rejected_counts_as_a_failure_and_the_next_attempt_is_told_why() -> None:
    run, lease = lost()
    run.when(executor("w1", slots=0), late(run, lease), rejected("a", "too late"))
    run.when(executor("w2"), passes(60)).then(statuses={"a": DOING})
    feedback = run.assignment("a").feedback
    assert feedback is not None
    assert feedback.summary == "too late"
    assert feedback.candidate is not None


def test_a_candidate_that_is_there_is_better() -> None:
    run, lease = lost()
    run.when(executor("w2"), candidate("a", "in time"), executor("w1", slots=0))
    run.when(late(run, lease)).then(events=["OrphanStored a"], commands=["Supersede a -> w1"])
    run.when(passed("a")).then(statuses={"a": DONE})


@pytest.mark.guard(name="a late candidate is adopted only while there is nothing better")
def test_one_that_was_begun_before_a_candidate_was_rejected_would_not_know_why() -> None:
    run, lease = lost()
    run.when(executor("w2"), candidate("a", "in time"), rejected("a"), executor("w1", slots=0))
    run.when(late(run, lease)).then(events=["OrphanStored a"])


@pytest.mark.guard(name="a late candidate is of the same inputs")
def test_one_that_was_made_from_other_inputs_is_not_wanted() -> None:
    run, lease = lost("a; b <- a", *signed_off("a"))
    run.when(retried("a"), executor("w2"), *signed_off("a", "another"), worker_lost("w2", orderly=True))
    run.when(executor("w1", slots=0), late(run, lease)).then(events=["OrphanStored b"], statuses={"b": UNDONE})


def test_inputs_that_came_out_the_same_are_the_same() -> None:
    run, lease = lost("a; b <- a", *signed_off("a", "the same"))
    run.when(retried("a"), executor("w2"), *signed_off("a", "the same"), worker_lost("w2", orderly=True))
    run.when(executor("w1", slots=0), late(run, lease)).then(statuses={"b": VALIDATING})


def test_nothing_is_adopted_while_what_it_was_made_from_is_made_anew() -> None:
    run, lease = lost("a; b <- a", *signed_off("a"))
    run.when(retried("a"), executor("w1", slots=0), late(run, lease)).then(statuses={"b": UNDONE})
    assert not adopted(run)


def test_a_person_who_asks_for_it_anew_wants_nothing_old() -> None:
    run, lease = lost()
    run.when(retried("a"), executor("w1", slots=0), late(run, lease)).then(events=["TaskRetried a", "OrphanStored a"])


def timed_out() -> tuple[Run, LeaseId, SessionId]:
    run = given("a", executor("w1"), validator("v1"), started_with(QUICK))
    lease, session = run.lease("a"), run.holder("a")
    run.when(accepted("a"), passes(100)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])
    return run, lease, session


def test_what_comes_just_after_its_time_has_run_out_is_judged_without_waiting_for_the_retry() -> None:
    run, lease, session = timed_out()
    run.when(candidate_under(lease, "late", session)).then(
        events=["OrphanAdopted a", "TaskAssigned a"], statuses={"a": VALIDATING}
    )
    run.when(passed("a")).then(state=ExecutionState.SUCCEEDED)


def test_what_comes_again_after_a_time_out_and_a_better_candidate_is_only_acknowledged() -> None:
    run, lease, session = timed_out()
    run.when(passes(60), candidate("a"))
    run.when(candidate_under(lease, "late", session)).then(events=[], commands=["Acknowledge a -> w1"])


def test_of_a_failure_that_the_worker_told_itself_nothing_more_is_wanted() -> None:
    run = given("a", executor("w1"), validator("v1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(failed("a", FailureKind.TRANSIENT))
    run.when(candidate_under(lease, "second thoughts", session)).then(events=[], commands=["Acknowledge a -> w1"])


def test_what_crosses_a_stop_is_judged_when_the_execution_goes_on() -> None:
    run = given("a", executor("w1"), validator("v1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(stopped, candidate_under(lease, "finished", session)).then(statuses={"a": VALIDATING})
    run.when(resumed, passed("a")).then(state=ExecutionState.SUCCEEDED)


def test_what_comes_late_during_a_pause_waits_for_its_end() -> None:
    run, lease = lost()
    run.when(paused, executor("w1", slots=0), late(run, lease)).then(
        events=["ExecutionPaused", "OrphanAdopted a"], statuses={"a": VALIDATING}
    )
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned a"])


def test_an_execution_that_has_ended_takes_in_nothing() -> None:
    run = given("a; b", executor("w1", slots=2), validator("v1"), started_with(Settings(max_losses=1)))
    lease = run.lease("a")
    run.when(worker_lost("w1"), passes(LONG)).then(state=ExecutionState.FAILED)
    run.when(executor("w1", slots=0), late(run, lease)).then(events=["OrphanStored a"], state=ExecutionState.FAILED)


@pytest.mark.guard(name="a task that was given up adopts nothing")
def test_a_task_that_was_given_up_waits_for_a_person() -> None:
    run = given("a; b", executor("w1"), executor("w2"), validator("v1"), started_with(Settings(max_losses=1)))
    (task,) = [name for name in "ab" if run.holder(name) == run.sessions["w1"]]
    lease = run.lease(task)
    run.when(worker_lost("w1"), passes(60)).then(statuses={task: EXECUTION_FAILED}, state=ExecutionState.RUNNING)
    run.when(executor("w1", slots=0), late(run, lease)).then(
        events=[f"OrphanStored {task}"], statuses={task: EXECUTION_FAILED}
    )


def test_another_worker_cannot_bring_it() -> None:
    run, lease = lost()
    run.when(executor("w3", slots=0))
    run.when(candidate_under(lease, "forged", run.sessions["w3"])).then(events=[], commands=["Supersede a -> w3"])


def test_what_it_has_cost_takes_the_place_of_the_estimate_when_it_is_told_afterwards() -> None:
    run, lease = lost()
    run.when(executor("w1", slots=0), late(run, lease))
    run.when(spent("a", tokens=40, under=(run.sessions["w1"], lease)))
    assert sum((usage for usage in run.execution.usage.values()), start=NOTHING).tokens == 40
