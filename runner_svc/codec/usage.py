"""Amounts of usage as messages, and what workers report of it as signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from runner_svc.core.model import signals
from runner_svc.core.model.usage import Totals, Usage, in_order
from runner_svc.core.model.values import LeaseId, Phase, SessionId
from runner_svc.prices import Prices
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import worker_pb2

_MOST = 2**64 - 1  # of a number in a message
_COLUMNS = tuple(column.name for column in fields(Usage))  # messages have the same
_OF_PRICES = frozenset({"cost_nanos", "unpriced_tokens"})  # one of them, or the other


def usage_from_proto(
    message: worker_pb2.Usage, prices: Prices, *, session: SessionId, at: float
) -> signals.UsageReported:
    """Returns the signal of a worker's report, with its costs."""
    reported = Usage(
        input_tokens=message.input_tokens,
        output_tokens=message.output_tokens,
        requests=message.requests,
        cached_input_tokens=min(message.cached_input_tokens, message.input_tokens),
        reasoning_tokens=min(message.reasoning_tokens, message.output_tokens),
        estimated_input_tokens=message.estimated_input_tokens,
        estimated_output_tokens=message.estimated_output_tokens,
    )
    total = prices.priced(message.model, reported)
    return signals.UsageReported(
        at=at, session=session, lease=LeaseId(message.lease_id), model=message.model, total=total
    )


def amount_to_proto(amount: int) -> int:
    """Returns a sum or a product as a number of 64 bits; one beyond its range becomes the nearest."""
    # guard: amounts fit their numbers -> return amount
    return min(max(0, amount), _MOST)


def total_to_proto(phase: Phase, model: str, usage: Usage) -> pb.UsageTotal:
    """Returns a total as a message."""
    sums = {name: amount_to_proto(getattr(usage, name)) for name in _COLUMNS}
    return pb.UsageTotal(phase=pb.Phase.ValueType(phase), model=model, **sums)


def total_from_proto(message: pb.UsageTotal) -> tuple[Phase, str, Usage]:
    return Phase(message.phase), message.model, Usage(**{name: getattr(message, name) for name in _COLUMNS})


def change_to_proto(usage: Usage, part: pb.UsageRecorded) -> None:
    """Writes a change of usage into an event."""
    for name in _COLUMNS:
        if name not in _OF_PRICES:
            setattr(part, name, getattr(usage, name))
    if not usage.unpriced_tokens:
        part.cost_nanos = usage.cost_nanos


def change_from_proto(part: pb.UsageRecorded) -> Usage:
    known = {name: getattr(part, name) for name in _COLUMNS if name not in _OF_PRICES}
    usage = Usage(**known, cost_nanos=part.cost_nanos)
    return usage if part.HasField("cost_nanos") else replace(usage, unpriced_tokens=usage.tokens)


def totals_from_proto(messages: Iterable[pb.UsageTotal]) -> Totals:
    return {(phase, model): usage for phase, model, usage in map(total_from_proto, messages)}


def currencies_to_proto(usage: Mapping[str, Totals]) -> list[pb.CurrencyUsage]:
    return [
        pb.CurrencyUsage(currency=currency, totals=[total_to_proto(*total) for total in in_order(totals)])
        for currency, totals in usage.items()
    ]


def currencies_from_proto(messages: Iterable[pb.CurrencyUsage]) -> dict[str, Totals]:
    return {message.currency: totals_from_proto(message.totals) for message in messages}
