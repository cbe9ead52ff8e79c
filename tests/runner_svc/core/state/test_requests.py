"""Commands are idempotent by their request id; layouts; restarts."""

from __future__ import annotations

import pytest

from runner_svc.core.machine import Machine
from runner_svc.core.model import signals
from runner_svc.core.model.requirements import Requirements
from runner_svc.core.model.states import DOING, ExecutionState
from runner_svc.core.model.values import Budget, ExecutionId
from signoff.errors import ExecutionNotFound, InvalidField, NoLayout
from tests.support import invariants
from tests.support.story import (
    EXECUTION,
    START,
    Run,
    Step,
    accepted,
    candidate,
    executor,
    failed,
    given,
    passed,
    passes,
    paused,
    resumed,
    signed_off,
    started,
    validator,
)
from tests.support.values.maps import map_of

TEAM = (executor("w1", slots=7), validator("v1", slots=5))


def pause_as(request_id: str) -> Step:
    return lambda run: signals.PauseExecution(at=run.at, request_id=request_id, execution=EXECUTION)


def test_a_start_repeated_with_its_request_id_starts_nothing_new() -> None:
    def start(new: str) -> Step:
        return lambda run: signals.StartExecution(at=run.at, request_id="r1", execution=ExecutionId(new), plan_id="")

    run = given("a", start("e1"))
    run.when(start("e2")).then(events=[])
    assert run.last.replies == ["e1"]


def test_a_pause_repeated_after_a_resume_does_not_pause_again() -> None:
    run = given("a", started, pause_as("r1"), resumed)
    run.when(pause_as("r1")).then(events=[], state=ExecutionState.RUNNING)


def test_a_command_that_changed_nothing_changes_nothing_later_either() -> None:
    run = given("a", started, paused)
    run.when(pause_as("r2")).then(events=["CommandNoted"])
    run.when(resumed, pause_as("r2")).then(events=["ExecutionResumed"], state=ExecutionState.RUNNING)


def judged(request_id: str, passes: bool) -> Step:
    return lambda run: signals.JudgeTask(
        at=run.at, request_id=request_id, execution=EXECUTION, task_id="a", passes=passes, reason="so"
    )


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (pause_as("r1"), lambda run: signals.ResumeExecution(at=run.at, request_id="r1", execution=EXECUTION)),
        (pause_as("r1"), lambda run: signals.StopExecution(at=run.at, request_id="r1", execution=EXECUTION)),
        (pause_as("r1"), lambda run: signals.RetryTask(at=run.at, request_id="r1", execution=EXECUTION, task_id="a")),
        (
            lambda run: signals.RetryTask(at=run.at, request_id="r1", execution=EXECUTION, task_id="a"),
            lambda run: signals.RetryTask(at=run.at, request_id="r1", execution=EXECUTION, task_id="b"),
        ),
        (
            lambda run: signals.SetBudget(
                at=run.at, request_id="r1", execution=EXECUTION, task_id="a", budget=Budget()
            ),
            lambda run: signals.SetBudget(at=run.at, request_id="r1", execution=EXECUTION, task_id="", budget=Budget()),
        ),
        (
            pause_as("r1"),
            lambda run: signals.StartExecution(at=run.at, request_id="r1", execution=ExecutionId("e2"), plan_id=""),
        ),
        (pause_as("r1"), lambda run: signals.SetLayout(at=run.at, request_id="r1", map=run.map)),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.guard(name="a request id is one command's")
def test_a_request_id_that_was_used_for_another_command_is_refused(first: Step, then: Step, restarts: bool) -> None:
    run = given("a; b <- a", *TEAM, started).when(first)
    if restarts:
        restarted(run)
    run.when(then).then(events=[], refused=InvalidField)
    assert "request_id: expected an id of its own" in str(run.last.replies[0])


def test_a_command_that_changed_nothing_keeps_its_request_id_to_itself_too() -> None:
    run = given("a", started, paused, pause_as("r2"))
    run.when(lambda run: signals.StopExecution(at=run.at, request_id="r2", execution=EXECUTION)).then(
        refused=InvalidField
    )


def test_a_verdict_of_a_person_cannot_be_turned_round_under_its_request_id() -> None:
    run = given("a", *TEAM, started, requirements={"a": Requirements(human=True)}).when(candidate("a"), passed("a"))
    run.when(judged("r1", True)).then(state=ExecutionState.SUCCEEDED)
    run.when(judged("r1", True)).then(events=[])
    run.when(judged("r1", False)).then(events=[], refused=InvalidField)


def test_a_start_under_the_request_id_of_another_plan_is_refused() -> None:
    run = given("a")
    run.when(lambda run: signals.SetLayout(at=run.at, request_id="", map=map_of("x", plan_id="other")))
    for plan_id, refusal in (("other", None), ("plan", InvalidField), ("", None)):
        run.when(
            lambda run, plan_id=plan_id: signals.StartExecution(  # type: ignore[misc]
                at=run.at, request_id="r1", execution=ExecutionId("e9"), plan_id=plan_id
            )
        ).then(refused=refusal)


def test_without_any_layout_nothing_can_be_started() -> None:
    decision = Machine().turn([signals.StartExecution(at=START, request_id="", execution=EXECUTION, plan_id="")])
    assert isinstance(decision.replies[0], NoLayout)


def test_a_command_for_an_execution_nobody_knows_is_refused() -> None:
    unknown = ExecutionId("unknown")
    run = given("a")
    run.when(lambda run: signals.PauseExecution(at=run.at, request_id="", execution=unknown)).then(
        refused=ExecutionNotFound
    )


def test_without_a_plan_id_the_last_layout_set_is_run() -> None:
    run = given("a")
    other = map_of("x; y", plan_id="other")
    run.when(lambda run: signals.SetLayout(at=run.at, request_id="", map=other))
    run.when(lambda run: signals.SetLayout(at=run.at, request_id="", map=run.map))
    run.when(started)
    assert run.execution.map.plan_id == "plan"
    run.when(lambda run: signals.StartExecution(at=run.at, request_id="", execution=ExecutionId("e2"), plan_id="other"))
    assert run.machine.state.executions[ExecutionId("e2")].map.plan_id == "other"


def restarted(run: Run, takes: float = 0.0) -> Run:
    """The runner dies and another one starts on the same journal. `takes`: seconds until it has read it."""
    machine = Machine()
    machine.state = invariants.replayed(run.entries, run.machine.state.maps)
    machine.restore(run.at + takes)
    run.machine = machine
    return run


def test_after_a_restart_a_worker_goes_on_with_what_it_holds() -> None:
    run = given("a; b <- a", *TEAM, started, accepted("a"))
    lease = run.lease("a")
    restarted(run).when(executor("w1", slots=7, held=[lease])).then(events=[], commands=["Keep a -> w1"])
    run.when(validator("v1"), *signed_off("a")).then(statuses={"b": DOING})


def test_after_a_restart_a_worker_that_does_not_come_back_loses_its_lease() -> None:
    run = given("a", *TEAM, started, accepted("a"))
    restarted(run).when(passes(60)).then(events=["UsageRecorded a", "LeaseLost a"])


def test_after_a_restart_an_assignment_that_is_not_named_may_have_cost_a_prompt() -> None:
    run = given("a", *TEAM, started)
    restarted(run).when(executor("w1")).then(events=["UsageRecorded a", "LeaseReturned a", "TaskAssigned a"])


@pytest.mark.guard(name="retries are remembered")
def test_after_a_restart_a_retry_still_comes_when_it_is_due() -> None:
    run = given("a", *TEAM, started, failed("a"))
    restarted(run).when(executor("w1")).then(events=[])
    run.when(passes(1.0)).then(events=["TaskAssigned a"])


@pytest.mark.guard(name="past retries are remembered")
def test_a_retry_that_falls_due_while_the_journal_is_read_comes_after_older_reports() -> None:
    run = given("a", *TEAM, started, failed("a"))
    restarted(run, takes=5.0).when(executor("w1")).then(events=[])
    run.when(passes(5.0)).then(events=["TaskAssigned a"])


def test_after_a_restart_a_candidate_still_waits_for_its_validator() -> None:
    run = given("a", executor("w1"), started, candidate("a"))
    restarted(run).when(validator("v1")).then(events=["TaskAssigned a"])


def test_after_a_restart_nothing_that_is_done_runs_again() -> None:
    run = given("a; b <- a", *TEAM, started, *signed_off("a"))
    restarted(run).when(executor("w2", slots=7), validator("v2"), passes(60))
    assert run.execution.record(0).attempt == 1
