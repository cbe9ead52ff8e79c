"""A task's life: dependencies, attempts, verdicts, and what moves it on."""

from __future__ import annotations

import pytest

from runner_svc.core.model.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import Settings
from tests.support.story import (
    accepted,
    candidate,
    candidate_under,
    executor,
    given,
    given_back,
    judge_broke,
    passed,
    passes,
    paused,
    rejected,
    resumed,
    retried,
    signed_off,
    started,
    started_with,
    validator,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))


def test_a_task_goes_from_undone_to_done_and_its_dependent_follows_in_the_same_turn() -> None:
    run = given("a; b <- a", *TEAM, started)
    run.then(statuses={"a": DOING, "b": UNDONE})
    run.when(candidate("a")).then(
        events=["CandidateStored a", "TaskAssigned a"],
        statuses={"a": VALIDATING},
        commands=["Acknowledge a -> w1", "Assign a -> v1"],
    )
    run.when(passed("a")).then(events=["VerdictPassed a", "TaskAssigned b"], statuses={"a": DONE, "b": DOING})
    run.when(*signed_off("b")).then(state=ExecutionState.SUCCEEDED)


def test_a_group_opens_when_its_last_task_is_done() -> None:
    run = given("g/x; g/h/y; z <- g", *TEAM, started)
    run.when(*signed_off("x")).then(statuses={"z": UNDONE})
    run.when(*signed_off("y")).then(statuses={"z": DOING})


def test_a_candidate_is_not_visible_to_dependents_before_it_is_signed_off() -> None:
    run = given("a[p]; b(p) <- a", *TEAM, started)
    run.when(candidate("a", "text of a")).then(statuses={"b": UNDONE})
    run.when(passed("a"))
    assignment = run.assignment("b")
    assert [(given.name, given.content.size) for given in assignment.inputs] == [("p", len("text of a"))]


def test_an_artifact_is_read_from_anywhere_upstream() -> None:
    run = given("a[p]; b <- a; c(p) <- b", *TEAM, started, *signed_off("a"))
    run.when(*signed_off("b"))
    assert [given.name for given in run.assignment("c").inputs] == ["p"]


def test_what_a_task_cannot_be_given_is_said() -> None:
    run = given("a[p]; b(p, nothing)", *TEAM, started)
    omitted = dict(run.assignment("b").omitted)
    assert omitted["nothing"] == "no other task of the plan makes it"
    assert "does not wait for a" in omitted["p"]


def test_a_task_that_names_no_artifacts_receives_those_of_its_dependencies() -> None:
    run = given("g/a[p]; g/b; c <- g", *TEAM, started, *signed_off("a"))
    run.when(*signed_off("b"))
    assert [given.name for given in run.assignment("c").inputs] == ["p", ""]


def test_the_longest_remaining_path_goes_first() -> None:
    run = given("short; long; longer <- long", executor("w1", slots=1), validator("v1"), started)
    run.then(statuses={"long": DOING, "short": UNDONE})


def test_executors_wait_while_validators_are_behind() -> None:
    names = [f"t{n}" for n in range(12)]
    run = given("; ".join(names), executor("w1", slots=12), validator("v1", slots=1), started)
    run.when(*[candidate(name) for name in names[:3]])
    run.when(*[given_back(name) for name in names[3:]])
    assert run.execution.counts[DOING] == 0, "three candidates wait for one validator slot"
    run.when(passes(1), passed(names[0]))
    assert run.execution.counts[DOING] > 0


def test_candidates_that_wait_for_a_person_do_not_hold_executors_up() -> None:
    names = [f"t{n}" for n in range(6)]
    settings = Settings(max_judge_errors=1)
    run = given("; ".join(names), executor("w1", slots=3), validator("v1", slots=1), started_with(settings))
    run.when(*[candidate(name) for name in names[:3]]).then(statuses={"t4": DOING, "t5": UNDONE})
    run.when(*[judge_broke(name) for name in names[:3]]).then(statuses={"t5": DOING})


@pytest.mark.guard(name="a judge that is to be tried later holds no other up")
def test_candidates_whose_judge_is_to_be_tried_again_later_do_not_hold_executors_up() -> None:
    names = [f"t{n}" for n in range(12)]
    run = given("; ".join(names), executor("w1", slots=3), validator("v1", slots=1), started)
    run.when(*[candidate(name) for name in names[:3]]).then(statuses={"t4": DOING, "t5": UNDONE})
    run.when(*[judge_broke(name) for name in names[:3]]).then(statuses={"t5": DOING})

    run.when(passes(5.0)).then(statuses={"t6": UNDONE})  # it is time: they count again
    assert run.execution.backlog == 3
    run.when(candidate("t3"), candidate("t4"), candidate("t5")).then(statuses={"t6": UNDONE})


@pytest.mark.guard(name="what is settled is acknowledged again")
def test_a_candidate_whose_acknowledgement_was_lost_is_acknowledged_again_and_counts_once() -> None:
    run = given("a", *TEAM, started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(candidate("a", "text"))
    run.when(candidate_under(lease, "text", session)).then(events=[], commands=["Acknowledge a -> w1"])


@pytest.mark.guard(name="orphans are kept")
def test_a_result_under_an_old_lease_is_superseded_and_kept_as_an_orphan() -> None:
    run = given("a", executor("w1"), validator("v1"), started)
    lease, session = run.lease("a"), run.holder("a")
    run.when(given_back("a"))
    run.when(candidate_under(lease, "late", session)).then(events=["OrphanStored a"], commands=["Supersede a -> w1"])
    assert list(run.last.contents.values()) == [b"late"]


def test_a_broken_judge_neither_passes_nor_fails_the_work() -> None:
    run = given("a", executor("w1"), validator("v1"), validator("v2"), started, candidate("a"))
    first = run.execution.record(0).lease
    run.when(judge_broke("a")).then(events=["JudgeFailed a"], statuses={"a": VALIDATING})
    run.when(passes(2.0))
    second = run.execution.record(0).lease
    assert first is not None
    assert second is not None
    assert second.worker != first.worker, "it is offered to another validator"
    run.when(passed("a")).then(state=ExecutionState.SUCCEEDED)


def test_a_judge_that_keeps_breaking_makes_the_execution_wait_for_a_person() -> None:
    run = given("a; b", *TEAM, started_with(Settings(max_judge_errors=2)), *signed_off("b"), candidate("a"))
    run.when(judge_broke("a"), passes(60), judge_broke("a")).then(
        events=["JudgeFailed a", "TaskAssigned a", "JudgeFailed a", "ExecutionPaused"],
        statuses={"a": VALIDATING},
        state=ExecutionState.PAUSED,
    )
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned a"])
    run.when(passed("a")).then(state=ExecutionState.SUCCEEDED)


def test_pausing_stops_assignments_and_lets_work_in_flight_end() -> None:
    run = given("a; b <- a", *TEAM, started, paused)
    run.when(candidate("a")).then(events=["CandidateStored a"], statuses={"a": VALIDATING})
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned a"])


def test_an_execution_whose_last_task_passes_while_it_is_paused_has_succeeded() -> None:
    run = given("a", *TEAM, started, candidate("a"), paused)
    run.when(passed("a")).then(state=ExecutionState.SUCCEEDED)


def test_a_rejected_candidate_comes_back_with_the_reasons_and_the_next_attempt_is_new() -> None:
    run = given("a", *TEAM, started, candidate("a", "first"), rejected("a", "too short"))
    run.when(passes(1.0))
    assignment = run.assignment("a")
    assert assignment.attempt == 2
    assert assignment.feedback is not None
    assert assignment.feedback.summary == "too short"
    assert assignment.feedback.candidate is not None
    assert assignment.feedback.candidate.size == len("first")


@pytest.mark.guard(name="accept deadline")
def test_an_assignment_that_is_not_accepted_in_time_goes_to_another_worker_and_costs_no_attempt() -> None:
    run = given("a", executor("w1"), validator("v1"), started, executor("w2"))
    run.when(passes(10.0)).then(events=["LeaseReturned a", "TaskAssigned a"])
    assert run.execution.record(0).attempt == 1
    assert run.execution.record(0).failures == 0


def test_an_attempt_that_runs_too_long_or_without_progress_is_cancelled_and_counts_as_a_failure() -> None:
    run = given("a; b", *TEAM, started_with(Settings(run_timeout=100, idle_timeout=30)), accepted("a"), accepted("b"))
    run.when(passes(31.0)).then(
        events=[
            "UsageRecorded a",
            "AttemptFailed a",
            "RetryScheduled a",
            "UsageRecorded b",
            "AttemptFailed b",
            "RetryScheduled b",
        ],
        commands=["Cancel a -> w1", "Cancel b -> w1"],
    )


def test_groups_may_be_nested_deeper_than_python_nests_calls() -> None:
    deep = "/".join(["g"] * 1_500)
    run = given(f"{deep}/a; b <- g", executor("w1"), validator("v1"), started)
    run.when(candidate("a"), passed("a")).then(statuses={"a": DONE, "b": DOING})
    run.when(retried("a")).then(statuses={"a": DOING, "b": UNDONE})
