"""Amounts as people read them: tokens, money and budgets.

A `~` marks an amount that is estimated in part. In tables a `?` stands for a cost without a known price; `legend`
explains both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from signoff.client.costs import Amount
from signoff.money import from_nanos
from signoff.v1 import execution_pb2 as pb

ESTIMATED, UNPRICED = "~", "?"


def counted(number: int, thing: str) -> str:
    """Returns for example "1 event" or "1,234 events"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


# ---------------------------------------------------------------- cells of tables


def tokens_cell(tokens: float, estimated: int = 0) -> str:
    """Returns for example "1,234" or, when a part of it is estimated, "~1,234"."""
    return f"{_mark(estimated)}{round(tokens):,}"


def cost_cell(nanos: float, estimated: int = 0, unpriced_tokens: int = 0) -> str:
    """Returns for example "0.0123", "~0.0123", "0.0123 + ?" or "?": the heading names the currency."""
    if unpriced_tokens and not nanos:
        return UNPRICED
    known = f"{_mark(estimated)}{from_nanos(nanos):.4f}"
    return f"{known} + {UNPRICED}" if unpriced_tokens else known


def cost_of(amount: Amount) -> str:
    """Returns the `cost_cell` of an amount."""
    return cost_cell(amount.cost, amount.estimated_cost_nanos, amount.unpriced_tokens)


def cost_heading(currency: str) -> str:
    return f"cost ({currency})" if currency else "cost"


def legend(amount: Amount) -> Iterator[str]:
    """Yields what the marks mean that occur in the tables of an amount."""
    if amount.estimated_tokens:
        yield f"{ESTIMATED}: estimated in part, for requests that no provider has counted, or not yet"
    if amount.unpriced_tokens:
        yield f"{UNPRICED}: no price is known, of {amount.unpriced_tokens:,} tokens in all"


def _mark(estimated: int) -> str:
    return ESTIMATED if estimated else ""


# ---------------------------------------------------------------- sentences


def describe_amount(amount: Amount, currency: str) -> str:
    """Returns for example "~12,345 tokens in 20 requests, ~0.0123 USD", without a cost that is wholly unknown."""
    tokens = f"{tokens_cell(amount.tokens, amount.estimated_tokens)} tokens in {amount.requests:,} requests"
    if amount.unpriced_tokens and not amount.cost:
        return tokens
    return f"{tokens}, {money(amount.cost, currency, amount.estimated_cost_nanos, amount.unpriced_tokens)}"


def money(nanos: float, currency: str, estimated: int = 0, unpriced_tokens: int = 0) -> str:
    """Returns for example "0.0123 USD". Tokens without a known price are said to be unknown, never zero."""
    known = f"{_mark(estimated)}{from_nanos(nanos):.4f} {currency}".rstrip()
    if not unpriced_tokens:
        return known
    unknown = f"unknown for {unpriced_tokens:,} tokens"
    return f"{known} and {unknown}" if nanos else unknown


def describe_budget(state: pb.BudgetState, currency: str) -> str:
    """Returns for example "budget of 1_2: ~900 of 1,000 tokens spent, 300 kept back for what runs"."""
    spent, kept = [], []
    if state.budget.HasField("tokens"):
        spent.append(f"{tokens_cell(state.spent_tokens, state.estimated_tokens)} of {state.budget.tokens:,} tokens")
        kept += [f"{state.reserved_tokens:,}"] if state.reserved_tokens else []
    if state.budget.HasField("cost_nanos"):
        so_far = money(state.spent_cost_nanos, "", state.estimated_cost_nanos, state.unpriced_tokens)
        spent.append(f"{so_far} of {money(state.budget.cost_nanos, currency)}")
        kept += [money(state.reserved_cost_nanos, currency)] if state.reserved_cost_nanos else []
    reserved = f", {' and '.join(kept)} kept back for what runs" if kept else ""
    return f"budget of {state.task_id or 'the execution'}: {' and '.join(spent) or 'no bound'} spent{reserved}"


def sum_of(totals: Iterable[pb.UsageTotal]) -> Amount:
    """Returns the sum of the totals that the runner reports for an execution or a task."""
    return sum((amount_of_total(total) for total in totals), Amount())


def amount_of_total(total: pb.UsageTotal) -> Amount:
    """Returns a total as an amount: both have the same columns."""
    return Amount._make(getattr(total, column) for column in Amount._fields)
