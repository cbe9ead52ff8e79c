"""The order in which the tasks of several executions are given out."""

from __future__ import annotations

from runner_svc.core.model import signals
from runner_svc.core.model.commands import Assign
from runner_svc.core.model.values import ExecutionId, Settings
from tests.support.story import Run, Step, executor, given


def another(name: str, priority: int = 0) -> Step:
    return lambda run: signals.StartExecution(
        at=run.at, request_id="", execution=ExecutionId(name), plan_id="", settings=Settings(priority=priority)
    )


def order_of(run: Run) -> list[str]:
    return [command.execution for command in run.last.commands if isinstance(command, Assign)]


def test_executions_of_the_same_priority_take_turns() -> None:
    run = given("a; b; c", another("first"), another("second"))
    run.when(executor("w1", slots=6))
    assert order_of(run) == ["first", "second"] * 3


def test_a_higher_priority_is_served_before_any_lower_one() -> None:
    run = given("a; b", another("low"), another("high", priority=5))
    run.when(executor("w1", slots=3))
    assert order_of(run) == ["high", "high", "low"]


def test_workers_of_a_role_take_turns() -> None:
    run = given("a; b; c; d", executor("w1", slots=2), executor("w2", slots=2), another("only"))
    workers = [command.session for command in run.last.commands if isinstance(command, Assign)]
    assert workers == [run.sessions[name] for name in ("w1", "w2", "w1", "w2")]


def test_no_worker_ever_has_more_leases_than_its_credit() -> None:
    run = given("; ".join(f"t{n}" for n in range(9)), executor("w1", slots=2), another("only"))
    assert len(run.machine.state.roster.leases) == 2
