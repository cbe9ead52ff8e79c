"""What a task is given: the artifacts it names, or those of its dependencies, and a word about each left out.

While a lease is out, nothing upstream of its task changes. So what it is given is found once a lease, and kept with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from runner_svc.core.commands import Input
from runner_svc.core.execution import Execution
from runner_svc.core.leases import LiveLease

#: A task receives at most this many artifacts that it names: their descriptions travel in one message.
MAX_NAMED_INPUTS = 1000
#: A task that names no artifacts receives those of its dependencies up to these bounds.
MAX_UNNAMED_INPUTS = 64
MAX_UNNAMED_BYTES = 1024 * 1024

Omitted = tuple[tuple[str, str], ...]


def inputs_of(execution: Execution, task: int) -> tuple[tuple[Input, ...], Omitted]:
    """The artifacts a ready task starts with, and what it would have had, each with the reason."""
    if execution.map.reads[task]:
        return _named(execution, task)
    return _of_dependencies(execution, task)


def _named(execution: Execution, task: int) -> tuple[tuple[Input, ...], Omitted]:
    plan = execution.map
    missed = plan.missed.get(task, frozenset())
    given: list[Input] = []
    omitted: list[tuple[str, str]] = []
    for name in plan.reads[task]:
        maker = plan.makers.get(name)
        if maker is None or maker == task:
            omitted.append((name, "no other task of the plan makes it"))
        elif maker in missed:
            omitted.append((name, f"{plan.name(maker)} makes it, and this task does not wait for {plan.name(maker)}"))
        else:
            given.append(_input(execution, name, maker))
        if len(given) + len(omitted) == MAX_NAMED_INPUTS:
            omitted.append((f"whatever follows {name}", f"a task receives at most {MAX_NAMED_INPUTS} artifacts"))
            break
    return tuple(given), tuple(omitted)


def _of_dependencies(execution: Execution, task: int) -> tuple[tuple[Input, ...], Omitted]:
    given: list[Input] = []
    size = 0
    for producer in execution.map.producers(task):
        found = _input(execution, execution.map.makes[producer], producer)
        size += found.content.size
        if len(given) == MAX_UNNAMED_INPUTS or size > MAX_UNNAMED_BYTES:
            bound = f"{MAX_UNNAMED_INPUTS} artifacts and {MAX_UNNAMED_BYTES} bytes"
            rest = f"a task that names no artifacts receives at most {bound}: name what it needs in input.artifacts"
            return tuple(given), ((f"{execution.map.name(producer)} and what follows it", rest),)
        given.append(found)
    return tuple(given), ()


def _input(execution: Execution, name: str, producer: int) -> Input:
    artifact = execution.records[producer].artifact
    assert artifact is not None, f"{execution.map.name(producer)} is upstream of a ready task and has no artifact"
    return Input(name=name, task=producer, content=artifact)


def inputs_of_lease(lease: LiveLease) -> tuple[tuple[Input, ...], Omitted]:
    """Returns what the holder of a lease is given, and what was left out."""
    if lease.inputs is None:
        lease.inputs = inputs_of(lease.execution, lease.task)
    return lease.inputs


def input_digest_of_lease(lease: LiveLease) -> str:
    """Returns the digest of the task's spec and of what the holder of a lease is given."""
    if not lease.input_digest:
        inputs, _ = inputs_of_lease(lease)
        lease.input_digest = input_digest(lease.execution.map.spec_digest(lease.task), inputs)
    return lease.input_digest


def input_digest(spec_digest: str, inputs: Iterable[Input]) -> str:
    """SHA-256 over the task's spec and what it is given: equal digests mean equal work."""
    digest = hashlib.sha256(spec_digest.encode())
    for given in inputs:
        digest.update(f"\0{given.name}\0{given.content.digest}".encode())
    return digest.hexdigest()
