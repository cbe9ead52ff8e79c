"""What the holder of a lease may read: the inputs, the candidate and the rejected candidate of its assignment."""

from __future__ import annotations

from collections.abc import Iterator

from runner_svc.core.execution import Execution
from runner_svc.core.inputs import inputs_of
from runner_svc.core.measuring import canary_of
from runner_svc.core.turn import State
from runner_svc.core.values import Content, LeaseId
from signoff.errors import ArtifactNotFound, StaleLease
from signoff.v1 import runner_pb2


def content_of_lease(state: State, execution: Execution, task: int, request: runner_pb2.GetArtifactRequest) -> Content:
    """The content with the digest asked for that `task` made. Raises StaleLease or ArtifactNotFound."""
    lease = state.roster.leases.get(LeaseId(request.lease_id))
    if lease is None or lease.execution is not execution:
        raise StaleLease(f"expected a lease that is held, but {request.lease_id[:200]!r} has ended")
    for maker, content in _readable(execution, lease.task):
        if maker == task and content.digest == request.digest:
            return content
    name = execution.map.name(task)
    raise ArtifactNotFound(f"expected a digest that the assignment names, but {request.digest[:64]!r} of {name} is not")


def _readable(execution: Execution, task: int) -> Iterator[tuple[int, Content]]:
    inputs, _ = inputs_of(execution, task)
    for given in inputs:
        yield given.task, given.content
    record = execution.record(task)
    canary = record.lease.canary if record.lease is not None else 0
    if canary:
        yield task, canary_of(execution, task, canary).content
    for content in (record.candidate, record.rejected):
        if content is not None:
            yield task, content
