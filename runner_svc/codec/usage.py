"""Amounts of usage as messages, and what workers report of it as signals."""

from __future__ import annotations

from collections.abc import Iterable

from runner_svc.core import signals as s
from runner_svc.core.usage import Totals, Usage
from runner_svc.core.values import LeaseId, Phase, SessionId
from runner_svc.prices import Prices
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import worker_pb2

MAX_MODEL = 256  # characters of a model's name
MOST = 2**48  # tokens of an attempt: more is a mistake, and would break sums


def usage_from_proto(message: worker_pb2.Usage, prices: Prices, *, session: SessionId, at: float) -> s.UsageReported:
    """What a worker said, with what it costs."""
    tokens = min(message.input_tokens, MOST), min(message.output_tokens, MOST)
    model = message.model[:MAX_MODEL]
    cost = prices.cost_nanos(model, *tokens, message.requests)
    total = Usage(
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        requests=message.requests,
        cost_nanos=cost or 0,
        unpriced_tokens=sum(tokens) if cost is None else 0,
    )
    return s.UsageReported(at=at, session=session, lease=LeaseId(message.lease_id), model=model, total=total)


def total_to_proto(phase: Phase, model: str, usage: Usage) -> pb.UsageTotal:
    return pb.UsageTotal(
        phase=pb.Phase.ValueType(phase),
        model=model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        requests=usage.requests,
        cost_nanos=usage.cost_nanos,
        unpriced_tokens=usage.unpriced_tokens,
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
