"""Amounts of usage as messages, and what workers report of it as signals."""

from __future__ import annotations

from collections.abc import Iterable

from runner_svc.core import signals as s
from runner_svc.core.usage import Totals, Usage
from runner_svc.core.values import LeaseId, Phase, SessionId
from runner_svc.prices import Prices
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import worker_pb2

_MOST = 2**64 - 1  # of a number in a message


def usage_from_proto(message: worker_pb2.Usage, prices: Prices, *, session: SessionId, at: float) -> s.UsageReported:
    """What a worker said, with what it costs."""
    tokens = message.input_tokens, message.output_tokens
    cost = prices.cost_nanos(message.model, *tokens, message.requests)
    total = Usage(
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        requests=message.requests,
        cost_nanos=min(cost or 0, _MOST),
        unpriced_tokens=sum(tokens) if cost is None else 0,
    )
    return s.UsageReported(at=at, session=session, lease=LeaseId(message.lease_id), model=message.model, total=total)


def total_to_proto(phase: Phase, model: str, usage: Usage) -> pb.UsageTotal:
    """A sum that no number of a message holds is told as the largest one."""
    return pb.UsageTotal(
        phase=pb.Phase.ValueType(phase),
        model=model,
        input_tokens=min(usage.input_tokens, _MOST),
        output_tokens=min(usage.output_tokens, _MOST),
        requests=min(usage.requests, _MOST),
        cost_nanos=min(usage.cost_nanos, _MOST),
        unpriced_tokens=min(usage.unpriced_tokens, _MOST),
    )


def total_from_proto(message: pb.UsageTotal) -> tuple[Phase, str, Usage]:
    usage = Usage(
        input_tokens=message.input_tokens,
        output_tokens=message.output_tokens,
        requests=message.requests,
        cost_nanos=message.cost_nanos,
        unpriced_tokens=message.unpriced_tokens,
    )
    return Phase(message.phase), message.model, usage


def totals_from_proto(messages: Iterable[pb.UsageTotal]) -> Totals:
    return {(phase, model): usage for phase, model, usage in map(total_from_proto, messages)}
