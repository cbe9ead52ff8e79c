"""Tasks of a map that are selected by name: what is done anew, and what is asked for at all."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from runner_svc.core.model.map import Map
from runner_svc.core.model.values import Settings
from signoff.errors import InvalidField, TaskNotFound

MOST_NAMES_BYTES = 1024 * 1024  # of all tasks and groups that a request names: they are kept in one event


def check_names(plan: Map, settings: Settings) -> None:
    """Raises TaskNotFound for a name in the settings of a request that is no task and no group of the map.

    Raises InvalidField for more names than an event may hold.
    """
    lists = {"fresh_task_ids": settings.fresh_tasks, "from_task_ids": settings.from_tasks}
    lists["until_task_ids"] = settings.until_tasks
    sizes = {field: sum(map(len, names)) for field, names in lists.items()}  # they are ASCII
    size = sum(sizes.values())
    # guard: the names of a request are bounded -> if False:
    if size > MOST_NAMES_BYTES:
        expected = f"at most {MOST_NAMES_BYTES:,} bytes of names in {', '.join(lists)} together"
        raise InvalidField(f"settings.{max(lists, key=sizes.__getitem__)}", expected, f"{size:,}")
    for name in chain(*lists.values()):
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
