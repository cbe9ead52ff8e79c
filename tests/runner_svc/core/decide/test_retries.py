"""Retries: the feedback that an attempt gets, useless retries, the choice of the next model, and `on_failure`."""

from __future__ import annotations

from typing import Any

import pytest

from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.model import commands
from runner_svc.core.model.requirements import Requirement, Requirements
from runner_svc.core.model.states import (
    DOING,
    DONE,
    EXECUTION_FAILED,
    UNDONE,
    VALIDATING,
    VALIDATION_FAILED,
    ExecutionState,
)
from runner_svc.core.model.values import FailureKind, OnFailure, Phase, Role, RollbackScope, Settings
from runner_svc.core.state import attempts
from runner_svc.core.state.attempts import MOST_CHARS, MOST_LINES
from signoff.plan.glossary import MODEL
from tests.support.story import (
    Run,
    accepted,
    candidate,
    executor,
    failed,
    given,
    passes,
    paused,
    rejected,
    retried,
    saved,
    signed_off,
    started,
    started_with,
    turned_down,
    validator,
    worker_lost,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))
MINUTE = passes(60)
TOO_SMALL = FailureKind.TOO_SMALL


def begun(run: Run, task: str = "a") -> commands.Assign:
    """Returns the last assignment among the last commands."""
    given_out = [command for command in run.last.commands if isinstance(command, commands.Assign)]
    return [command for command in given_out if command.task == run.task(task) and command.phase is Phase.EXECUTE][-1]


def feedback(run: Run, task: str = "a") -> commands.Feedback | None:
    """Returns the lines about earlier attempts that the present attempt was given."""
    return begun(run, task).feedback


def earlier(run: Run, task: str = "a") -> tuple[str, ...]:
    told = feedback(run, task)
    assert told is not None
    return told.earlier


def by(*models: str, most: int | None = None) -> Requirements:
    """Returns the requirements of a task that asks these models, one after another."""
    wants = (Requirement(role=Role.EXECUTOR, handlers=frozenset({MODEL}), model=model) for model in models)
    return Requirements(executors=tuple(wants), max_failures=most)


# ---------------------------------------------------------------- what an attempt is told


@pytest.mark.guard(name="each earlier attempt is told")
def test_an_attempt_is_told_the_last_rejection_in_full_and_a_line_of_each_before_it() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=9)))
    run.when(candidate("a", "one"), rejected("a", "too\n  short"), MINUTE, failed("a", message="no network"), MINUTE)
    run.when(candidate("a", "two"), rejected("a", "too long"), MINUTE)
    told = feedback(run)
    assert told is not None
    assert told.summary == "too long"
    assert told.earlier == ("attempt 1: too short", "attempt 2: no network")


def test_the_first_attempt_is_told_nothing_and_the_second_has_nothing_earlier() -> None:
    run = given("a", *TEAM, started)
    assert feedback(run) is None
    run.when(candidate("a"), rejected("a", "too short"), MINUTE)
    assert earlier(run) == ()


def test_what_is_kept_of_attempts_has_a_bound_and_says_what_was_dropped() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=99)))
    for number in range(1, 15):
        run.when(failed("a", message=f"reason {number} " + "x" * 1_000), MINUTE)
    lines = earlier(run)
    assert lines[0] == "(4 earlier attempts are left out)"
    assert [line.split(" x")[0] for line in lines[1:]] == [f"attempt {n}: reason {n}" for n in range(5, 14)]
    assert {len(line) for line in lines[1:]} == {MOST_CHARS}
    assert len(run.execution.record(0).failed_attempts.lines) == MOST_LINES


def test_a_reason_that_a_person_did_not_give_is_said_to_be_missing() -> None:
    terms = {"a": Requirements(human=True)}
    run = given("a", *TEAM, started, *signed_off("a", "one"), requirements=terms)
    run.when(turned_down("a", ""), MINUTE, *signed_off("a", "two"), turned_down("a", "too bold"), MINUTE)
    assert earlier(run) == ("attempt 1: no reason was given",)


def test_after_its_own_rollback_a_task_still_knows_why_all_attempts_were_rejected_and_begins_anew() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=2)))
    run.when(
        candidate("a", "one"), rejected("a", "too short"), MINUTE, candidate("a", "two"), rejected("a", "too long")
    )
    told = feedback(run)
    assert told is not None
    assert (told.summary, told.earlier) == ("too long", ("attempt 1: too short",))
    assert (told.results, told.candidate) == ((), None)


def test_what_another_task_takes_back_begins_without_what_was_said_of_its_old_inputs() -> None:
    settings = Settings(max_failures=1, rollback_scope=RollbackScope.PRODUCERS)
    run = given("p; a <- p; b <- p", *TEAM, started_with(settings), *signed_off("p"))
    run.when(failed("b"), *signed_off("p", "another"))  # b takes p back, and with it a
    assert feedback(run, "a") is None
    assert feedback(run, "b") is not None


def test_what_is_signed_off_has_nothing_more_to_know() -> None:
    run = given("a", *TEAM, started, candidate("a", "one"), rejected("a"), MINUTE, *signed_off("a", "two"))
    record = run.execution.record(0)
    assert (record.failed_attempts.lines, record.feedback) == ((), "")
    run.when(retried("a"))
    assert feedback(run) is None


def test_a_task_that_failed_for_good_knows_why_when_a_person_retries_it() -> None:
    run = given(
        "a", *TEAM, started_with(Settings(max_failures=1, max_rollbacks=0)), candidate("a"), rejected("a", "no")
    )
    run.when(retried("a"))
    told = feedback(run)
    assert told is not None
    assert told.summary == "no"


@pytest.mark.guard(name="a lost worker is no rejection")
def test_a_worker_that_is_lost_after_a_rejection_does_not_take_its_place() -> None:
    run = given("a", *TEAM, started, candidate("a"), rejected("a", "too short"), MINUTE, accepted("a"))
    run.when(worker_lost("w1"), MINUTE, executor("w2"))
    told = feedback(run)
    assert told is not None
    assert told.summary == "too short"


@pytest.mark.guard(name="a lost worker is no rejection")
def test_a_rejection_without_a_reason_is_not_told_with_another_reason() -> None:
    run = given("a", *TEAM, started, candidate("a"), rejected("a", ""), MINUTE, accepted("a"))
    run.when(worker_lost("w1"), MINUTE, executor("w2"))
    told = feedback(run)
    assert told is not None
    assert told.summary == ""


def test_a_hundred_thousand_tasks_without_failures_keep_no_lines() -> None:
    run = given("a; b", *TEAM, started, failed("a"), *signed_off("b"))
    assert run.execution.record(run.task("b")).failed_attempts is attempts.NONE_FAILED


# ---------------------------------------------------------------- the same failure twice

SAME: dict[str, Any] = {"message": "ValueError: bad row", "gist": "ValueError: bad row at app.py:12"}


@pytest.mark.guard(name="the same failure twice is no progress")
def test_the_same_failure_twice_in_a_row_is_the_end_where_a_rollback_changes_nothing() -> None:
    run = given("a; b <- a", *TEAM, started, failed("a", **SAME), MINUTE)
    run.when(failed("a", **SAME)).then(
        events=["AttemptFailed a", "TaskFailed a", "ExecutionFailed"], statuses={"a": EXECUTION_FAILED}
    )
    reason = "it failed 2 times, the last two in the same way; the last time: ValueError: bad row"
    assert run.execution.record(0).last_failure == reason


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SAME, {**SAME, "gist": "ValueError: bad row at app.py:13"}),
        (SAME, {**SAME, "gist": ""}),
        ({**SAME, "gist": ""}, {**SAME, "gist": ""}),
        (SAME, {**SAME, "kind": FailureKind.TIMEOUT}),
    ],
    ids=["elsewhere", "it may pass now", "it may always pass", "of another kind"],
)
def test_another_failure_is_tried_again(first: dict[str, Any], second: dict[str, Any]) -> None:
    run = given("a", *TEAM, started, failed("a", **first), MINUTE)
    run.when(failed("a", **second)).then(events=["AttemptFailed a", "RetryScheduled a"])


def test_a_failure_that_another_attempt_came_between_is_not_the_same_twice_in_a_row() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=9)), failed("a", **SAME), MINUTE)
    run.when(candidate("a"), rejected("a"), MINUTE)
    run.when(failed("a", **SAME)).then(events=["AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="a checkpoint is progress")
def test_a_failure_after_more_was_saved_is_progress() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=9)), saved("a", "3 pages"), failed("a", **SAME), MINUTE)
    run.when(saved("a", "6 pages"), failed("a", **SAME)).then(
        events=["CheckpointStored a", "AttemptFailed a", "RetryScheduled a"]
    )


def test_what_may_go_on_from_something_bad_is_rolled_back_which_forgets_it() -> None:
    run = given("a", *TEAM, started, saved("a", "torn"), failed("a", **SAME), MINUTE)
    run.when(failed("a", **SAME)).then(events=["AttemptFailed a", "TaskRolledBack a", "TaskAssigned a"])
    run.when(failed("a", **SAME)).then(events=["AttemptFailed a", "RetryScheduled a"])  # now without the checkpoint


def producers() -> Run:
    """Returns a run in which a task has failed twice in the same way, and its producer is run again."""
    scope = Settings(rollback_scope=RollbackScope.PRODUCERS)
    run = given("p; a <- p", *TEAM, started_with(scope), *signed_off("p", "text"), failed("a", **SAME), MINUTE)
    return run.when(failed("a", **SAME)).then(
        events=["AttemptFailed a", "TaskRolledBack a", "TaskRolledBack p", "TaskAssigned p"]
    )


@pytest.mark.guard(name="the same failure after a rollback is the end")
def test_after_a_rollback_the_same_failure_on_the_same_inputs_is_the_end() -> None:
    run = producers().when(*signed_off("p", "text"))
    run.when(failed("a", **SAME)).then(events=["AttemptFailed a", "TaskFailed a", "ExecutionFailed"])
    assert run.execution.record(run.task("a")).last_failure.startswith("it failed once, as before it was rolled back")


@pytest.mark.guard(name="other inputs are worth another try")
def test_after_a_rollback_the_same_failure_on_other_inputs_is_tried_again() -> None:
    run = producers().when(*signed_off("p", "another text"))
    run.when(failed("a", **SAME)).then(events=["AttemptFailed a", "RetryScheduled a"])


def test_a_person_who_retries_a_task_gives_it_two_tries_again() -> None:
    run = given("a", *TEAM, started, failed("a", **SAME), MINUTE, failed("a", **SAME), retried("a"))
    run.when(failed("a", **SAME)).then(events=["AttemptFailed a", "RetryScheduled a"])


def test_models_that_are_overloaded_again_and_again_are_never_no_progress() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=3)))
    for _ in range(2):
        run.when(failed("a", FailureKind.RATE_LIMITED, message="429"), MINUTE)
        assert not run.execution.record(0).no_progress


# ---------------------------------------------------------------- a model that is too small


@pytest.mark.guard(name="a larger model is what escalation is for")
def test_a_model_that_is_too_small_passes_the_task_on_at_once() -> None:
    run = given("a", *TEAM, started, requirements={"a": by("s", "l")})
    run.when(failed("a", TOO_SMALL)).then(events=["AttemptFailed a", "RetryScheduled a", "TaskAssigned a"])
    assert begun(run).model == "l"
    run.when(*signed_off("a")).then(state=ExecutionState.SUCCEEDED)


@pytest.mark.guard(name="a model that was too small is not asked again")
def test_a_model_that_is_named_twice_is_not_asked_again_once_it_was_too_small() -> None:
    run = given("a", *TEAM, started, requirements={"a": by("s", "s", "m", "l")})
    run.when(failed("a", TOO_SMALL))
    assert begun(run).model == "m"


def test_however_few_failures_a_task_may_have_the_larger_models_are_asked() -> None:
    run = given("a", *TEAM, started, requirements={"a": by("s", "m", "l", most=1)})
    run.when(failed("a", TOO_SMALL), failed("a", TOO_SMALL))
    assert begun(run).model == "l"
    run.when(failed("a", TOO_SMALL)).then(events=["AttemptFailed a", "TaskFailed a", "ExecutionFailed"])


@pytest.mark.parametrize("terms", [{}, {"a": by("s")}], ids=["no wish", "one model"])
def test_without_a_larger_model_it_is_the_end_of_the_task(terms: dict[str, Requirements]) -> None:
    run = given("a", *TEAM, started, requirements=terms)
    run.when(failed("a", TOO_SMALL)).then(
        events=["AttemptFailed a", "TaskFailed a", "ExecutionFailed"], statuses={"a": EXECUTION_FAILED}
    )


def test_after_a_rollback_of_its_own_a_task_does_not_begin_with_what_was_too_small() -> None:
    run = given("a", *TEAM, started_with(Settings(max_failures=2)), requirements={"a": by("s", "l")})
    run.when(failed("a", TOO_SMALL), candidate("a"), rejected("a"))
    run.then(events=["AttemptFailed a", "RetryScheduled a", "TaskAssigned a", *_REJECTED])
    assert begun(run).model == "l"


_REJECTED = ("CandidateStored a", "TaskAssigned a", "VerdictFailed a", "TaskRolledBack a", "TaskAssigned a")


def test_with_other_inputs_the_smallest_model_is_asked_first_again() -> None:
    settings = Settings(max_failures=2, rollback_scope=RollbackScope.PRODUCERS)
    run = given("p; a <- p", *TEAM, started_with(settings), *signed_off("p"), requirements={"a": by("s", "l")})
    run.when(failed("a", TOO_SMALL), candidate("a"), rejected("a"), *signed_off("p", "shorter"))
    assert begun(run).model == "s"


# ---------------------------------------------------------------- stop or continue

STOP = Settings(max_failures=1, max_rollbacks=0, on_failure=OnFailure.STOP)
ONCE = Settings(max_failures=1, max_rollbacks=0)


@pytest.mark.guard(name="stop stops")
def test_with_stop_all_that_is_under_way_is_taken_back_and_nothing_new_begins() -> None:
    run = given("a; b; c <- b; d", *TEAM, started_with(STOP), candidate("d"))
    run.when(failed("a")).then(
        events=["AttemptFailed a", "TaskFailed a", "LeaseReturned b", "LeaseReturned d", "ExecutionFailed"],
        statuses={"a": EXECUTION_FAILED, "b": UNDONE, "d": VALIDATING},
        state=ExecutionState.FAILED,
        commands=["Acknowledge a -> w1", "Cancel b -> w1", "Cancel d -> v1"],
    )
    assert run.execution.reason == "a failed for good, and its on_failure is stop"
    run.when(executor("w2", slots=9), passes(600)).then(events=[])


def test_a_rejection_for_good_stops_as_well() -> None:
    run = given("a; b", *TEAM, started_with(STOP), candidate("a"))
    run.when(rejected("a")).then(
        events=["VerdictFailed a", "TaskFailed a", "LeaseReturned b", "ExecutionFailed"],
        statuses={"a": VALIDATION_FAILED},
    )


def test_so_does_a_task_that_has_cost_too_many_workers() -> None:
    settings = Settings(max_losses=1, on_failure=OnFailure.STOP)
    run = given("a; b", started_with(settings), executor("w1", slots=1), accepted("a"), executor("w2"), accepted("b"))
    run.when(worker_lost("w1"), MINUTE).then(state=ExecutionState.FAILED, statuses={"a": EXECUTION_FAILED, "b": UNDONE})


def test_a_failure_that_is_not_for_good_stops_nothing() -> None:
    run = given("a; b", *TEAM, started_with(Settings(max_failures=1, max_rollbacks=1, on_failure=OnFailure.STOP)))
    run.when(failed("a")).then(events=["AttemptFailed a", "TaskRolledBack a", "TaskAssigned a"], statuses={"b": DOING})
    run.when(failed("a")).then(state=ExecutionState.FAILED)


def test_a_paused_execution_stops_too() -> None:
    run = given("a; b", *TEAM, started_with(STOP), paused)
    run.when(failed("a")).then(state=ExecutionState.FAILED, statuses={"b": UNDONE})


def test_without_a_word_of_the_plan_the_others_go_on() -> None:
    run = given("a; b", *TEAM, started_with(ONCE))
    run.when(failed("a")).then(state=ExecutionState.RUNNING)


@pytest.mark.guard(name="a task says what its own failure does")
@pytest.mark.parametrize(
    ("settings", "own", "state"),
    [
        (ONCE, OnFailure.STOP, ExecutionState.FAILED),
        (STOP, OnFailure.CONTINUE, ExecutionState.RUNNING),
    ],
)
def test_what_a_task_says_itself_counts_first(settings: Settings, own: OnFailure, state: ExecutionState) -> None:
    run = given("a; b", *TEAM, started_with(settings), requirements={"a": Requirements(on_failure=own)})
    run.when(failed("a")).then(state=state)


def test_an_execution_has_the_on_failure_of_its_plan_unless_it_was_started_with_another() -> None:
    assert given("a", started).execution.settings.on_failure is OnFailure.CONTINUE
    assert given("a", started_with(STOP)).execution.settings.on_failure is OnFailure.STOP


def test_after_a_stop_the_retry_of_the_task_goes_on_with_all_the_rest() -> None:
    run = given("a; b; d", *TEAM, started_with(STOP), candidate("d"), failed("a"))
    run.when(retried("a")).then(statuses={"a": DOING, "b": DOING, "d": VALIDATING}, state=ExecutionState.RUNNING)
    run.when(*signed_off("a"), *signed_off("b")).then(statuses={"a": DONE, "b": DONE})


def test_what_waits_in_an_execution_that_was_stopped_says_what_to_do() -> None:
    run = given("a; b; c <- b", *TEAM, started_with(STOP), failed("a"))
    for name in ("b", "c"):
        waiting = waiting_of(run.machine.state, run.execution, run.task(name), run.at)
        assert waiting is not None
        reason = "a failed for good, and its on_failure is stop"
        assert waiting.what is WaitingFor.FAILED_DEPENDENCY
        assert waiting.message == f"the execution has failed: {reason}; retry a to go on"
