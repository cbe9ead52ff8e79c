"""Plans to compile: large generated trees, small random plans, and the obvious compiler to compare with."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from planner_svc.compiler import Compiled, compile_plan
from planner_svc.layout.layout import lay_out
from planner_svc.wire.maps import map_to_bytes
from signoff.v1 import plan_pb2

RawTask = dict[str, Any]


def plan_json(*tasks: Any, idea: str = "an idea") -> bytes:
    return json.dumps({"idea": idea, "tasks": list(tasks)}).encode()


def group(task_id: str, *dependencies: str, **fields: Any) -> RawTask:
    return {"task_id": task_id, "description": f"do {task_id}", "dependencies": list(dependencies), **fields}


def atomic(task_id: str, *dependencies: str, reads: tuple[str, ...] = (), makes: str = "", **fields: Any) -> RawTask:
    return group(
        task_id,
        *dependencies,
        **{"input": {"artifacts": list(reads)}, "output": {"artifact": makes, "format": "Markdown"}, **fields},
    )


def compiled(*tasks: Any, infer: bool = True) -> Compiled:
    return compile_plan(plan_json(*tasks), infer=infer)


def waits(result: Compiled) -> dict[str, list[str]]:
    """Returns the nodes that each atomic task waits for, by names."""
    assert result.map is not None, result.diagnostics
    return {
        task.task_id: [result.map.name(node) for node in result.map.waits_for[n]]
        for n, task in enumerate(result.map.tasks)
    }


def stages(result: Compiled) -> dict[str, int]:
    assert result.map is not None, result.diagnostics
    return {task.task_id: stage for task, stage in zip(result.map.tasks, result.map.stages, strict=True)}


def data_dependencies(result: Compiled) -> dict[str, list[str]]:
    """Returns the data dependencies, by names."""
    assert result.map is not None, result.diagnostics
    return {
        result.map.name(n): [result.map.name(producer) for producer in producers]
        for n, producers in enumerate(result.map.data_dependencies)
        if producers
    }


def codes(result: Compiled) -> set[str]:
    """Returns the codes of all diagnostics but the one that nearly every small plan gets."""
    return {diagnostic.code for diagnostic in result.diagnostics} - {"no-criteria"}


def generated_plan(depth: int, width: int = 6, probability: float = 0.5, seed: int = 7) -> bytes:
    """Returns a balanced tree. Each sibling waits for the previous one with `probability`; the leaves are atomic."""
    chance = random.Random(seed)
    tasks: list[RawTask] = [{"task_id": "0", "description": "the idea", "dependencies": []}]

    def level(parent: str, below: int) -> None:
        for i in range(1, width + 1):
            prefix = f"{parent}_" if parent else ""
            task_id = f"{prefix}{i}"
            follows = i > 1 and chance.random() < probability
            task: RawTask = {"task_id": task_id, "dependencies": [f"{prefix}{i - 1}"] if follows else []}
            if below == 1:
                task |= {"input": {"description": "reads"}, "output": {"artifact": f"a{task_id}", "format": "json"}}
            tasks.append(task)
            if below > 1:
                level(task_id, below - 1)

    level("", depth)
    return plan_json(*tasks)


# ---------------------------------------------------------------- random plans and the obvious compiler


@st.composite
def random_plans(draw: st.DrawFn, cyclic: bool = True) -> list[RawTask]:
    """Draws small trees with explicit parents, atomic tasks anywhere, and dependencies anywhere.

    Without `cyclic`, dependencies are only on earlier subtrees.
    """
    count = draw(st.integers(1, 12))
    tasks: list[RawTask] = []
    for n in range(count):
        parent = draw(st.integers(-1, n - 1))
        others = st.integers(0, count - 1 if cyclic else max(n - 1, 0))
        dependencies = draw(st.lists(others, max_size=3)) if cyclic or n else []
        names = [f"t{other}" for other in dependencies]
        make = atomic if draw(st.booleans()) else group
        tasks.append(make(f"t{n}", *names, parent_id=f"t{parent}" if parent >= 0 else ""))
    return draw(st.permutations(tasks))


@st.composite
def plans_with_artifacts(draw: st.DrawFn) -> list[RawTask]:
    """Draws plans without declared cycles whose tasks read each other's artifacts, in any direction."""
    tasks = draw(random_plans(cyclic=False))
    for task in tasks:
        if "input" in task:
            task["output"]["artifact"] = f"of {task['task_id']}"
            read = draw(st.lists(st.integers(0, len(tasks) - 1), max_size=3))
            task["input"]["artifacts"] = [f"of t{n}" for n in read]
    return tasks


@dataclass
class Oracle:
    """The obvious compiler: rules 1 to 3 of the dependencies, written out pair by pair."""

    tasks: dict[str, RawTask]

    @classmethod
    def of(cls, tasks: list[RawTask]) -> Oracle:
        return cls({task["task_id"]: task for task in tasks})

    def ancestors(self, name: str) -> list[str]:
        above = self.tasks[name]["parent_id"]
        return [above, *self.ancestors(above)] if above else []

    def sunk_target(self, name: str) -> set[str]:
        if "input" in self.tasks[name]:
            return {name}
        return {other for other in self.atomic() if name in self.ancestors(other)}

    def atomic(self) -> list[str]:
        return [name for name, task in self.tasks.items() if "input" in task]

    def own(self, name: str) -> set[str]:
        """Returns the nodes that a task itself waits for. An atomic task is no group; tasks below it wait for it."""
        above = {other for other in self.ancestors(name) if "input" not in self.tasks[other]}
        below = set() if "input" in self.tasks[name] else self.below(name)
        return {*self.tasks[name]["dependencies"]} - above - below

    def below(self, name: str) -> set[str]:
        return {other for other in self.tasks if name in self.ancestors(other)}

    def inherited(self, holder: str) -> set[str]:
        return self.own(holder) - self.below(holder)

    def sunk(self) -> dict[str, set[str]]:
        """Returns the atomic tasks that each atomic task waits for."""
        return {
            name: {
                target
                for waits in [self.own(name), *map(self.inherited, self.ancestors(name))]
                for dependency in waits
                for target in self.sunk_target(dependency)
            }
            for name in self.atomic()
        }


def parts(result: Compiled, *, layout: bool = True) -> list[plan_pb2.MapPart]:
    """Returns the messages that carry a compiled plan."""
    assert result.map is not None
    assert result.encoded is not None
    laid_out = lay_out(result.map, result.direct) if layout else None
    return [plan_pb2.MapPart.FromString(part) for part in map_to_bytes(result.map, result.encoded, laid_out)]
