"""Makers, and the origins of results that are kept, as messages and back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from runner_svc.codec.times import seconds_of, timestamp
from runner_svc.core.model.makers import NamedMaker
from runner_svc.core.model.values import ExecutionId, KeptFrom, Maker, Makers
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import worker_pb2


def maker_to_proto(maker: Maker | None) -> pb.Maker | None:
    if maker is None:
        return None
    return pb.Maker(
        digest=maker.digest,
        handler=maker.handler,
        model=maker.model,
        settings=maker.settings,
        prompts=maker.prompts,
        code=maker.code,
    )


@lru_cache(maxsize=1000)  # a few makers stand in all events of an execution: one object each
def _maker(digest: str, handler: str, model: str, settings: str, prompts: str, code: str) -> Maker:
    return Maker(digest=digest, handler=handler, model=model, settings=settings, prompts=prompts, code=code)


def maker_from_proto(message: pb.Maker) -> Maker | None:
    """Returns None for a message that is unset."""
    if not message.digest:
        return None
    return _maker(message.digest, message.handler, message.model, message.settings, message.prompts, message.code)


def makers_to_proto(makers: Makers) -> list[pb.Maker]:
    if not makers:
        return []
    return [message for maker in makers if (message := maker_to_proto(maker)) is not None]


def makers_from_proto(messages: Iterable[pb.Maker]) -> Makers:
    return tuple(maker for message in messages if (maker := maker_from_proto(message)) is not None)


def named_from_proto(messages: Iterable[worker_pb2.NamedMaker]) -> tuple[NamedMaker, ...]:
    """Returns the makers of a Hello, without those that have no digest."""
    return tuple(
        NamedMaker(maker=maker, models=frozenset(message.models), is_default=message.is_default)
        for message in messages
        if (maker := maker_from_proto(message.maker)) is not None
    )


def kept_from_to_proto(origin: KeptFrom | None) -> pb.KeptFrom | None:
    if origin is None:
        return None
    at = timestamp(origin.signed_off_at) if origin.signed_off_at else None
    return pb.KeptFrom(execution_id=origin.execution, attempt=origin.attempt, signed_off_at=at)


def kept_from_from_proto(message: pb.KeptFrom) -> KeptFrom | None:
    """Returns None for a message that is unset."""
    if not message.execution_id:
        return None
    at = seconds_of(message.signed_off_at) if message.HasField("signed_off_at") else 0.0
    return KeptFrom(execution=ExecutionId(message.execution_id), attempt=message.attempt, signed_off_at=at)
