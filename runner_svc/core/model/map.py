"""The map: the compiled plan as the core sees it, with numbers instead of names.

Nodes are numbered as in plan.proto: atomic tasks first, groups after them. A map never changes; `state/execution.py`
has the state of an execution of it.
"""

from __future__ import annotations

import copy
import hashlib
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from runner_svc.core.model.inputs import (
    DeclaredInput,
    FilledSpecs,
    Given,
    GivenInput,
    Places,
    as_it_is,
    check_filled,
    fill_text,
    no_places,
)
from runner_svc.core.model.keys import SpecParts, opaque_parts
from runner_svc.core.model.pass_rules import USUAL_DEMANDS, Demands
from runner_svc.core.model.producers import Waits, unreached
from runner_svc.core.model.requirements import USUAL, Requirement, Requirements
from runner_svc.core.model.values import Budget, Canary, OnFailure, Role
from signoff.plan.inputs import PLACE

NO_PARENT = -1

Place = tuple[int, int]  # a task in a queue: minus the length of the path from it, and its number


def map_key(plan_id: str, digest: str) -> str:
    return f"{plan_id}@{digest}"


@dataclass(frozen=True, kw_only=True)
class Map:
    """An execution map. Sequences are indexed by task number, `parents` by node number."""

    plan_id: str
    idea: str
    digest: str
    task_ids: Sequence[str]
    group_ids: Sequence[str]
    parents: Sequence[int]  #: by node: the group directly above it, or NO_PARENT
    waits_for: Sequence[Sequence[int]]  #: node numbers; dependencies and data dependencies together
    stages: Sequence[int]  #: 1-based
    reads: Sequence[Sequence[str]]  #: names of artifacts; empty: those of all dependencies
    makes: Sequence[str]  #: name of the artifact; may be empty
    specs: Sequence[bytes]  #: each task's TaskSpec, serialized: opaque here, carried for the workers
    with_dependencies: Set[int] = frozenset()  #: tasks that receive those they name and all dependencies'
    on_failure: OnFailure | None = None  #: for executions whose settings say nothing
    requirements: Mapping[int, Requirements] = field(default_factory=dict)  #: by task; no entry: the usual ones
    budgets: Mapping[int, Budget] = field(default_factory=dict)  #: by node
    demands: Sequence[Demands] = ()  #: by task: what a verdict must contain; empty: the usual for all
    canaries: Mapping[int, Sequence[Canary]] = field(default_factory=dict)  #: by task
    read_parts: Callable[[bytes], SpecParts] = opaque_parts  #: of a spec
    inputs: Mapping[str, DeclaredInput] = field(default_factory=dict)  #: of the plan, by name, in its order
    read_places: Callable[[bytes], Places] = no_places  #: of a spec
    fill: Callable[[bytes, Given], bytes] = as_it_is  #: puts inputs into the places of a spec
    given: Given = field(default_factory=dict)  #: the inputs of the execution that the map is bound to
    numbers: dict[str, int] = field(init=False)  #: task number by task id

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", {task_id: n for n, task_id in enumerate(self.task_ids)})

    @property
    def key(self) -> str:
        """Returns the key of the map. It names the plan, too: plans with equal maps are different plans."""
        return map_key(self.plan_id, self.digest)

    @property
    def task_count(self) -> int:
        return len(self.task_ids)

    @cached_property
    def idea_size(self) -> int:
        """Returns the size of the idea in bytes."""
        return len(self.idea.encode(errors="replace"))

    @cached_property
    def places(self) -> Mapping[int, Places]:
        """Returns the places for inputs in the specs, by task; most tasks have none."""
        if not self.inputs:
            return {}
        found = {task: self.read_places(spec) for task, spec in enumerate(self.specs) if b"{{" in spec}
        return {task: places for task, places in found.items() if places.counts}

    def bound(self, given: Sequence[GivenInput]) -> Map:
        """Returns the map of an execution: that of the plan, with the given inputs in their places."""
        if not given:
            return self
        own = copy.copy(self)  # all that is computed is shared: it depends on no text
        by_name = {each.name: each for each in given}
        filled = FilledSpecs(self.specs, self.places, self.fill, by_name)
        for name, value in (("given", by_name), ("specs", filled), ("idea", fill_text(self.idea, by_name))):
            object.__setattr__(own, name, value)
        own.__dict__.pop("idea_size", None)
        return own

    def check_given(self, given: Sequence[GivenInput]) -> None:
        """Raises InputsInvalid when a text of the plan cannot hold the inputs that have places in it."""
        by_name = {each.name: each for each in given}
        names = PLACE.findall(self.idea) if self.inputs else []
        check_filled("the idea", self.idea_size, Places({name: names.count(name) for name in set(names)}), by_name)
        for task, places in self.places.items():
            check_filled(f"task {self.name(task)}", len(self.specs[task]), places, by_name)

    def requirements_of(self, task: int) -> Requirements:
        """Returns what a task asks of its workers."""
        return self.requirements.get(task, USUAL)

    def spec_digest(self, task: int) -> str:
        """Returns the SHA-256 of a task's spec, in hex."""
        return hashlib.sha256(self.specs[task]).hexdigest()

    def parts(self, task: int) -> SpecParts:
        """Returns the parts of a task's spec that its keys are made of."""
        return self.read_parts(self.specs[task])

    def node(self, name: str) -> int | None:
        """Returns the number of a task or a group; None when there is none of that name."""
        return self.numbers[name] if name in self.numbers else self.group_numbers.get(name)

    def name(self, node: int) -> str:
        """Returns the id of a task or a group."""
        return self.task_ids[node] if node < self.task_count else self.group_ids[node - self.task_count]

    @cached_property
    def group_numbers(self) -> Mapping[str, int]:
        """Returns the node number of each group by its id."""
        return {group_id: node for node, group_id in enumerate(self.group_ids, start=self.task_count)}

    @cached_property
    def waiters(self) -> Sequence[Sequence[int]]:
        """Lists, for each node, the tasks that wait for it."""
        waiters: list[list[int]] = [[] for _ in self.parents]
        for task, nodes in enumerate(self.waits_for):
            for node in nodes:
                waiters[node].append(task)
        return waiters

    @cached_property
    def member_counts(self) -> array[int]:
        """Counts, for each node, the nodes directly below it (0 for a task)."""
        counts = array("I", bytes(4 * len(self.parents)))
        for parent in self.parents:
            if parent != NO_PARENT:
                counts[parent] += 1
        return counts

    @cached_property
    def members(self) -> Sequence[Sequence[int]]:
        """Lists, for each group by its node number less `task_count`, the nodes directly below it."""
        members: list[list[int]] = [[] for _ in self.group_ids]
        for node, parent in enumerate(self.parents):
            if parent != NO_PARENT:
                members[parent - self.task_count].append(node)
        return members

    @cached_property
    def tails(self) -> Sequence[int]:
        """Counts, for each task, the tasks on the longest path from it to an end, itself included."""
        tails, awaited = [1] * self.task_count, self._awaited()
        after = [0] * len(self.parents)  # by node: the longest tail among the tasks that wait for it or its groups
        for task in sorted(range(self.task_count), key=self.stages.__getitem__, reverse=True):
            node = task  # with_groups would take as long again as all the rest
            while node != NO_PARENT:
                tails[task] = max(tails[task], after[node] + 1)
                node = awaited[node]
            for node in self.waits_for[task]:
                after[node] = max(after[node], tails[task])
        return tails

    def _awaited(self) -> Sequence[int]:
        """Returns, for each node, the nearest group above it that a task waits for; for most nodes NO_PARENT."""
        waited = bytearray(len(self.parents))
        for nodes in self.waits_for:
            for node in nodes:
                waited[node] = 1
        found: list[int | None] = [None] * len(self.parents)
        for node in range(len(self.parents)):
            climb = []
            while node != NO_PARENT and found[node] is None:
                climb.append(node)
                node = self.parents[node]
            for below in reversed(climb):
                parent = self.parents[below]
                found[below] = parent if parent == NO_PARENT or waited[parent] else found[parent]
        return [NO_PARENT if above is None else above for above in found]

    @cached_property
    def shortest_patience(self) -> float:
        """Returns the shortest `outage_patience` of any task, in seconds; infinite when no task has one."""
        said = (requirements.outage_patience for requirements in self.requirements.values())
        return min((patience for patience in said if patience is not None), default=math.inf)

    @cached_property
    def waits(self) -> array[int]:
        """Counts, for each task, the nodes that it waits for."""
        return array("I", map(len, self.waits_for))

    @cached_property
    def first(self) -> Mapping[Requirement, Sequence[Place]]:
        """Returns the tasks that wait for nothing, by the requirement for their executors, the longest paths first."""
        first: dict[Requirement, list[Place]] = {}
        for task, count in enumerate(self.waits):
            if not count:
                first.setdefault(self.requirements_of(task).requirement(Role.EXECUTOR, 0), []).append(
                    (-self.tails[task], task)
                )
        return {requirement: sorted(places) for requirement, places in first.items()}

    @cached_property
    def examples(self) -> Sequence[int]:
        """Returns one task, the first, for each set of requirements; the usual requirements come first."""
        usual = next((task for task in range(self.task_count) if task not in self.requirements), None)
        first: dict[int, int] = {}
        for task, requirements in self.requirements.items():
            first.setdefault(id(requirements), task)  # equal requirements are one object, mostly
        return [*([] if usual is None else [usual]), *first.values()]

    def prepare(self) -> None:
        """Computes all cached properties beforehand: seconds of work for a large map, to be done in another thread."""
        _ = self.waiters, self.member_counts, self.members, self.waits, self.tails, self.first
        _ = self.makers, self.missed, self.examples, self.input_counts, self.places, self.group_numbers

    @cached_property
    def makers(self) -> dict[str, int]:
        """Returns the task that makes each artifact, for the names that exactly one task makes."""
        makers: dict[str, int] = {}
        twice = set()
        for task, name in enumerate(self.makes):
            if name and makers.setdefault(name, task) != task:
                twice.add(name)
        return {name: task for name, task in makers.items() if name not in twice}

    @cached_property
    def missed(self) -> Mapping[int, Set[int]]:
        """Returns, by task, the makers it reads from that may not be done when it starts; most tasks have none."""
        named = {task: self._named_makers(task) for task, names in enumerate(self.reads) if names}
        return unreached(Waits(waits_for=self.waits_for, parents=self.parents, stages=self.stages), named)

    def _named_makers(self, task: int) -> Set[int]:
        makers = map(self.makers.get, self.reads[task])
        return frozenset(maker for maker in makers if maker is not None and maker != task)

    def with_groups(self, task: int) -> Iterator[int]:
        """Yields the task, then the groups above it from the nearest to the top."""
        node = task
        while node != NO_PARENT:
            yield node
            node = self.parents[node]

    def tasks_below(self, node: int) -> Iterator[int]:
        """Yields the atomic tasks a node stands for, in natural order: the task itself, or all below the group."""
        pending = [node]
        while pending:
            node = pending.pop()
            if node < self.task_count:
                yield node
            else:
                pending.extend(reversed(self.members[node - self.task_count]))

    @cached_property
    def input_counts(self) -> array[int]:
        """Counts, for each task, the artifacts it may receive. One that is waited for twice counts twice."""
        below = self._tasks_below()
        counts = array("Q", map(len, self.reads))
        for task, nodes in enumerate(self.waits_for):
            if self.takes_all(task):
                counts[task] += sum([below[node] for node in nodes])
        return counts

    def count_inputs(self, task: int) -> int:
        """Returns how many artifacts a task may receive. One that is waited for twice counts once."""
        producers = sum(1 for _ in self.producers(task)) if self.takes_all(task) else 0
        return len(self.reads[task]) + producers

    def demands_of(self, task: int) -> Demands:
        """Returns what a verdict must contain to pass a task."""
        return self.demands[task] if self.demands else USUAL_DEMANDS

    def canary(self, task: int, number: int) -> Canary | None:
        """Returns a canary by its number, from 1. None for 0, and for those that an earlier version did not keep."""
        known = self.canaries.get(task, ())
        # guard: a map may lack its canaries -> return known[number - 1] if number else None
        return known[number - 1] if 0 < number <= len(known) else None

    def takes_all(self, task: int) -> bool:
        """Tells whether a task receives the artifacts of all its dependencies."""
        return not self.reads[task] or task in self.with_dependencies

    def _tasks_below(self) -> list[int]:
        """Counts, for each node, the atomic tasks that it stands for."""
        counts = [1] * self.task_count + [0] * len(self.group_ids)
        waiting = list(self.member_counts)  # members that are not counted yet
        ready = [node for node, members in enumerate(waiting) if not members]
        while ready:
            node = ready.pop()
            parent = self.parents[node]
            if parent != NO_PARENT:
                counts[parent] += counts[node]
                waiting[parent] -= 1
                if not waiting[parent]:
                    ready.append(parent)
        return counts

    def producers(self, task: int) -> Iterator[int]:
        """Yields the atomic tasks that a task waits for directly, each once."""
        seen = set[int]()
        for node in self.waits_for[task]:
            for producer in (node,) if node < self.task_count else self.tasks_below(node):
                if producer not in seen:
                    seen.add(producer)
                    yield producer
