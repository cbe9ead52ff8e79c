"""Outages of models as messages and back."""

from __future__ import annotations

from runner_svc.codec.times import seconds_of, timestamp
from runner_svc.core.model.values import Away, ModelAt
from signoff.v1 import execution_pb2 as pb


def outage_to_proto(away: Away) -> pb.Outage:
    return pb.Outage(
        model=away.model.model,
        endpoint=away.model.endpoint,
        since=timestamp(away.since),
        tries=away.tries,
        next_try=timestamp(away.next_try),
        message=away.message,
    )


def outage_from_proto(message: pb.Outage) -> Away:
    return Away(
        model=ModelAt(message.model, message.endpoint),
        since=seconds_of(message.since),
        tries=message.tries,
        next_try=seconds_of(message.next_try),
        message=message.message,
    )
