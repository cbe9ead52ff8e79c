"""The arithmetic of failures: how long to wait for a retry, and how far back a rollback goes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from runner_svc.core.model.states import UNDONE
from runner_svc.core.model.values import LONGEST_RETRY, RollbackScope
from runner_svc.core.state.execution import Execution

LOOKED_AT_ONCE = 100  # tasks a step


def retry_time(execution: Execution, task: int, failures: int, retry_after: float | None, at: float) -> float:
    """Returns when to try again: exponential backoff with full jitter, never sooner than the provider asked for.

    It is within a day whatever the provider asked for, and to the microsecond, as the journal keeps it. "Full jitter":
    Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    settings = execution.settings
    ceiling = min(settings.retry_cap, settings.retry_base * 2.0 ** min(failures - 1, 63))
    delay = ceiling * jitter(execution, task)
    return round(at + min(max(delay, retry_after or 0.0), LONGEST_RETRY), 6)


def jitter(execution: Execution, task: int) -> float:
    """Returns a number from 0 to 1, drawn from the attempt's identity, so that a replay draws the same."""
    identity = f"{execution.id}/{task}/{execution.sequence}"
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") / 2**64


def roots_of(execution: Execution, task: int) -> frozenset[int]:
    """Returns the tasks at which a rollback of `task` begins: those that must make their artifacts anew."""
    producers = execution.settings.rollback_scope is RollbackScope.PRODUCERS
    return frozenset((task, *execution.map.producers(task))) if producers else frozenset((task,))


def in_order(execution: Execution, task: int, affected: set[int]) -> list[int]:
    """Returns a task first, then the others: upstream before downstream."""
    others = sorted(affected - {task})
    others.sort(key=execution.map.stages.__getitem__)
    return [task, *others]


def add_downstream(execution: Execution, found: set[int]) -> Iterator[None]:
    """Adds to `found` every task downstream of it that is not undone, some hundred tasks a step.

    A task leaves undone only when all that it waits for is done. So all tasks downstream of an undone task are
    undone, and the search stops there.
    """
    plan, status = execution.map, execution.status
    pending = list(found)
    looked = set[int]()  # groups: each of ten thousand tasks in a group would look at all that wait for it
    while pending:
        for node in plan.with_groups(pending.pop()):
            if node in looked:
                break  # and so were the groups around it
            if node >= plan.task_count:
                looked.add(node)
            new = {waiter for waiter in plan.waiters[node] if status[waiter] != UNDONE} - found
            found |= new
            pending += new
        if not len(pending) % LOOKED_AT_ONCE:
            yield
