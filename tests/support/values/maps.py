"""Small execution maps from one line of text, for tests of the core.

    "a; b <- a; g/x; g/y <- g/x; z <- g, b"

Tasks are separated by ";", dependencies follow "<-", "g/x" is task x in group g, and a dependency may name a group.
`a[p]` makes artifact p, and `b(p, q)` reads artifacts p and q. Requirements of tasks for their workers come as `terms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from runner_svc.core.model.map import NO_PARENT, Map
from runner_svc.core.model.pass_rules import USUAL_DEMANDS, Demands
from runner_svc.core.model.requirements import Requirements
from runner_svc.core.model.values import Budget, Canary
from signoff.v1 import plan_pb2

_TASK = re.compile(r"^(?P<path>[\w/]+)(\[(?P<makes>\w+)])?(\((?P<reads>[^)]*)\))?$")


def map_of(
    text: str,
    plan_id: str = "plan",
    requirements: Mapping[str, Requirements] = MappingProxyType({}),
    budgets: Mapping[str, Budget] = MappingProxyType({}),
    canaries: Mapping[str, Sequence[Canary]] = MappingProxyType({}),
    demands: Mapping[str, Demands] = MappingProxyType({}),
) -> Map:
    """Returns the map of a line. Task ids are the last parts of the paths, group ids the whole paths of the groups."""
    lines = [part.strip() for part in text.split(";") if part.strip()]
    heads = [_split(line) for line in lines]
    tasks = [path.rpartition("/")[2] for path, _, _, _ in heads]
    groups = sorted({group for path, *_ in heads for group in _groups(path)})
    nodes = {name: number for number, name in enumerate([*tasks, *groups])}
    waits = [[nodes[dep.rpartition("/")[2] if dep not in nodes else dep] for dep in deps] for _, deps, _, _ in heads]
    parents = [*(_parent(path, nodes) for path, *_ in heads), *(_parent(group, nodes) for group in groups)]
    return Map(
        plan_id=plan_id,
        idea="",
        digest=f"digest of {text}",
        task_ids=tasks,
        group_ids=groups,
        parents=parents,
        waits_for=waits,
        stages=_stages(waits, parents, len(tasks)),
        reads=[reads for _, _, _, reads in heads],
        makes=[makes for _, _, makes, _ in heads],
        specs=[plan_pb2.TaskSpec(task_id=task).SerializeToString() for task in tasks],
        requirements={nodes[name]: own for name, own in requirements.items()},
        budgets={nodes[name]: own for name, own in budgets.items()},
        canaries={nodes[name]: own for name, own in canaries.items()},
        demands=[demands.get(task, USUAL_DEMANDS) for task in tasks],
    )


def _split(line: str) -> tuple[str, list[str], str, list[str]]:
    head, _, deps = line.partition("<-")
    match = _TASK.match(head.strip().replace(" ", ""))
    assert match, f"not a task: {line!r}"
    return match["path"], _names(deps), match["makes"] or "", _names(match["reads"] or "")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _groups(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _parent(path: str, nodes: dict[str, int]) -> int:
    above = path.rpartition("/")[0]
    return nodes[above] if above else NO_PARENT


def _stages(waits: Sequence[Sequence[int]], parents: Sequence[int], tasks: int) -> list[int]:
    def below(node: int) -> list[int]:
        return [task for task in range(tasks) if node in _above(task, parents)]

    def stage(task: int) -> int:
        return 1 + max((stage(before) for node in waits[task] for before in below(node)), default=0)

    return [stage(task) for task in range(tasks)]


def _above(task: int, parents: Sequence[int]) -> set[int]:
    """Returns the task and all groups around it."""
    found = set[int]()
    while task != NO_PARENT:
        found.add(task)
        task = parents[task]
    return found
