"""Canaries of a map, and the tallies of validators' verdicts on them, to and from their messages."""

from __future__ import annotations

from collections.abc import Iterable

from runner_svc.codec.contents import content_of
from runner_svc.core.model.tallies import Pool, Tallies, Tally, sum_tallies
from runner_svc.core.model.values import Canary
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2


def take_canaries(spec: plan_pb2.TaskSpec) -> tuple[Canary, ...]:
    """Takes a task's canaries out of its spec: workers receive the spec, and must not see them.

    A task that makes files has none: a canary is one text, and takes the place of a candidate of files.
    """
    if not (spec.HasField("validation") and spec.validation.canaries):
        return ()
    canaries = tuple(map(_canary_from_proto, spec.validation.canaries))
    # guard: workers are not told of canaries -> (removed)
    spec.validation.ClearField("canaries")
    return () if spec.output.files else canaries


def _canary_from_proto(message: plan_pb2.Canary) -> Canary:
    body = message.candidate.encode()
    return Canary(content=content_of(body), body=body, good=message.good)


def tallies_to_proto(tallies: Tallies) -> list[pb.CanaryTally]:
    return [
        pb.CanaryTally(
            model=pool.model,
            labels=dict(pool.labels),
            good=tally.good,
            false_rejects=tally.false_rejects,
            bad=tally.bad,
            false_accepts=tally.false_accepts,
            undecided=tally.undecided,
        )
        for pool, tally in tallies
    ]


def tallies_from_proto(messages: Iterable[pb.CanaryTally]) -> Tallies:
    """Returns the tallies, bounded: those that an earlier version kept may be too many for a message."""
    return sum_tallies(
        (
            Pool(model=message.model, labels=frozenset(message.labels.items())),
            Tally(
                good=message.good,
                false_rejects=message.false_rejects,
                bad=message.bad,
                false_accepts=message.false_accepts,
                undecided=message.undecided,
            ),
        )
        for message in messages
    )
