"""The cost of an attempt is recorded once, however the attempt ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner_svc.core.model import signals
from runner_svc.core.model.tallies import OTHERS, Pool, Tally, count, sum_tallies
from runner_svc.core.model.usage import MOST, NOTHING, Totals, Usage, add
from runner_svc.core.model.values import LeaseId, Phase
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
    """Returns the input tokens of the execute phase."""
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


def test_costs_under_a_lease_that_was_settled_before_the_last_one_are_a_repetition_too() -> None:
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
    run.when(lambda r: signals.LeaseAccepted(at=r.at, session=r.holder("a"), lease=r.lease("a")))
    run.when(passes(from_start - 1), spent("a", 1), passes(from_start - 1)).then(events=["UsageRecorded a"])


@pytest.mark.guard(name="costs of given leases only")
def test_costs_under_a_lease_that_another_worker_was_given_count_for_nothing() -> None:
    run = given("a", executor("w1"), executor("w2"), started, spent("a", 10))
    (other,) = {*run.sessions.values()} - {run.holder("a")}
    lease = run.lease("a")
    run.when(spent("a", 2**40, under=(other, lease))).then(events=[])
    run.when(stopped).when(spent("a", 2**40, under=(other, lease))).then(events=[])
    assert executing(run) == 10


def test_amounts_stop_growing_where_a_sum_would_not_fit_a_message() -> None:
    most = Usage(input_tokens=MOST, output_tokens=MOST, requests=MOST, cost_nanos=MOST, unpriced_tokens=MOST)
    assert most + most == most
    assert (most + most).tokens < 2**64
    assert Usage(input_tokens=MOST - 1) + Usage(input_tokens=1) == Usage(input_tokens=MOST)


@pytest.mark.guard(name="bounded rows of costs")
def test_however_often_costs_are_said_a_lease_writes_a_bounded_number_of_rows() -> None:
    run = given("a", *TEAM, started)
    reporter = signals.UsageReported(at=run.at, session=run.holder("a"), lease=run.lease("a"), model="m", total=Usage())
    rows = 0
    for tokens in range(1, 3_001):
        decision = run.machine.turn([replace(reporter, total=Usage(input_tokens=tokens))])
        rows += len(decision.entries)
    assert 1_000 < rows < 1_200
    assert executing(run) >= 3_000 * 0.99, "and what is left out is less than a hundredth"


def test_a_lease_that_names_ever_new_models_writes_a_bounded_number_of_them() -> None:
    run = given("a", *TEAM, started)
    reporter = signals.UsageReported(at=run.at, session=run.holder("a"), lease=run.lease("a"), model="", total=Usage())
    for number in range(100):
        run.machine.turn([replace(reporter, model=f"m{number}", total=Usage(input_tokens=1))])
    assert len(run.execution.records[0].usage or {}) == 16


def test_models_beyond_a_number_are_counted_together() -> None:
    totals: Totals = {}
    for number in range(300):
        add(totals, Phase.EXECUTE, f"m{number}", Usage(input_tokens=1))
    assert len(totals) == 101
    assert totals[Phase.EXECUTE, "other"] == Usage(input_tokens=200)
    assert sum(usage.input_tokens for usage in totals.values()) == 300


@pytest.mark.guard(name="pools of long labels are counted together")
def test_pools_of_long_labels_are_counted_together() -> None:
    tallies: dict[Pool, Tally] = {}
    for number in range(50):
        labels = frozenset({(f"{label}{'x' * 100}", f"{number}") for label in range(30)})
        count(tallies, Pool(model="m", labels=labels), Tally(good=1))
        count(tallies, Pool(model="m", labels=frozenset({("gpu", f"{number}")})), Tally(good=1))
    assert (len(tallies), tallies[OTHERS]) == (51, Tally(good=50))


def test_pools_of_validators_beyond_a_number_are_counted_together() -> None:
    tallies: dict[Pool, Tally] = {}
    for number in range(300):
        count(tallies, Pool(model=f"m{number}", labels=frozenset()), Tally(good=1))
    assert (len(tallies), tallies[OTHERS]) == (101, Tally(good=200))
    assert dict(sum_tallies(tallies.items())) == tallies
