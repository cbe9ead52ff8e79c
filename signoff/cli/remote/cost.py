"""`signoff cost`: what an execution has cost, what each sign-off took, and what was spent in vain.

It is added up from the journal; see signoff.client.costs. Each question has a table; sums and estimates follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.amounts import (
    UNPRICED,
    cost_cell,
    cost_heading,
    cost_of,
    describe_amount,
    describe_budget,
    legend,
    money,
    tokens_cell,
)
from signoff.cli.show.output import CommandOutput
from signoff.client.costs import (
    EXECUTE,
    VALIDATE,
    Amount,
    Costs,
    Fate,
    RemainingCosts,
    SignOffCosts,
    TaskCosts,
    WorkFate,
)
from signoff.client.values import by_execution
from signoff.display.cost_records import by_importance, in_order, records, share_of
from signoff.display.wire_names import phase_name
from signoff.service.gc_tuning import gc_paused
from signoff.v1 import execution_pb2 as pb

PHASES = ("execute", "validate", "together")
NOTHING_SPENT = "nothing was reported to have cost anything"


async def cost(name: str, where: RunnerLocation, output: CommandOutput, *, by_task: bool, top: int) -> int:
    """Prints the costs of an execution, as tables or as records."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        with gc_paused():  # a fifth faster for many tasks; nothing in it makes cycles
            costs = await reached.client.costs(by_execution(execution.execution_id))
    if output.json:
        for record in records(execution, costs, by_task=by_task, top=top):
            output.record(record)
        return 0
    tables = tables_of(costs, by_task=by_task, top=top) if costs.spent != Amount() else ()
    for table in tables:
        if table.rows:
            output.table(table.headings, table.rows)
            output.line("")
    for line in lines_of(execution, costs):
        output.line(line)
    return 0


def lines_of(execution: pb.Execution, costs: Costs) -> Iterator[str]:
    """Yields the lines under the tables: the legend, budgets, the sum, and an estimate of the rest."""
    yield from legend(costs.spent)
    for budget in execution.budgets:
        yield describe_budget(budget, costs.currency)
    is_something = costs.spent != Amount()
    told = (
        describe_amount(costs.spent, costs.currency) if is_something else "nothing was reported to have cost anything"
    )
    yield f"{execution.plan_id} ({execution.execution_id}): {told}"
    if costs.left is not None and costs.left.tokens:
        yield describe_left(costs.left, costs)


def describe_left(left: RemainingCosts, costs: Costs) -> str:
    """Returns for example "4 of 13 tasks are left: about 12,000 tokens, 0.0100 USD (estimated by the mean)"."""
    unknown = f" + {UNPRICED}" if costs.spent.unpriced_tokens else ""
    cost = f", {money(left.cost_nanos, costs.currency)}{unknown}" if left.cost_nanos else ""
    about = f"about {left.tokens:,} tokens{cost} (estimated by the mean)"
    return f"{left.tasks:,} of {costs.task_count:,} tasks are left: {about}"


# ---------------------------------------------------------------- tables


@dataclass(frozen=True, slots=True)
class Table:
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables_of(costs: Costs, *, by_task: bool, top: int) -> Iterator[Table]:
    yield spent_table(costs, by_task=by_task)
    if costs.per_sign_off is not None:
        yield sign_off_table(costs, costs.per_sign_off)
    yield fate_table(costs)
    yield most_expensive_table(costs, top)


def spent_table(costs: Costs, *, by_task: bool) -> Table:
    """Returns what was spent by phase and model; with `by_task`, for each task before the whole."""
    total = costs.spent
    cached, reasoning = bool(total.cached_input_tokens), bool(total.reasoning_tokens)
    headings = [
        *(["task"] if by_task else []),
        *("phase", "model", "requests", "input tokens"),
        *(["cached"] if cached else []),
        "output tokens",
        *(["reasoning"] if reasoning else []),
        cost_heading(costs.currency),
    ]
    tasks = in_order(costs) if by_task else ()
    told = [(task.task_id, *row) for task in tasks for row in task.by_model.items()]
    told += [("all", *row) for row in costs.by_model.items()]
    rows = [
        [
            *([name] if by_task else []),
            *(phase_name(phase), model, f"{amount.requests:,}"),
            tokens_cell(amount.input_tokens + amount.estimated_input_tokens, amount.estimated_input_tokens),
            *([f"{amount.cached_input_tokens:,}"] if cached else []),
            tokens_cell(amount.output_tokens + amount.estimated_output_tokens, amount.estimated_output_tokens),
            *([f"{amount.reasoning_tokens:,}"] if reasoning else []),
            cost_of(amount),
        ]
        for name, (phase, model), amount in told
    ]
    return Table(headings, rows)


def sign_off_table(costs: Costs, done: SignOffCosts) -> Table:
    """Returns the tokens that a sign-off took. The mean includes all else: what failed, and what is not done yet."""
    marks, largest = costs.spent, done.largest
    rows = [
        [
            name,
            *(tokens_cell(tokens, marks.estimated_tokens) for tokens in (of.execute, of.validate, of.together)),
            *money_column(costs, cost_cell(of.cost_nanos, marks.estimated_cost_nanos, marks.unpriced_tokens)),
        ]
        for name, of in (("mean, failures too", done.mean), ("median task", done.median))
    ]
    return Table(
        ("to sign a task off", *PHASES, *money_column(costs, cost_heading(costs.currency))),
        [*rows, [f"largest: {largest.task_id}", *task_cells(costs, largest)]],
    )


def fate_table(costs: Costs) -> Table:
    """Returns what became of all that was spent: signed-off work first, then by tokens."""
    headings = ("what became of it", "times", "tokens", *money_column(costs, cost_heading(costs.currency)), "share")
    rows = [
        [
            describe_fate(fate),
            f"{of.times:,}",
            tokens_cell(of.spent.tokens, of.spent.estimated_tokens),
            *money_column(costs, cost_of(of.spent)),
            f"{100 * share_of(costs, of):.1f} %",
        ]
        for fate, of in by_importance(costs)
    ]
    return Table(headings, rows)


def most_expensive_table(costs: Costs, top: int) -> Table:
    headings = ("most expensive tasks", "attempts", *PHASES, *money_column(costs, cost_heading(costs.currency)))
    rows = [[task.task_id, f"{task.attempts:,}", *task_cells(costs, task)] for task in costs.most_expensive(top)]
    return Table(headings, rows)


def task_cells(costs: Costs, task: TaskCosts) -> list[str]:
    """Returns the cells of a task: tokens by phase and together, and the cost."""
    spent = task.spent
    return [
        *(tokens_cell(task.tokens_in(phase), task.estimated_in(phase)) for phase in (EXECUTE, VALIDATE)),
        tokens_cell(spent.tokens, spent.estimated_tokens),
        *money_column(costs, cost_of(spent)),
    ]


def money_column(costs: Costs, cell: str) -> list[str]:
    """Returns the cell, or none when no price is known: the first table has said so already."""
    return [cell] if costs.is_priced else []


# ---------------------------------------------------------------- words


_FATES: Mapping[WorkFate, str] = MappingProxyType(
    {
        WorkFate.SIGNED_OFF: "signed off",
        WorkFate.REJECTED: "rejected by a {kind}",
        WorkFate.FAILED: "execution failed ({kind})",
        WorkFate.JUDGE_FAILED: "the judge broke",
        WorkFate.LOST: "the worker was lost",
        WorkFate.OUTAGE: "the model was away",
        WorkFate.RETURNED: "given back or stopped",
        WorkFate.WITHDRAWN: "rolled back or retried",
        WorkFate.CANARY: "canaries",
        WorkFate.UNDECIDED: "not decided yet",
        WorkFate.UNKNOWN: "unknown",
    }
)


def describe_fate(fate: Fate) -> str:
    """Returns for example "execution failed (rate limited)"."""
    return _FATES[fate.what].format(kind=fate.kind.replace("-", " "))
