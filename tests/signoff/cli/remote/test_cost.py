"""The tables and sums of `signoff cost`, and amounts in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from signoff.cli.remote import cost
from signoff.cli.remote.cost import _FATES, Table, describe_fate, tables_of
from signoff.cli.remote.find_runner import RunnerLocation
from signoff.cli.show.amounts import cost_cell, describe_amount, describe_budget, money, sum_of, tokens_cell
from signoff.cli.show.output import CommandOutput
from signoff.client.costs import Amount, Fate, WorkFate
from signoff.client.costs_fold import costs_of
from signoff.errors import ExecutionNotFound
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2
from tests.support.processes.screens import lines_of, piped, records_of
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner, execution, journal, listening, started

EXECUTE, VALIDATE = pb.PHASE_EXECUTE, pb.PHASE_VALIDATE
NONE: Mapping[str, int] = MappingProxyType({})
ESTIMATE = MappingProxyType({"estimated_input_tokens": 234, "estimated_cost_nanos": 100_000})


# ---------------------------------------------------------------- journals


def created(tasks: int, currency: str = "") -> pb.Event:
    body = pb.ExecutionCreated(plan_id=PLAN_ID, task_count=tasks, currency=currency)
    return pb.Event(execution_created=body)


def given(task: str, number: int, phase: pb.Phase.ValueType = EXECUTE) -> pb.Event:
    body = pb.TaskAssigned(lease_id=f"{task}.{number}", attempt=1, phase=phase, worker="w")
    return pb.Event(task_id=task, task_assigned=body)


def spent(
    task: str, number: int, tokens: int, model: str = "m", cost: int | None = None, also: Mapping[str, int] = NONE
) -> pb.Event:
    """An amount under the lease of that number: odd ones are of executors, even ones of validators."""
    phase = EXECUTE if number % 2 else VALIDATE
    body = pb.UsageRecorded(lease_id=f"{task}.{number}", phase=phase, model=model, requests=1, input_tokens=tokens)
    for name, value in also.items():
        setattr(body, name, value)
    if cost is not None:
        body.cost_nanos = cost
    return pb.Event(task_id=task, usage_recorded=body)


def stored(task: str, number: int) -> pb.Event:
    return pb.Event(task_id=task, candidate_stored=pb.CandidateStored(lease_id=f"{task}.{number}"))


def passed(task: str, number: int) -> pb.Event:
    return pb.Event(task_id=task, verdict_passed=pb.VerdictPassed(lease_id=f"{task}.{number}"))


def failed(task: str, number: int) -> pb.Event:
    body = pb.AttemptFailed(lease_id=f"{task}.{number}", kind=pb.FAILURE_KIND_RATE_LIMITED)
    return pb.Event(task_id=task, attempt_failed=body)


def priced() -> list[pb.Event]:
    """Three tasks: a is signed off, b has failed once, c was never begun. All prices are known."""
    return [
        created(3, "EUR"),
        started(),
        *(given("a", 1), spent("a", 1, 1000, cost=2_000_000), stored("a", 1)),
        *(given("a", 2, VALIDATE), spent("a", 2, 200, "j", cost=500_000), passed("a", 2)),
        *(given("b", 1), spent("b", 1, 300, cost=600_000), failed("b", 1)),
    ]


async def shown(events: list[pb.Event], output: CommandOutput, *, by_task: bool = False, top: int = 5) -> list[str]:
    """Returns what the command shows of a journal."""
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING), events=journal(*events))
    async with listening(runner) as address:
        assert await cost.cost(PLAN_ID, RunnerLocation(runner=address), output, by_task=by_task, top=top) == 0
    return lines_of(output)


def table_of(events: list[pb.Event], heading: str, *, by_task: bool = False, top: int = 5) -> Table:
    tables = tables_of(costs_of(events), by_task=by_task, top=top)
    return next(table for table in tables if heading in table.headings)


def cells(table: Table) -> list[list[str]]:
    return [list(row) for row in table.rows]


# ---------------------------------------------------------------- all of it


async def test_it_answers_what_was_spent_on_what_and_in_vain_and_what_is_left() -> None:
    assert await shown(priced(), piped()) == [
        "PHASE     MODEL  REQUESTS  INPUT TOKENS  OUTPUT TOKENS  COST (EUR)",
        "execute   m      2         1,300         0              0.0026",
        "validate  j      1         200           0              0.0005",
        "",
        "TO SIGN A TASK OFF  EXECUTE  VALIDATE  TOGETHER  COST (EUR)",
        "mean, failures too  1,300    200       1,500     0.0031",
        "median task         1,000    200       1,200     0.0025",
        "largest: a          1,000    200       1,200     0.0025",
        "",
        "WHAT BECAME OF IT                TIMES  TOKENS  COST (EUR)  SHARE",
        "signed off                       1      1,200   0.0025      80.0 %",
        "execution failed (rate limited)  1      300     0.0006      20.0 %",
        "",
        "MOST EXPENSIVE TASKS  ATTEMPTS  EXECUTE  VALIDATE  TOGETHER  COST (EUR)",
        "a                     1         1,000    200       1,200     0.0025",
        "b                     1         300      0         300       0.0006",
        "",
        "trends (x-1): 1,500 tokens in 3 requests, 0.0031 EUR",
        "2 of 3 tasks are left: about 3,000 tokens, 0.0062 EUR (estimated by the mean)",
    ]


async def test_an_execution_that_cost_nothing_says_so() -> None:
    assert await shown([created(1), started(), given("a", 1)], piped()) == [
        "trends (x-1): nothing was reported to have cost anything"
    ]


async def test_budgets_are_told_under_the_tables_and_as_records() -> None:
    state = pb.BudgetState(budget=plan_pb2.Budget(tokens=1000), spent_tokens=900, estimated_tokens=1)
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING), events=journal(*priced()))
    runner.execution.budgets.append(state)
    told, records = piped(), piped(as_json=True)
    async with listening(runner) as address:
        for output in (told, records):
            await cost.cost(PLAN_ID, RunnerLocation(runner=address), output, by_task=False, top=5)
    assert "budget of the execution: ~900 of 1,000 tokens spent" in lines_of(told)
    (budget,) = [record["budget"] for record in records_of(records) if "budget" in record]
    assert budget["estimated_tokens"] == 1


async def test_an_unknown_plan_is_refused_with_those_that_there_are() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING))
    async with listening(runner) as address:
        with pytest.raises(ExecutionNotFound, match="but got 'other': it has trends"):
            await cost.cost("other", RunnerLocation(runner=address), piped(), by_task=False, top=5)


async def test_before_the_first_sign_off_nothing_is_said_of_one() -> None:
    told = "\n".join(await shown([event for event in priced() if not event.HasField("verdict_passed")], piped()))
    assert "SIGN A TASK OFF" not in told
    assert "left" not in told
    assert "not decided yet" in told


async def test_what_is_left_costs_more_than_is_known_where_a_price_is_unknown() -> None:
    told = await shown([*priced(), spent("b", 2, 300)], piped())
    assert told[-1] == "2 of 3 tasks are left: about 3,600 tokens, 0.0062 EUR + ? (estimated by the mean)"


# ---------------------------------------------------------------- tables


def test_every_task_is_shown_when_asked_for_in_natural_order() -> None:
    events = [created(2), spent("1_10", 1, 10), spent("1_2", 1, 20), spent("1_2", 2, 5)]
    rows = cells(table_of(events, "phase", by_task=True))
    assert [row[:3] for row in rows] == [
        ["1_2", "execute", "m"],
        ["1_2", "validate", "m"],
        ["1_10", "execute", "m"],
        ["all", "execute", "m"],
        ["all", "validate", "m"],
    ]


def test_what_is_estimated_is_marked_and_counted_in() -> None:
    events = [created(2), spent("a", 1, 1000, cost=0, also=ESTIMATE)]
    table = table_of(events, "phase")
    assert cells(table) == [["execute", "m", "1", "~1,234", "0", "~0.0001"]]
    assert cells(table_of(events, "share"))[0][2:4] == ["~1,234", "~0.0001"]
    assert cells(table_of(events, "attempts"))[0][2:] == ["~1,234", "0", "~1,234", "~0.0001"]


def test_cached_and_reasoning_tokens_have_columns_when_there_are_any() -> None:
    plain = table_of([created(1), spent("a", 1, 10)], "phase")
    assert list(plain.headings) == ["phase", "model", "requests", "input tokens", "output tokens", "cost"]
    columns = {"cached_input_tokens": 8, "output_tokens": 5, "reasoning_tokens": 4}
    told = table_of([created(1), spent("a", 1, 10, also=columns), spent("a", 2, 3)], "phase")
    assert list(told.headings[3:7]) == ["input tokens", "cached", "output tokens", "reasoning"]
    assert [row[3:7] for row in cells(told)] == [["10", "8", "5", "4"], ["3", "0", "0", "0"]]


async def test_the_marks_are_explained_once_under_the_tables() -> None:
    told = await shown([created(1), spent("a", 1, 10, also={"estimated_input_tokens": 5})], piped())
    assert told[-3:-1] == [
        "~: estimated in part, for requests that no provider has counted, or not yet",
        "?: no price is known, of 15 tokens in all",
    ]
    assert [line for line in await shown(priced(), piped()) if line.startswith(("~", "?"))] == []


def test_where_no_price_is_known_one_table_says_so() -> None:
    events = [created(2), given("a", 1), spent("a", 1, 10)]
    assert table_of(events, "phase").rows[0][-1] == "?"
    assert "cost" not in table_of(events, "share").headings
    assert "cost" not in table_of(events, "attempts").headings


def test_where_some_prices_are_known_the_others_are_unknown_and_not_zero() -> None:
    events = [created(2), spent("a", 1, 10, cost=5_000_000), spent("a", 2, 10), spent("b", 1, 1)]
    assert [row[-1] for row in cells(table_of(events, "phase"))] == ["0.0050 + ?", "?"]
    assert [row[-1] for row in cells(table_of(events, "attempts"))] == ["0.0050 + ?", "?"]


def test_what_is_signed_off_comes_first_and_what_is_undecided_last() -> None:
    events = [*priced(), given("c", 1), spent("c", 1, 9000, cost=0), given("b", 3), spent("b", 3, 2000, cost=0)]
    lost = pb.Event(task_id="b", lease_lost=pb.LeaseLost(lease_id="b.3", phase=EXECUTE))
    rows = cells(table_of([*events, lost], "share"))
    assert [row[0] for row in rows] == [
        "signed off",
        "the worker was lost",
        "execution failed (rate limited)",
        "not decided yet",
    ]


def test_as_many_expensive_tasks_are_shown_as_are_asked_for() -> None:
    assert [row[0] for row in table_of(priced(), "attempts", top=1).rows] == ["a"]


def test_every_fate_has_its_words() -> None:
    assert set(_FATES) == set(WorkFate)
    assert describe_fate(Fate(WorkFate.REJECTED, "check")) == "rejected by a check"
    assert describe_fate(Fate(WorkFate.FAILED, "too-small")) == "execution failed (too small)"


# ---------------------------------------------------------------- records


async def test_programs_are_told_all_of_it() -> None:
    output = piped(as_json=True)
    await shown(priced(), output, by_task=True, top=1)
    records = records_of(output)
    assert records[0] == {
        "task_id": "a", "phase": "execute", "model": "m", "requests": 1, "input_tokens": 1000,
        "cost_nanos": 2_000_000, "currency": "EUR",
    }  # fmt: skip
    assert records[3] == {
        "phase": "execute", "model": "m", "requests": 2, "input_tokens": 1300,
        "cost_nanos": 2_600_000, "currency": "EUR",
    }  # fmt: skip
    assert [next(iter(record)) for record in records[5:]] == ["sign_off", "fate", "fate", "most_expensive", "left"]
    sign_off, _, fate, most_expensive, left = [next(iter(record.values())) for record in records[5:]]
    assert sign_off["tasks"] == 1
    assert sign_off["mean"] == {"execute": 1300, "validate": 200, "together": 1500, "cost_nanos": 3_100_000}
    assert fate == {
        "what": "failed", "kind": "rate-limited", "times": 1, "requests": 1, "input_tokens": 300,
        "cost_nanos": 600_000, "share": 0.2, "currency": "EUR",
    }  # fmt: skip
    assert most_expensive["tokens"] == {"execute": 1000, "validate": 200, "together": 1200}
    assert left == {"tasks": 2, "tokens": 3000, "cost_nanos": 6_200_000, "currency": "EUR"}


async def test_programs_are_told_estimates_apart() -> None:
    output = piped(as_json=True)
    columns = {"estimated_input_tokens": 5, "cached_input_tokens": 4, "estimated_cost_nanos": 3}
    await shown([created(1), spent("a", 1, 10, cost=2, also=columns)], output)
    assert records_of(output)[0].items() >= {"input_tokens": 10, "cost_nanos": 2, **columns}.items()


# ---------------------------------------------------------------- words


def test_amounts_read_well() -> None:
    assert [tokens_cell(1234), tokens_cell(1234, 1), tokens_cell(0)] == ["1,234", "~1,234", "0"]
    assert [cost_cell(12_300_000), cost_cell(12_300_000, 1)] == ["0.0123", "~0.0123"]
    assert [cost_cell(12_300_000, 0, 5), cost_cell(0, 0, 5), cost_cell(0)] == ["0.0123 + ?", "?", "0.0000"]
    assert money(12_300_000, "USD", 1, 56) == "~0.0123 USD and unknown for 56 tokens"
    assert money(0, "USD", 0, 56) == "unknown for 56 tokens"


def test_a_cost_of_which_nothing_is_known_is_left_out_of_a_sentence() -> None:
    assert describe_amount(Amount(requests=2, input_tokens=7, unpriced_tokens=7), "") == "7 tokens in 2 requests"
    some = Amount(requests=2, input_tokens=7, estimated_output_tokens=2, unpriced_tokens=3, cost_nanos=5_000_000)
    assert describe_amount(some, "EUR") == "~9 tokens in 2 requests, 0.0050 EUR and unknown for 3 tokens"


def test_the_runners_totals_are_summed_in_all_columns() -> None:
    total = pb.UsageTotal(phase=EXECUTE, model="m")
    for number, name in enumerate(Amount._fields, 1):
        setattr(total, name, number)
    assert sum_of([total, total]) == Amount(*(2 * number for number in range(1, len(Amount._fields) + 1)))


def test_a_budget_says_what_is_estimated_and_what_is_kept_back() -> None:
    state = pb.BudgetState(task_id="1_2", budget=plan_pb2.Budget(tokens=1000), spent_tokens=900)
    assert describe_budget(state, "") == "budget of 1_2: 900 of 1,000 tokens spent"
    state.estimated_tokens, state.reserved_tokens = 50, 300
    assert describe_budget(state, "") == "budget of 1_2: ~900 of 1,000 tokens spent, 300 kept back for what runs"
    state.budget.cost_nanos, state.spent_cost_nanos, state.reserved_cost_nanos = 2_000_000_000, 10_000_000, 5_000_000
    state.estimated_cost_nanos = 1
    assert describe_budget(state, "EUR") == (
        "budget of 1_2: ~900 of 1,000 tokens and ~0.0100 of 2.0000 EUR spent, "
        "300 and 0.0050 EUR kept back for what runs"
    )
