"""Failures, rollbacks and losses: three counters that never mix."""

from __future__ import annotations

import pytest

from runner_svc.core.model.states import (
    DOING,
    DONE,
    EXECUTION_FAILED,
    UNDONE,
    VALIDATING,
    VALIDATION_FAILED,
    ExecutionState,
)
from runner_svc.core.model.values import FailureKind, RollbackScope, Settings
from signoff.errors import TaskNotFound, WrongState
from tests.support.story import (
    Step,
    accepted,
    candidate,
    executor,
    failed,
    given,
    jumps,
    passed,
    passes,
    paused,
    rejected,
    resumed,
    retried,
    signed_off,
    started,
    started_with,
    stopped,
    validator,
    worker_lost,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))
ONCE = Settings(max_failures=1, max_rollbacks=0)


def test_a_failed_attempt_is_tried_again_after_a_while() -> None:
    run = given("a", *TEAM, started)
    run.when(failed("a")).then(events=["AttemptFailed a", "RetryScheduled a"], statuses={"a": UNDONE})
    run.when(passes(1.0)).then(events=["TaskAssigned a"])
    assert run.execution.record(0).failures == 1


def test_a_provider_that_asks_for_time_gets_it() -> None:
    run = given("a", *TEAM, started, failed("a", FailureKind.RATE_LIMITED, retry_after=90.0))
    run.when(passes(89.0)).then(events=[])
    run.when(passes(1.0)).then(events=["TaskAssigned a"])


def test_the_delay_grows_with_each_failure_and_never_beyond_its_bound() -> None:
    settings = Settings(max_failures=20, retry_base=1.0, retry_cap=8.0)
    run = given("a", *TEAM, started_with(settings))
    for failure in range(1, 15):
        run.when(failed("a"))
        assert run.execution.record(0).retry_at - run.at <= min(8.0, 2.0 ** (failure - 1))
        run.when(passes(8.0))


def test_a_permanent_failure_is_the_end_of_the_task() -> None:
    run = given("a", *TEAM, started)
    run.when(failed("a", FailureKind.PERMANENT)).then(
        events=["AttemptFailed a", "TaskFailed a", "ExecutionFailed"],
        statuses={"a": EXECUTION_FAILED},
        state=ExecutionState.FAILED,
    )


def test_the_third_failure_rolls_the_task_back_and_it_starts_anew() -> None:
    run = given("a", *TEAM, started, failed("a"), passes(60), failed("a"), passes(60))
    run.when(failed("a")).then(events=["AttemptFailed a", "TaskRolledBack a", "TaskAssigned a"])
    assert run.execution.record(0).failures == 0
    assert run.execution.record(0).rollbacks == 1


def test_after_the_last_rollback_the_task_stays_failed_and_every_other_branch_runs_to_its_end() -> None:
    run = given("a; b <- a; c; d <- c", *TEAM, started_with(ONCE))
    run.when(failed("a")).then(
        events=["AttemptFailed a", "TaskFailed a"], statuses={"a": EXECUTION_FAILED, "b": UNDONE}
    )
    run.when(*signed_off("c"))
    run.when(*signed_off("d")).then(state=ExecutionState.FAILED, statuses={"b": UNDONE, "d": DONE})
    assert run.execution.reason == "a failed for good"


def test_a_rollback_with_producers_takes_back_what_the_task_was_made_from_and_all_that_rests_on_it() -> None:
    settings = Settings(max_failures=1, rollback_scope=RollbackScope.PRODUCERS)
    run = given("p; a <- p; b <- p; c <- b", *TEAM, started_with(settings), *signed_off("p"))
    run.when(*signed_off("b"), candidate("c"))
    run.when(failed("a")).then(
        events=[
            "AttemptFailed a",
            "LeaseReturned c",
            "TaskRolledBack a",
            "TaskRolledBack p",
            "TaskRolledBack b",
            "TaskRolledBack c",
            "TaskAssigned p",
        ],
        statuses={"p": DOING, "a": UNDONE, "b": UNDONE, "c": UNDONE},
        commands=["Acknowledge a -> w1", "Cancel c -> v1", "Assign p -> w1"],
    )


def test_the_same_rejected_output_twice_is_no_progress_and_ends_early() -> None:
    run = given("a", *TEAM, started_with(Settings(max_rollbacks=0)))
    run.when(candidate("a", "same"), rejected("a"), passes(60), candidate("a", "same"))
    run.when(rejected("a")).then(
        events=["VerdictFailed a", "TaskFailed a", "ExecutionFailed"], statuses={"a": VALIDATION_FAILED}
    )
    assert "nothing changed" in run.execution.record(0).last_failure


def test_another_output_that_fails_the_same_criteria_is_progress() -> None:
    run = given("a", *TEAM, started, candidate("a", "one"), rejected("a"), passes(60), candidate("a", "two"))
    run.when(rejected("a")).then(events=["VerdictFailed a", "RetryScheduled a"])


def test_a_verdict_that_says_retrying_is_useless_ends_the_task() -> None:
    run = given("a", *TEAM, started, candidate("a"))
    run.when(rejected("a", retry_worthwhile=False)).then(events=["VerdictFailed a", "TaskFailed a", "ExecutionFailed"])


# ---------------------------------------------------------------- losses


@pytest.mark.guard(name="the grace ends")
def test_a_lost_worker_gives_its_task_back_when_it_does_not_return() -> None:
    run = given("a", executor("w1"), started, accepted("a"), worker_lost("w1"))
    run.then(statuses={"a": DOING})
    run.when(passes(60)).then(events=["UsageRecorded a", "LeaseLost a"], statuses={"a": UNDONE})
    assert (run.execution.record(0).failures, run.execution.record(0).losses) == (0, 1)


@pytest.mark.guard(name="resume grace")
def test_a_worker_that_comes_back_in_time_keeps_what_it_holds() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    lease = run.lease("a")
    run.when(worker_lost("w1"), passes(59), executor("w1", held=[lease])).then(events=[], commands=["Keep a -> w1"])
    run.when(passes(30)).then(events=[])


@pytest.mark.guard(name="no work runs out of time by a jump of the clock")
def test_an_attempt_has_as_much_time_left_after_a_jump_of_the_clock_as_before() -> None:
    run = given("a", executor("w1"), started, accepted("a"), passes(100))
    run.when(jumps(28_800), passes(19)).then(events=[], statuses={"a": DOING})
    run.when(passes(1)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="no work runs out of time by a jump of the clock")
def test_a_worker_that_is_away_has_as_much_time_left_after_a_jump_of_the_clock_as_before() -> None:
    run = given("a", executor("w1"), started, accepted("a"), worker_lost("w1"))
    run.when(jumps(28_800), passes(59)).then(events=[], statuses={"a": DOING})
    run.when(passes(1)).then(events=["UsageRecorded a", "LeaseLost a"], statuses={"a": UNDONE})


@pytest.mark.guard(name="no work runs out of time by a jump of the clock")
def test_an_assignment_is_waited_for_as_long_after_a_jump_of_the_clock_as_before() -> None:
    run = given("a", executor("w1"), started)
    run.when(jumps(28_800), passes(9)).then(events=[])
    run.when(passes(1)).then(events=["LeaseReturned a", "TaskAssigned a"])


def test_after_a_jump_of_the_clock_a_retry_takes_place_if_its_time_has_come() -> None:
    run = given("a", *TEAM, started, failed("a", FailureKind.RATE_LIMITED, retry_after=90.0))
    run.when(jumps(100)).then(events=["TaskAssigned a"])


@pytest.mark.guard(name="back with empty hands")
@pytest.mark.guard(name="what a worker does not name is not its any more")
def test_a_worker_that_comes_back_without_its_lease_has_lost_it() -> None:
    run = given("a", executor("w1"), started, accepted("a"), worker_lost("w1"))
    run.when(executor("w1")).then(events=["UsageRecorded a", "LeaseLost a", "TaskAssigned a"])


def test_a_lease_that_the_worker_never_took_costs_nothing_when_it_comes_back_without_it() -> None:
    run = given("a", executor("w1"), started, worker_lost("w1"))
    run.when(executor("w1")).then(events=["LeaseReturned a", "TaskAssigned a"])
    assert (run.execution.record(0).attempt, run.execution.record(0).losses) == (1, 0)


@pytest.mark.guard(name="one session a name")
def test_a_new_session_of_the_same_name_replaces_the_old_one() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    lease = run.lease("a")
    run.when(executor("w1", held=[lease])).then(events=[], commands=["EndSession -> gone", "Keep a -> w1"])


@pytest.mark.guard(name="stop")
def test_a_lease_that_somebody_else_has_by_now_is_stopped() -> None:
    run = given("a", executor("w1"), started, accepted("a"))
    lease = run.lease("a")
    run.when(worker_lost("w1"), passes(60), executor("w2"))
    run.when(executor("w1", held=[lease])).then(commands=["Stop a -> w1"], statuses={"a": DOING})


@pytest.mark.guard(name="an orderly end gives back")
def test_a_worker_that_leaves_in_order_gives_back_at_once_and_it_costs_nothing() -> None:
    run = given("a", executor("w1"), started, accepted("a"), executor("w2"))
    run.when(worker_lost("w1", orderly=True)).then(events=["LeaseReturned a", "TaskAssigned a"])


def test_a_task_that_kills_ten_workers_is_given_up() -> None:
    run = given("a", started_with(Settings(max_losses=2)), executor("w1"), accepted("a"))
    run.when(worker_lost("w1"), passes(60)).then(statuses={"a": UNDONE})
    run.when(executor("w1"), accepted("a"), worker_lost("w1"))
    run.when(passes(60)).then(
        events=["UsageRecorded a", "LeaseLost a", "TaskFailed a", "ExecutionFailed"], statuses={"a": EXECUTION_FAILED}
    )


def test_a_lost_validator_leaves_the_candidate_to_another_one() -> None:
    run = given("a", executor("w1"), validator("v1"), started, candidate("a"), accepted("a"), worker_lost("v1"))
    run.when(validator("v2"), passes(60)).then(
        events=["UsageRecorded a", "LeaseLost a", "TaskAssigned a"], statuses={"a": VALIDATING}
    )


# ---------------------------------------------------------------- commands


@pytest.mark.guard(name="a stop takes leases back")
def test_stopping_cancels_what_runs_and_resuming_goes_on() -> None:
    run = given("a; b <- a", *TEAM, started, accepted("a"))
    run.when(stopped).then(
        events=["UsageRecorded a", "LeaseReturned a", "ExecutionStopped"],
        commands=["Cancel a -> w1"],
        statuses={"a": UNDONE},
        state=ExecutionState.STOPPED,
    )
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned a"])


@pytest.mark.parametrize("command", [paused, resumed, stopped])
def test_a_final_execution_is_neither_paused_nor_resumed_nor_stopped(command: Step) -> None:
    run = given("a", *TEAM, started, *signed_off("a"))
    run.when(command).then(events=[], refused=WrongState)


def test_a_task_retried_by_a_person_takes_all_that_rests_on_it_back_and_revives_the_execution() -> None:
    run = given("a; b <- a; c", *TEAM, started, *signed_off("a"), *signed_off("b"), *signed_off("c"))
    run.when(retried("a")).then(
        events=["TaskRetried a", "TaskRolledBack b", "ExecutionResumed", "TaskAssigned a"],
        statuses={"a": DOING, "b": UNDONE, "c": DONE},
        state=ExecutionState.RUNNING,
    )


def test_a_task_that_failed_for_good_can_be_retried() -> None:
    run = given("a; b <- a", *TEAM, started_with(ONCE), failed("a"))
    run.when(retried("a")).then(events=["TaskRetried a", "ExecutionResumed", "TaskAssigned a"])
    run.when(*signed_off("a"))
    run.when(*signed_off("b")).then(state=ExecutionState.SUCCEEDED)


def test_a_task_in_flight_that_is_retried_starts_over() -> None:
    run = given("a", *TEAM, started, accepted("a"))
    run.when(retried("a")).then(
        events=["UsageRecorded a", "LeaseReturned a", "TaskRetried a", "TaskAssigned a"],
        commands=["Cancel a -> w1", "Assign a -> w1"],
    )


def test_a_task_nobody_knows_cannot_be_retried() -> None:
    given("a", *TEAM, started).when(retried("z")).then(events=[], refused=TaskNotFound)


def test_what_would_be_made_again_from_the_same_inputs_is_kept() -> None:
    run = given("a; b <- a", *TEAM, started, *signed_off("a", "text"), *signed_off("b"))
    run.when(retried("a"), candidate("a", "text"))
    run.when(passed("a")).then(
        events=["VerdictPassed a", "ArtifactKept b", "ExecutionSucceeded"], state=ExecutionState.SUCCEEDED
    )


def test_what_would_be_made_from_other_inputs_is_made_again() -> None:
    run = given("a; b <- a", *TEAM, started, *signed_off("a", "text"), *signed_off("b"))
    run.when(retried("a"), candidate("a", "another text"))
    run.when(passed("a")).then(events=["VerdictPassed a", "TaskAssigned b"])


def test_what_another_maker_would_make_is_made_again() -> None:
    run = given("a; b <- a", *TEAM, started, *signed_off("a", "text"), *signed_off("b"))
    run.when(retried("a"), candidate("a", "text"), executor("w1", slots=7, maker="another model"))
    run.when(passed("a")).then(events=["VerdictPassed a", "TaskAssigned b"])
