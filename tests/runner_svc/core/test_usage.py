"""What attempts cost is recorded once, whatever becomes of them."""

from __future__ import annotations

import pytest

from runner_svc.core import signals as s
from runner_svc.core.usage import NOTHING, Usage
from runner_svc.core.values import LeaseId, Phase
from tests.support.story import (
    Run,
    candidate,
    executor,
    failed,
    given,
    passed,
    passes,
    retried,
    spent,
    started,
    stopped,
    validator,
    worker_lost,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))


def executing(run: Run, task: str = "a", model: str = "m") -> int:
    """Input tokens of the execute phase."""
    return ((run.execution.records[run.task(task)].usage or {}).get((Phase.EXECUTE, model)) or NOTHING).input_tokens


def test_what_an_attempt_costs_is_recorded_when_it_is_said() -> None:
    run = given("a", *TEAM, started, spent("a", 100, cost=7))
    run.then(events=["ExecutionCreated", "ExecutionStarted", "TaskAssigned a", "UsageRecorded a"])
    assert run.execution.overview().usage == ((Phase.EXECUTE, "m", Usage(input_tokens=100, requests=1, cost_nanos=7)),)


@pytest.mark.guard(name="costs are totals")
def test_totals_add_only_what_is_new() -> None:
    run = given("a", *TEAM, started, spent("a", 100), spent("a", 100), spent("a", 130))
    assert executing(run) == 130
    run.when(spent("a", 120)).then(events=[])
    assert executing(run) == 130


def test_phases_and_models_are_counted_apart() -> None:
    run = given("a", *TEAM, started, spent("a", 10), spent("a", 3, model="other"), candidate("a"), spent("a", 5))
    assert [(phase, model, usage.input_tokens) for phase, model, usage in run.execution.overview().usage] == [
        (Phase.EXECUTE, "m", 10),
        (Phase.EXECUTE, "other", 3),
        (Phase.VALIDATE, "m", 5),
    ]


def test_every_attempt_counts_the_failed_ones_too() -> None:
    run = given("a", *TEAM, started, spent("a", 10), failed("a"), passes(60), spent("a", 10))
    assert executing(run) == 20


@pytest.mark.guard(name="costs of settled leases")
def test_what_is_said_again_under_a_settled_lease_is_a_repetition() -> None:
    run = given("a", *TEAM, started)
    under = run.holder("a"), run.lease("a")
    run.when(spent("a", 10), candidate("a"), passed("a"))
    run.when(spent("a", 10, under=under)).then(events=[])
    assert executing(run) == 10


@pytest.mark.guard(name="leases settled before")
def test_what_is_said_again_under_a_lease_that_was_settled_before_the_last_one_is_a_repetition_too() -> None:
    run = given("a", *TEAM, started)
    under = run.holder("a"), run.lease("a")
    run.when(spent("a", 10), failed("a"), passes(60), spent("a", 10), failed("a"), passes(60))
    run.when(spent("a", 10, under=under)).then(events=[])
    assert executing(run) == 20


def test_a_lost_attempt_that_says_more_later_adds_what_is_new() -> None:
    run = given("a", *TEAM, executor("w2", slots=7), started)
    lease, name = run.lease("a"), next(n for n, session in run.sessions.items() if session == run.holder("a"))
    run.when(spent("a", 10), worker_lost(name), passes(61), candidate("a"), passed("a"))
    run.when(executor(name, slots=7))
    run.when(spent("a", 35, under=(run.sessions[name], lease))).then(events=["UsageRecorded a"])
    assert executing(run) == 35
    run.when(spent("a", 35, under=(run.sessions[name], lease))).then(events=[])


def test_a_cancelled_attempt_counts() -> None:
    run = given("a", *TEAM, started, spent("a", 10), stopped)
    assert executing(run) == 10


def test_a_task_that_is_run_again_keeps_what_it_has_cost() -> None:
    run = given("a", *TEAM, started, spent("a", 10), candidate("a"), passed("a"), retried("a"), spent("a", 4))
    assert executing(run) == 14


def test_leases_nobody_gave_cost_nothing() -> None:
    run = given("a", *TEAM, started)
    session = run.sessions["w1"]
    run.when(spent("a", 10, under=(session, LeaseId("e1.99.1")))).then(events=[])
    run.when(spent("a", 10, under=(session, LeaseId("another.0.1")))).then(events=[])


def test_costs_are_progress() -> None:
    run = given("a", *TEAM, started)
    from_start = run.execution.settings.idle_timeout
    run.when(lambda r: s.LeaseAccepted(at=r.at, session=r.holder("a"), lease=r.lease("a")))
    run.when(passes(from_start - 1), spent("a", 1), passes(from_start - 1)).then(events=["UsageRecorded a"])
