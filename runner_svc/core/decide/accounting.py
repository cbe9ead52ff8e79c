"""Records the costs of leases in the journal: each change once, the rest at the end, and an estimate for silence.

A worker reports the cost of an attempt when it sends a prompt. A worker that has died, was cut off, or never reports
may have sent its prompt all the same. Then the runner books an estimate, which the worker's own report replaces if it
comes after all.
"""

from __future__ import annotations

from dataclasses import replace

from runner_svc.core.decide.turn import Turn
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model import events, signals
from runner_svc.core.model.usage import MOST, NOTHING, Usage
from runner_svc.core.model.values import WorkerName
from runner_svc.core.spending.expectations import LEAST_AHEAD
from runner_svc.core.spending.reservations import keep_back, size_of_lease
from runner_svc.core.state.execution import Execution

MOST_MODELS = 16  # with recorded costs under one lease
MOST_REPORTS = 1_000  # of costs, recorded one by one under a lease; later ones only when they add a hundredth
MOST_LATE_REPORTS = 100  # likewise, after the lease has ended


def take_in(turn: Turn, lease: LiveLease, model: str, total: Usage, at: float) -> Usage:
    """Records the change since the last total that the holder of a lease has reported; returns the change.

    However many reports come, a lease writes a bounded number of rows: beyond MOST_REPORTS the last total of each model
    is recorded when the lease ends.
    """
    so_far = (lease.execution.record(lease.task).open_usage or {}).get(lease.id, {})
    if model not in so_far and len(so_far) >= MOST_MODELS:
        return NOTHING
    before = so_far.get(model, NOTHING)
    # guard: costs are totals -> changes = [total]
    changes = list(before.changes_to(total))
    lease.untold.pop(model, None)
    if not changes:
        return NOTHING
    lease.reports += 1
    # guard: bounded rows of costs -> if False and not _adds_a_hundredth(before, total):
    if lease.reports > MOST_REPORTS and not _adds_a_hundredth(before, total):
        # guard: the last correction is kept -> (removed)
        lease.untold[model] = total
        return NOTHING
    return _record(turn, lease, model, changes, at)


def take_in_late(
    turn: Turn, execution: Execution, task: int, worker: WorkerName, signal: signals.UsageReported
) -> None:
    """Records the change of a total under a lease that has ended without a result, if the worker held it."""
    record, model, total = execution.record(task), signal.model, signal.total
    ended = record.ended_lease(signal.lease, worker)
    so_far = (record.open_usage or {}).get(signal.lease, {})
    if ended is None or (model not in so_far and len(so_far) >= MOST_MODELS):
        return
    before = so_far.get(model, NOTHING)
    if ended.reports >= MOST_LATE_REPORTS and not _adds_a_hundredth(before, total):
        return
    changes = [(model, change) for change in before.changes_to(total)]
    changes += [(name, earlier.taken_back) for name, earlier in so_far.items() if name != model and _is_booked(earlier)]
    for name, change in changes:
        event = events.UsageRecorded(
            at=signal.at,
            task=task,
            lease=signal.lease,
            attempt=0,
            phase=ended.phase,
            worker=worker,
            model=name,
            usage=change,
        )
        turn.emit(execution, event)


def _adds_a_hundredth(before: Usage, total: Usage) -> bool:
    """Tells whether a total has grown by a hundredth. Only growth counts: it happens a bounded number of times."""
    # guard: bounded rows of corrections -> return True
    return (total.tokens - before.tokens) * 100 > before.tokens


def close(turn: Turn, lease: LiveLease, at: float) -> None:
    """Records the costs of a lease that were not recorded yet. Call it before the lease ends."""
    so_far = (lease.execution.record(lease.task).open_usage or {}).get(lease.id, {})
    for model, total in lease.untold.items():
        _record(turn, lease, model, list(so_far.get(model, NOTHING).changes_to(total)), at)
    lease.untold.clear()


def book(turn: Turn, lease: LiveLease, at: float) -> None:
    """Books the first report of a worker that may have begun. Call it before a lease ends without a report.

    The estimate is of the prompt that it may have sent, and of the first words that may have come back.
    """
    close(turn, lease, at)
    record = lease.execution.record(lease.task)
    size = size_of_lease(lease)
    if lease.accepted is False or not size.prompt or lease.id in (record.open_usage or {}):
        return
    held = record.lease
    model = held.model if held is not None else None
    asked = (size.kind.requirement.model or "") if model is None else model
    tokens = Usage(estimated_input_tokens=size.prompt, estimated_output_tokens=LEAST_AHEAD * size.kind.questions)
    priced = turn.state.roster.tables.prices.priced(asked, replace(tokens, requests=size.kind.questions))
    # Only estimates can be taken back later. So no requests are booked, and the cost is an estimate.
    booked = replace(
        tokens,
        estimated_cost_nanos=min(priced.cost, MOST),
        unpriced_tokens=priced.unpriced_tokens,
    )
    # guard: a lost lease is booked -> pass
    _record(turn, lease, asked, [booked], at)


def _is_booked(usage: Usage) -> bool:
    """Tells whether the runner has booked an amount. Reports of workers have requests."""
    return usage.estimated_input_tokens > 0 and not usage.requests


def _record(turn: Turn, lease: LiveLease, model: str, changes: list[Usage], at: float) -> Usage:
    execution, task = lease.execution, lease.task
    for change in changes:
        event = events.UsageRecorded(
            at=at,
            task=task,
            lease=lease.id,
            attempt=execution.record(task).attempt,
            phase=lease.phase,
            worker=lease.worker,
            model=model,
            usage=change,
        )
        turn.emit(execution, event)
        lease.tokens, lease.requests = lease.tokens + change.tokens, lease.requests + change.requests
    keep_back(lease)
    return sum(changes, start=NOTHING)
