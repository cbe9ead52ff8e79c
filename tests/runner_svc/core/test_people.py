"""A task may ask for a person: what passes everything else waits for their verdict."""

from __future__ import annotations

import pytest

from runner_svc.core.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.terms import Terms
from runner_svc.core.values import Outcome, Unread
from runner_svc.core.waiting import For, waiting_of
from signoff.errors import TaskNotFound, WrongState
from tests.support.story import (
    Run,
    approved,
    candidate,
    executor,
    given,
    passed,
    passes,
    paused,
    rejected,
    resumed,
    retried,
    signed_off,
    started,
    stopped,
    turned_down,
    validator,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))
BY_PERSON = {"a": Terms(human=True)}


def waiting() -> Run:
    """Task a has passed its checks and waits for a person; b depends on it."""
    return given("a; b <- a", *TEAM, started, candidate("a"), passed("a"), terms=BY_PERSON)


@pytest.mark.guard(name="a person signs off")
def test_what_passes_everything_else_waits_for_a_person() -> None:
    run = waiting().then(
        events=[
            "ExecutionCreated",
            "ExecutionStarted",
            "TaskAssigned a",
            "CandidateStored a",
            "TaskAssigned a",
            "PersonAsked a",
        ],
        statuses={"a": VALIDATING, "b": UNDONE},
        state=ExecutionState.RUNNING,
    )
    why = waiting_of(run.machine.state, run.execution, run.task("a"), run.at)
    assert why is not None
    assert (why.what, why.message) == (For.PERSON, "a person is to approve or reject the candidate of attempt 1")
    assert run.execution.overview().awaiting_person == 1


def test_a_person_is_told_what_the_model_was_not_shown() -> None:
    unread = Unread(inputs=1_100, cut=12, left_out=0)
    run = given("a", *TEAM, started, candidate("a", unread=unread), passed("a"), terms=BY_PERSON)
    why = waiting_of(run.machine.state, run.execution, run.task("a"), run.at)
    assert why is not None
    assert why.message == (
        "a person is to approve or reject the candidate of attempt 1; "
        "of 1,100 inputs its model was shown only the beginning of 12"
    )
    run.when(approved("a"))
    artifact = run.execution.record(run.task("a")).artifact
    assert artifact is not None
    assert artifact.unread == unread


def test_it_waits_for_as_long_as_it_takes_and_is_offered_to_no_validator() -> None:
    waiting().when(passes(10_000_000), validator("v2", slots=5)).then(events=[], commands=[])


def test_an_approved_candidate_is_an_artifact() -> None:
    run = waiting().when(approved("a"))
    run.then(events=["VerdictPassed a", "TaskAssigned b"], statuses={"a": DONE, "b": DOING})
    result = run.execution.records[run.task("a")].results[-1]
    assert (result.criterion, result.outcome, result.reason) == ("A person approves", Outcome.PASS, "ada")
    run.when(*signed_off("b")).then(state=ExecutionState.SUCCEEDED)


def test_a_rejection_is_feedback_for_the_next_attempt() -> None:
    run = waiting().when(turned_down("a", "name the year"))
    run.then(events=["VerdictFailed a", "RetryScheduled a"], statuses={"a": UNDONE})
    run.when(passes(60))
    feedback = run.assignment("a").feedback
    assert feedback is not None
    assert feedback.summary == "name the year"
    assert feedback.results[-1].reason == "ada: name the year"
    assert feedback.candidate is not None


def test_a_new_attempt_needs_a_new_verdict() -> None:
    run = waiting().when(turned_down("a"), passes(60), candidate("a", "better"))
    run.when(passed("a")).then(events=["PersonAsked a"], statuses={"a": VALIDATING})
    run.when(approved("a")).then(statuses={"a": DONE})


def test_what_a_validator_rejects_never_reaches_a_person() -> None:
    run = given("a", *TEAM, started, candidate("a"), rejected("a"), terms=BY_PERSON)
    run.then(statuses={"a": UNDONE})
    assert not run.execution.awaiting


def test_only_a_task_that_waits_for_a_person_can_be_judged_by_one() -> None:
    run = waiting()
    run.when(approved("b")).then(refused=WrongState, events=[])
    run.when(approved("nothing")).then(refused=TaskNotFound, events=[])
    run.when(approved("a"))
    run.when(approved("a")).then(refused=WrongState, events=[])


def test_a_verdict_that_is_repeated_with_its_request_id_changes_nothing() -> None:
    run = waiting().when(approved("a", "r1"))
    run.when(approved("a", "r1")).then(events=[])


def test_candidates_that_wait_for_a_person_do_not_hold_executors_up() -> None:
    names = [f"t{number}" for number in range(20)]
    terms = {name: Terms(human=True) for name in names}
    run = given("; ".join(names), executor("w1", slots=1), validator("v1", slots=1), started, terms=terms)
    for name in names:
        run.when(candidate(name), passed(name))
    assert len(run.execution.awaiting) == len(names)


def test_a_person_may_judge_while_the_execution_is_paused() -> None:
    run = waiting().when(paused).when(approved("a"))
    run.then(events=["VerdictPassed a"], statuses={"a": DONE, "b": UNDONE}, state=ExecutionState.PAUSED)
    run.when(resumed).then(statuses={"b": DOING})


def test_a_retry_or_a_stop_takes_the_question_back_or_leaves_it() -> None:
    waiting().when(retried("a")).then(statuses={"a": DOING})
    run = waiting().when(stopped).then(statuses={"a": VALIDATING})
    run.when(approved("a")).then(statuses={"a": DONE}, state=ExecutionState.STOPPED)
