"""PruneExecutions: the rule of a request, and the sums of an answer."""

from __future__ import annotations

from dataclasses import asdict

from runner_svc.core.decide.prune import PruneRule
from runner_svc.prune.pruner import Sums
from signoff.errors import InvalidField
from signoff.v1 import runner_pb2


def prune_rule(request: runner_pb2.PruneExecutionsRequest, now: float) -> PruneRule:
    """Raises InvalidField for a request without an age: that one must be meant."""
    if not request.HasField("older_than"):
        raise InvalidField("older_than", "a duration", "nothing")
    age = request.older_than.seconds + request.older_than.nanos / 1e9
    return PruneRule(before=now - age, keep_last=request.keep_last, keeps_artifacts=request.keep_artifacts)


def sums_to_proto(sums: Sums) -> runner_pb2.PruneExecutionsResponse:
    return runner_pb2.PruneExecutionsResponse(**asdict(sums))
