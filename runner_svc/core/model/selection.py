"""Tasks of a map that are selected by name: what is done anew, and what is asked for at all."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from runner_svc.core.model.map import Map
from runner_svc.core.model.values import Settings
from signoff.errors import TaskNotFound


def check_names(plan: Map, settings: Settings) -> None:
    """Raises TaskNotFound for a name in the settings that is no task and no group of the map."""
    for name in chain(settings.fresh_tasks, settings.from_tasks, settings.until_tasks):
        if plan.node(name) is None:
            raise TaskNotFound(f"expected a task or a group of plan {plan.plan_id}, but got {name!r}")


def fresh_tasks(plan: Map, settings: Settings) -> frozenset[int]:
    """Returns the tasks that are done anew in any case. Names that are not known are passed over."""
    fresh, first = _tasks(plan, settings.fresh_tasks), _tasks(plan, settings.from_tasks)
    return frozenset(fresh | _with_what_follows(plan, first))


def wanted_tasks(plan: Map, settings: Settings) -> frozenset[int] | None:
    """Returns the tasks that are asked for, with all that they need. None: all of the map."""
    if not settings.until_tasks:
        return None
    return frozenset(_tasks(plan, settings.until_tasks, with_needs=True))


def _tasks(plan: Map, names: Iterable[str], *, with_needs: bool = False) -> set[int]:
    """Returns the tasks that the names stand for. Each node is looked into once, however many names lead to it."""
    found = {node for node in map(plan.node, names) if node is not None}
    pending = [*found]
    while pending:
        node = pending.pop()
        if node < plan.task_count:
            below = plan.waits_for[node] if with_needs else ()
        else:
            below = plan.members[node - plan.task_count]
        # guard: a group is looked into once -> new = set(below)
        new = set(below) - found
        found |= new
        pending += new
    return {node for node in found if node < plan.task_count}


def _with_what_follows(plan: Map, tasks: set[int]) -> set[int]:
    found, pending, looked = set(tasks), list(tasks), set[int]()
    while pending:
        for node in plan.with_groups(pending.pop()):
            if node in looked:
                break  # and so were the groups around it
            looked.add(node)
            new = set(plan.waiters[node]) - found
            found |= new
            pending += new
    return found
