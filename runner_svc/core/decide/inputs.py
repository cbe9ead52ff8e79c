"""The inputs of a task: what it names, or the artifacts of its dependencies, and the reason for each that is missing.

It names artifacts of other tasks and inputs of the plan, which are given when an execution starts.

While a lease is out, nothing upstream of its task changes. So the inputs are found once per lease, and kept with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model.commands import Input
from runner_svc.core.model.inputs import GivenInput, InputKind, files_named, resolve
from runner_svc.core.model.keys import Part, Parts, SpecParts
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import NO_TASK, Content
from runner_svc.core.state.task_record import TaskRecord
from signoff.plan.inputs import JSON_TYPE, TEXT_TYPE
from signoff.plan.limits import MAX_INPUTS

Inputs = tuple[Input, ...]
Omitted = tuple[tuple[str, str], ...]

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
    plan, records = execution.map, execution.records
    if not plan.input_counts[task]:
        return (), ()
    named, omitted = _named(plan, records, task)
    if plan.takes_all(task):
        makers = {given.task for given in named}
        # guard: named inputs come before those of dependencies ->
        #     others = (maker for maker in islice(plan.producers(task), _MOST) )
        others = (maker for maker in islice(plan.producers(task), _MOST) if maker not in makers)
        named += [Input(plan.makes[maker], maker, records[maker].artifact) for maker in others]  # type: ignore[arg-type]
    # guard: a task is given all of its inputs -> given = tuple(named[:64])
    given = tuple(named)
    for name, maker, content in given:
        assert content is not None, f"{plan.name(maker)} makes {name!r} upstream of a ready task, and has no artifact"
    return given, omitted


def _named(plan: Map, records: Mapping[int, TaskRecord], task: int) -> tuple[list[Input], Omitted]:
    """Returns the inputs that a task names, in its order, and those of them that are missing, with the reason."""
    missed = plan.missed.get(task, frozenset())
    found: list[Input] = []
    omitted: list[tuple[str, str]] = []
    for name in plan.reads[task]:
        maker = plan.makers.get(name)
        if name in plan.given:
            files = files_named(plan.inputs[name], plan.given[name])
            found += [Input(file, NO_TASK, content) for file, content in files]
        elif maker is None or maker == task:
            omitted.append((name, "no other task of the plan makes it"))
        elif maker in missed:
            omitted.append((name, f"{plan.name(maker)} makes it, and this task does not wait for {plan.name(maker)}"))
        else:
            found.append(Input(name, maker, records[maker].artifact))  # type: ignore[arg-type]
    return found, tuple(omitted)


def given_inputs(
    plan: Map, given: Iterable[GivenInput]
) -> tuple[tuple[GivenInput, ...], Sequence[tuple[Content, bytes]]]:
    """Returns all inputs of an execution of a plan, and the contents of texts and JSON among them.

    Raises InputsInvalid when one is missing, is of another kind, is none of the plan, or does not fit.
    """

    texts: list[tuple[Content, bytes]] = []

    def content_of(value: str, kind: InputKind) -> Content:
        body, media_type = value.encode(), JSON_TYPE if kind is InputKind.JSON else TEXT_TYPE
        content = Content(digest=hashlib.sha256(body).hexdigest(), size=len(body), media_type=media_type)
        texts.append((content, body))
        return content

    found = resolve(plan.inputs, given, content_of)
    plan.check_given(found)
    return found, texts


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
    # guard: a changed input is noticed ->
    #     given = [_part(plan, *each) for each in inputs if each.task != NO_TASK]
    given = [_part(plan, *each) for each in inputs]
    return (*spec.make, ("idea", plan.idea), *given, *((f"input {name}", why) for name, why in omitted))


def _part(plan: Map, name: str, maker: int, content: Content) -> Part:
    made_by = plan.name(maker) if maker != NO_TASK else ""
    return f"input {name or made_by}", f"{made_by} {content.media_type} {content.digest}"


def input_digest(spec_digest: str, inputs: Iterable[Input]) -> str:
    """Returns the SHA-256 over the task's spec and its inputs: equal digests mean equal work."""
    named = "".join([f"\0{name}\0{content.digest}" for name, _, content in inputs])
    return hashlib.sha256(f"{spec_digest}{named}".encode()).hexdigest()
