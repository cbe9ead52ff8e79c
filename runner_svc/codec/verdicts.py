"""Converts the giver of a verdict to a message and back."""

from __future__ import annotations

from runner_svc.core.model.values import VerdictBy
from signoff.v1 import execution_pb2 as pb


def by_to_proto(by: VerdictBy | None) -> pb.VerdictBy | None:
    if by is None:
        return None
    return pb.VerdictBy(person=by.name) if by.is_person else pb.VerdictBy(validator=by.name)


def by_from_proto(message: pb.VerdictBy) -> VerdictBy | None:
    """None for a message that is unset, or that names nothing this version knows."""
    kind = message.WhichOneof("who")
    return VerdictBy(getattr(message, kind), is_person=kind == "person") if kind is not None else None


def by_of_verdict(verdict: pb.VerdictPassed | pb.VerdictFailed) -> VerdictBy | None:
    """Returns who gave a verdict; of one that an earlier version has kept, whether it was a person: under no lease."""
    by = by_from_proto(verdict.by)
    return VerdictBy("", is_person=True) if by is None and not verdict.lease_id else by
