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
    return frozenset(_named(plan, settings.fresh_tasks) | _with_what_follows(plan, _named(plan, settings.from_tasks)))


def wanted_tasks(plan: Map, settings: Settings) -> frozenset[int] | None:
    """Returns the tasks that are asked for, with all that they need. None: all of the map."""
    if not settings.until_tasks:
        return None
    wanted = _named(plan, settings.until_tasks)
    pending = list(wanted)
    while pending:
        new = set(plan.producers(pending.pop())) - wanted
        wanted |= new
        pending += new
    return frozenset(wanted)


def _named(plan: Map, names: Iterable[str]) -> set[int]:
    nodes = (plan.node(name) for name in names)
    return {task for node in nodes if node is not None for task in plan.tasks_below(node)}


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
