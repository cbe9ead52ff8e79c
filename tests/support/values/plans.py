"""Plans for real services, each with the tasks that must be done before each task: the truth to check a journal by.

plan = random_plan(random.Random(7), "p7")
... plan.body           # plan.json
... plan.before["t3"]   # the atomic tasks that must be signed off before t3 may start
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    plan_id: str
    body: bytes
    before: Mapping[str, frozenset[str]]


def plan_of(plan_id: str, tasks: Mapping[str, Sequence[str]]) -> Plan:
    """Returns a plan of single tasks, each with the tasks it depends on."""
    return _plan(plan_id, [_task(name, waits) for name, waits in tasks.items()], tasks, {})


def side_by_side(plan_id: str, count: int) -> Plan:
    """Returns a plan of `count` tasks that wait for nothing."""
    return plan_of(plan_id, {f"t{number}": () for number in range(count)})


def random_plan(chance: random.Random, plan_id: str, groups: int = 2, size: int = 4) -> Plan:
    """Returns a plan of groups. A task may wait for earlier ones of its group, for earlier groups and for their tasks.

    A dependency of a group holds for all tasks below it.
    """
    members: dict[str, list[str]] = {}
    raw: list[dict[str, Any]] = []
    waits: dict[str, Sequence[str]] = {}
    for number in range(groups):
        group = f"g{number}"
        inherited = chance.sample(sorted(members), chance.randint(0, min(1, number)))
        raw.append({"task_id": group, "parent_id": "0", "description": group, "dependencies": inherited})
        names = [f"{group}_{place}" for place in range(size)]
        for place, name in enumerate(names):
            near = chance.sample(names[:place], min(place, chance.randint(0, 2)))
            far = chance.sample(sorted(waits), min(len(waits), chance.randint(0, 1)))
            own = list(dict.fromkeys([*near, *far]))
            raw.append(_task(name, own, parent=group))
            waits[name] = [*own, *inherited]
        members[group] = names
    return _plan(plan_id, raw, waits, members)


def _task(name: str, waits: Sequence[str], parent: str = "0") -> dict[str, Any]:
    return {
        "task_id": name,
        "parent_id": parent,
        "description": f"Do {name}",
        "dependencies": list(waits),
        "input": {"artifacts": []},
        "output": {"artifact": f"from_{name}", "format": "Markdown"},
        "validation": {"criteria": ["It is there"]},
    }


def _plan(
    plan_id: str, raw: list[dict[str, Any]], waits: Mapping[str, Sequence[str]], members: Mapping[str, Sequence[str]]
) -> Plan:
    before = {
        name: frozenset(task for waited in on for task in members.get(waited, (waited,))) for name, on in waits.items()
    }
    return Plan(plan_id=plan_id, body=json.dumps({"idea": plan_id, "tasks": raw}).encode(), before=before)
