"""`signoff cost`: what an execution has cost, by phase and model, as far as prices are known."""

from __future__ import annotations

from collections.abc import Iterable

from signoff.cli.output import Output
from signoff.cli.reach import Where, execution_named, reach
from signoff.client import by_execution
from signoff.v1 import execution_pb2 as pb
from signoff.words import enum_word, record_of

HEADINGS = ("task", "phase", "model", "requests", "input tokens", "output tokens", "cost")
NANOS = 1_000_000_000


async def cost(name: str, where: Where, output: Output, *, by_task: bool) -> int:
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        ref = by_execution(execution.execution_id)
        tasks = await reached.client.tasks(ref) if by_task else ()
    currency = execution.currency
    if output.json:
        for task in tasks:
            for total in task.usage:
                output.record({"task_id": task.task_id, **record_of(total), "currency": currency})
        for total in execution.usage:
            output.record({**record_of(total), "currency": currency})
        return 0
    rows = [row(total, currency, task.task_id) for task in tasks for total in task.usage]
    rows += [row(total, currency) for total in execution.usage]
    if rows:
        output.table(HEADINGS, rows)
    for budget in execution.budgets:
        output.line(budget_words(budget, currency))
    output.line(f"{execution.plan_id} ({execution.execution_id}): {in_all(execution.usage, currency)}")
    return 0


def row(total: pb.UsageTotal, currency: str, task_id: str = "all") -> list[str]:
    return [
        task_id,
        enum_word(pb.Phase.DESCRIPTOR, total.phase),
        total.model,
        f"{total.requests:,}",
        f"{total.input_tokens:,}",
        f"{total.output_tokens:,}",
        money(total.cost_nanos, total.unpriced_tokens, currency),
    ]


def budget_words(state: pb.BudgetState, currency: str) -> str:
    """For example "budget of 1_2: 900 of 1,000 tokens spent"."""
    parts = []
    if state.budget.HasField("tokens"):
        parts.append(f"{state.spent_tokens:,} of {state.budget.tokens:,} tokens")
    if state.budget.HasField("cost_nanos"):
        limit = money(state.budget.cost_nanos, 0, currency)
        parts.append(f"{money(state.spent_cost_nanos, state.unpriced_tokens, '')} of {limit}")
    return f"budget of {state.task_id or 'the execution'}: {' and '.join(parts) or 'no bound'} spent"


def in_all(totals: Iterable[pb.UsageTotal], currency: str) -> str:
    """For example "12,345 tokens in 20 requests, 0.0123 USD"."""
    totals = list(totals)
    tokens = sum(total.input_tokens + total.output_tokens for total in totals)
    if not totals:
        return "nothing was reported to have cost anything"
    nanos, unpriced = sum(t.cost_nanos for t in totals), sum(t.unpriced_tokens for t in totals)
    requests = sum(total.requests for total in totals)
    return f"{tokens:,} tokens in {requests:,} requests, {money(nanos, unpriced, currency)}"


def money(nanos: int, unpriced_tokens: int, currency: str) -> str:
    """For example "0.0123 USD". What has no known price is said to be unknown: it is never a zero."""
    known = f"{nanos / NANOS:.4f} {currency}".rstrip()
    if not unpriced_tokens:
        return known
    unknown = f"unknown for {unpriced_tokens:,} tokens"
    return f"{known} and {unknown}" if nanos else unknown
