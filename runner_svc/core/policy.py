"""The decisions about failure that are pure arithmetic: how long to wait, and how far back to go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from runner_svc.core.execution import Execution
from runner_svc.core.states import UNDONE
from runner_svc.core.values import LONGEST_RETRY, RollbackScope


def retry_time(execution: Execution, task: int, failures: int, retry_after: float | None, at: float) -> float:
    """Returns when to try again: exponential backoff with full jitter, never sooner than the provider asked for.

    It is within a day whatever the provider asked for, and to the microsecond, as the journal keeps it. The jitter is
    drawn from the attempt's identity, so that a replay draws the same. "Full jitter": Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015.
    """
    settings = execution.settings
    ceiling = min(settings.retry_cap, settings.retry_base * 2.0 ** min(failures - 1, 63))
    delay = ceiling * _fraction(f"{execution.id}/{task}/{execution.sequence}")
    return round(at + min(max(delay, retry_after or 0.0), LONGEST_RETRY), 6)


def _fraction(identity: str) -> float:
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") / 2**64


def rollback_set(execution: Execution, task: int) -> tuple[list[int], frozenset[int]]:
    """What a rollback of `task` takes back, itself first, upstream before downstream; and what must be made anew."""
    roots = [task]
    if execution.settings.rollback_scope is RollbackScope.PRODUCERS:
        roots += execution.map.producers(task)
    affected = downstream(execution, roots)
    affected.discard(task)
    return [task, *sorted(affected, key=lambda t: (execution.map.stages[t], t))], frozenset(roots)


def downstream(execution: Execution, roots: Iterable[int]) -> set[int]:
    """The roots and every task downstream of them that is not undone.

    A task leaves undone only when all it waits for is done. So nothing downstream of an undone task can be other than
    undone, and the search may stop there.
    """
    found = set(roots)
    pending = list(found)
    while pending:
        for node in execution.map.with_groups(pending.pop()):
            for waiter in execution.map.waiters[node]:
                if waiter not in found and execution.status[waiter] != UNDONE:
                    found.add(waiter)
                    pending.append(waiter)
    return found
