"""The inputs of a task: the artifacts it names, or those of its dependencies, and the reason for each that is missing.

While a lease is out, nothing upstream of its task changes. So the inputs are found once per lease, and kept with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Protocol

from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model.commands import Input
from runner_svc.core.model.keys import Parts, SpecParts
from runner_svc.core.model.map import Map
from runner_svc.core.state.task_record import TaskRecord
from signoff.plan.limits import MAX_INPUTS

Inputs = tuple[Input, ...]
Omitted = tuple[tuple[str, str], ...]
_Source = tuple[str, int]  # an artifact's name, and the task that makes it

#: Planners refuse a task with more inputs than are allowed; of an older map, one more shows that they are too many.
_MOST = MAX_INPUTS + 1


class HasArtifacts(Protocol):
    """The part of an execution that inputs are found in."""

    @property
    def map(self) -> Map: ...

    @property
    def records(self) -> Mapping[int, TaskRecord]:
        """Returns the records of tasks by number, at least of those that are done."""


def inputs_of(execution: HasArtifacts, task: int) -> tuple[Inputs, Omitted]:
    """Returns all artifacts that a ready task starts with, and those that are missing, each with the reason."""
    plan = execution.map
    sources, omitted = _named(plan, task)
    if plan.takes_all(task):
        named = {maker for _, maker in sources}
        # guard: named inputs come before those of dependencies ->
        #     others = (maker for maker in islice(plan.producers(task), _MOST) )
        others = (maker for maker in islice(plan.producers(task), _MOST) if maker not in named)
        sources += [(plan.makes[maker], maker) for maker in others]
    records = execution.records
    # guard: a task is given all of its inputs ->
    #     given = tuple([Input(name, maker, records[maker].artifact) for name, maker in sources[:64]])
    given = tuple([Input(name, maker, records[maker].artifact) for name, maker in sources])  # type: ignore[arg-type]
    for name, maker, content in given:
        assert content is not None, f"{plan.name(maker)} makes {name!r} upstream of a ready task, and has no artifact"
    return given, omitted


def _named(plan: Map, task: int) -> tuple[list[_Source], Omitted]:
    """Returns the artifacts that a task names, in its order, and those of them that are missing, with the reason."""
    missed = plan.missed.get(task, frozenset())
    sources: list[_Source] = []
    omitted: list[tuple[str, str]] = []
    for name in plan.reads[task]:
        maker = plan.makers.get(name)
        if maker is None or maker == task:
            omitted.append((name, "no other task of the plan makes it"))
        elif maker in missed:
            omitted.append((name, f"{plan.name(maker)} makes it, and this task does not wait for {plan.name(maker)}"))
        else:
            sources.append((name, maker))
    return sources, tuple(omitted)


def inputs_of_lease(lease: LiveLease) -> tuple[Inputs, Omitted]:
    """Returns the inputs of a lease's holder, and those that are missing."""
    # guard: inputs are found once a lease -> if True:
    if lease.inputs is None:
        lease.inputs = inputs_of(lease.execution, lease.task)
    return lease.inputs


def input_digest_of_lease(lease: LiveLease) -> str:
    """Returns the digest of the task's spec and of the inputs of a lease's holder."""
    if not lease.input_digest:
        inputs, _ = inputs_of_lease(lease)
        lease.input_digest = input_digest(lease.execution.map.spec_digest(lease.task), inputs)
    return lease.input_digest


def make_parts(plan: Map, spec: SpecParts, inputs: Inputs, omitted: Omitted) -> Parts:
    """Returns the parts of what a task is made from: those of its spec, the plan's idea, and the task's inputs.

    Of an input it matters by what name it is read, which task made it, and what it is.
    """
    given = [
        (f"input {name or plan.name(maker)}", f"{plan.name(maker)} {content.media_type} {content.digest}")
        for name, maker, content in inputs
    ]
    return (*spec.make, ("idea", plan.idea), *given, *((f"input {name}", why) for name, why in omitted))


def input_digest(spec_digest: str, inputs: Iterable[Input]) -> str:
    """Returns the SHA-256 over the task's spec and its inputs: equal digests mean equal work."""
    named = "".join([f"\0{name}\0{content.digest}" for name, _, content in inputs])
    return hashlib.sha256(f"{spec_digest}{named}".encode()).hexdigest()
