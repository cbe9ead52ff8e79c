"""A task may ask for a person: a candidate that passes all else waits for their verdict."""

from __future__ import annotations

import pytest

from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.model.events import VerdictFailed
from runner_svc.core.model.requirements import Requirements
from runner_svc.core.model.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import Content, Outcome, Unread, VerdictBy
from signoff.errors import CandidateChanged, TaskNotFound, WrongState
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
BY_PERSON = {"a": Requirements(human=True)}


def waiting() -> Run:
    """Returns a run in which task a has passed its checks and waits for a person; b depends on it."""
    return given("a; b <- a", *TEAM, started, candidate("a"), passed("a"), requirements=BY_PERSON)


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
    assert (why.what, why.message) == (WaitingFor.PERSON, "a person is to approve or reject the candidate of attempt 1")
    assert run.execution.overview().awaiting_person == 1


def test_a_person_is_told_what_the_model_was_not_shown() -> None:
    unread = Unread(inputs=1_100, cut=12, left_out=0)
    run = given("a", *TEAM, started, candidate("a", unread=unread), passed("a"), requirements=BY_PERSON)
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
    assert (result.criterion, result.outcome, result.reason) == ("A person approves", Outcome.PASS, "")
    run.when(*signed_off("b")).then(state=ExecutionState.SUCCEEDED)


def test_a_rejection_is_feedback_for_the_next_attempt() -> None:
    run = waiting().when(turned_down("a", "name the year"))
    run.then(events=["VerdictFailed a", "RetryScheduled a"], statuses={"a": UNDONE})
    run.when(passes(60))
    feedback = run.assignment("a").feedback
    assert feedback is not None
    assert feedback.summary == "name the year"
    assert feedback.results[-1].reason == "name the year"
    assert feedback.candidate is not None


def test_a_new_attempt_needs_a_new_verdict() -> None:
    run = waiting().when(turned_down("a"), passes(60), candidate("a", "better"))
    run.when(passed("a")).then(events=["PersonAsked a"], statuses={"a": VALIDATING})
    run.when(approved("a")).then(statuses={"a": DONE})


def test_what_a_validator_rejects_never_reaches_a_person() -> None:
    run = given("a", *TEAM, started, candidate("a"), rejected("a"), requirements=BY_PERSON)
    run.then(statuses={"a": UNDONE})
    assert not run.execution.awaiting


def test_only_a_task_that_waits_for_a_person_can_be_judged_by_one() -> None:
    run = waiting()
    run.when(approved("b")).then(refused=WrongState, events=[])
    run.when(approved("nothing")).then(refused=TaskNotFound, events=[])
    run.when(approved("a"))
    run.when(approved("a")).then(refused=WrongState, events=[])


@pytest.mark.guard(name="a verdict names who gave it")
def test_an_artifact_says_whether_a_person_or_a_validator_signed_it_off() -> None:
    run = waiting().when(approved("a", person="v1"), *signed_off("b"))
    assert signed_by(run, "a") == VerdictBy("v1", is_person=True)  # called as the validator is, and no validator
    assert signed_by(run, "b") == VerdictBy("v1", is_person=False)


def test_a_rejection_says_who_gave_it() -> None:
    run = waiting().when(turned_down("a"))
    assert rejected_by(run) == VerdictBy("ada", is_person=True)
    run = given("a", *TEAM, started, candidate("a"), rejected("a"))
    assert rejected_by(run) == VerdictBy("v1", is_person=False)


def test_a_person_may_keep_their_name_to_themselves() -> None:
    assert signed_by(waiting().when(approved("a", person="")), "a") == VerdictBy("", is_person=True)


def test_an_artifact_that_is_kept_was_signed_off_by_whoever_did() -> None:
    run = given("a; b <- a", *TEAM, started, *signed_off("a"), requirements={"b": Requirements(human=True)})
    run.when(candidate("b"), passed("b"), approved("b"), retried("a"), *signed_off("a"))
    run.then(state=ExecutionState.SUCCEEDED)
    assert signed_by(run, "b") == VerdictBy("ada", is_person=True)


def signed_by(run: Run, task: str) -> VerdictBy | None:
    artifact = run.execution.record(run.task(task)).artifact
    assert artifact is not None
    return artifact.signed_off_by


def rejected_by(run: Run) -> VerdictBy | None:
    (verdict,) = [entry.event for entry in run.entries if isinstance(entry.event, VerdictFailed)]
    return verdict.by


@pytest.mark.guard(name="a person signs off what they saw")
def test_a_verdict_counts_for_what_the_person_saw_or_not_at_all() -> None:
    run = waiting()
    first = waits(run)
    run.when(turned_down("a"), passes(60), candidate("a", "better"), passed("a"))
    for seen in ({"digest": first.digest}, {"attempt": 1}, {"digest": waits(run).digest, "attempt": 1}):
        run.when(approved("a", **seen)).then(refused=CandidateChanged, events=[])
    run.when(approved("a", digest=waits(run).digest, attempt=2)).then(statuses={"a": DONE})


def test_the_same_bytes_of_another_attempt_are_another_candidate() -> None:
    run = waiting()
    first = waits(run)
    run.when(turned_down("a"), passes(60), candidate("a"), passed("a"))
    assert waits(run).digest == first.digest
    run.when(approved("a", digest=first.digest, attempt=first.attempt)).then(refused=CandidateChanged, events=[])


def test_a_verdict_that_was_given_is_answered_again_whatever_waits_by_then() -> None:
    run = waiting()
    seen = approved("a", "r1", digest=waits(run).digest, attempt=1)
    run.when(seen).then(events=["VerdictPassed a", "TaskAssigned b"])
    run.when(seen).then(events=[])


def waits(run: Run) -> Content:
    """Returns the candidate of task a that waits for a verdict."""
    content = run.execution.record(run.task("a")).candidate
    assert content is not None
    return content


def test_a_verdict_that_is_repeated_with_its_request_id_changes_nothing() -> None:
    run = waiting().when(approved("a", "r1"))
    run.when(approved("a", "r1")).then(events=[])


def test_candidates_that_wait_for_a_person_do_not_hold_executors_up() -> None:
    names = [f"t{number}" for number in range(20)]
    terms = {name: Requirements(human=True) for name in names}
    run = given("; ".join(names), executor("w1", slots=1), validator("v1", slots=1), started, requirements=terms)
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
