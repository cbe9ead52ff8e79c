"""Givers of verdicts, persons and validators, as messages and back."""

from __future__ import annotations

from runner_svc.core.model.values import VerdictBy
from signoff.v1 import execution_pb2 as pb


def by_to_proto(by: VerdictBy | None) -> pb.VerdictBy | None:
    if by is None:
        return None
    return pb.VerdictBy(person=by.name) if by.is_person else pb.VerdictBy(validator=by.name)


def by_from_proto(message: pb.VerdictBy) -> VerdictBy | None:
    """Returns None for a message that is unset or names a kind this version does not know."""
    kind = message.WhichOneof("who")
    return VerdictBy(getattr(message, kind), is_person=kind == "person") if kind is not None else None


def by_of_verdict(verdict: pb.VerdictPassed | pb.VerdictFailed) -> VerdictBy | None:
    """Returns who gave a verdict. An earlier version kept no name: a verdict under no lease was a person's."""
    by = by_from_proto(verdict.by)
    return VerdictBy("", is_person=True) if by is None and not verdict.lease_id else by
