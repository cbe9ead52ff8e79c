"""Contents that the holder of a lease may read: inputs, candidate and rejected candidate of its assignment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner_svc.core.decide.inputs import inputs_of_lease
from runner_svc.core.decide.turn import State
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model.values import NO_TASK, Content, LeaseId
from runner_svc.core.state.execution import Execution
from signoff.errors import ArtifactNotFound, StaleLease
from signoff.v1 import runner_pb2


def content_of_lease(state: State, execution: Execution, task: int, request: runner_pb2.GetArtifactRequest) -> Content:
    """Returns the content of `task` with the requested digest. Raises StaleLease or ArtifactNotFound."""
    lease = state.roster.leases.get(LeaseId(request.lease_id))
    if lease is None or lease.execution is not execution:
        raise StaleLease(f"expected a lease that is held, but {request.lease_id[:200]!r} has ended")
    content = _readable(lease).get((task, request.digest))
    if content is not None:
        return content
    name = execution.map.name(task) if task != NO_TASK else "an input of the plan"
    raise ArtifactNotFound(f"expected a digest that the assignment names, but {request.digest[:64]!r} of {name} is not")


def _readable(lease: LiveLease) -> Mapping[tuple[int, str], Content]:
    """Returns the contents by maker and digest. They are collected once a lease, since its holder asks for each."""
    if lease.readable is None:
        lease.readable = {(maker, content.digest): content for maker, content in _contents(lease)}
    return lease.readable


def _contents(lease: LiveLease) -> Iterator[tuple[int, Content]]:
    execution, task = lease.execution, lease.task
    inputs, _ = inputs_of_lease(lease)
    for given in inputs:
        yield given.task, given.content
    record = execution.record(task)
    if (canary := execution.map.canary(task, lease.canary)) is not None:
        yield task, canary.content
    for content in (record.candidate, record.rejected):
        if content is not None:
            yield task, content
