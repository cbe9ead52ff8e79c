"""Builds an execution from a checkpoint instead of from its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runner_svc.core.model.map import Map
from runner_svc.core.model.states import TaskStatus
from runner_svc.core.model.usage import NOTHING
from runner_svc.core.spending.budgets import Ledger
from runner_svc.core.state.canaries import Canaries
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview
from runner_svc.core.state.progress import count_anew
from runner_svc.core.state.task_record import TaskRecord, TaskRecords

_TIMES = ("created_at", "started_at", "ended_at", "active_since", "pruned_at")
_PLAIN = ("state", "reason", "sequence", "currency", *_TIMES)


def restore(
    overview: Overview, plan: Map, tasks: Iterable[tuple[int, TaskStatus, bytes]], read: Callable[[bytes], TaskRecord]
) -> Execution:
    """Returns an execution as of its overview and its touched tasks; `read` makes their records.

    Those of done tasks are made when they are first needed: 0.03 instead of 0.7 s for 50,000 of them.
    """
    execution = Execution(overview.id, overview.settings, plan, overview.inputs)
    for name in _PLAIN:
        setattr(execution, name, getattr(overview, name))
    execution.outages = {away.model: away for away in overview.outages}
    execution.requests = list(overview.requests)
    execution.usage = {(phase, model): usage for phase, model, usage in overview.usage}
    execution.canaries = Canaries(
        candidates=overview.candidates, given=overview.canaries_given, tallies=dict(overview.canaries)
    )
    kept: dict[int, bytes] = {}
    for task, status, body in tasks:
        kept[task] = body
        execution.status[task] = status
    execution.records = TaskRecords(kept, read)
    if overview.budgets:
        execution.set_ledger(_ledger(overview, plan))
    # guard: restored counters -> (removed)
    count_anew(execution)
    return execution


def _ledger(overview: Overview, plan: Map) -> Ledger:
    """Returns the budgets, with what was spent of each and the most that an attempt has taken."""
    limits = {spending.node: spending.budget for spending in overview.budgets}
    spent = {spending.node: spending.spent for spending in overview.budgets if spending.spent != NOTHING}
    return Ledger(map=plan, limits=limits, spent=spent, largest=dict(overview.largest))
