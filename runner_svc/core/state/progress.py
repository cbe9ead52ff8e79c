"""The counters and queues of an execution that follow from the statuses of its tasks."""

from __future__ import annotations

from runner_svc.core.model.states import DONE, UNDONE, VALIDATING, TaskStatus
from runner_svc.core.model.values import Role
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.task_record import TaskRecord


def move(execution: Execution, task: int, to: TaskStatus, record: TaskRecord, at: float) -> None:
    """Gives a task its next status, and queues all tasks that may be given out now."""
    was = execution.status[task]
    if was == to:
        if (to == VALIDATING and record.is_free) or (to == UNDONE and not execution.waiting[task]):
            execution.agenda.add(task)
    else:
        record.changed_at = at
        execution.status[task] = to
        execution.counts[was] -= 1
        execution.counts[to] += 1
        if was == UNDONE and not execution.waiting[task]:
            execution.ready_count -= 1
        if was == DONE:
            _reopen(execution, task)
        if to == DONE:
            _finish(execution, task)
        elif to == VALIDATING:
            execution.agenda.add(task)
        elif to == UNDONE and not execution.waiting[task]:
            _became_ready(execution, [task])
    _sort(execution, task, to, record, at)


def count_anew(execution: Execution) -> None:
    """Derives all counters and queues from the statuses and records that were read from a checkpoint."""
    for task, record in execution.unfinished_records():
        _sort(execution, task, execution.task_status(task), record, 0.0)
    for task, status in enumerate(execution.status):
        if status != UNDONE:
            execution.counts[UNDONE] -= 1
            execution.counts[status] += 1
        if status == DONE:
            _finish(execution, task)
    undone = (task for task, status in enumerate(execution.status) if status == UNDONE)
    ready = [task for task in undone if not execution.waiting[task] and execution.is_wanted(task)]
    execution.ready_count = len(ready)
    execution.agenda.queued[Role.EXECUTOR].clear()
    execution.agenda.add_all(ready)
    for task, record in execution.unfinished_records():
        if execution.status[task] == VALIDATING and record.is_free:
            execution.agenda.add(task)


def _sort(execution: Execution, task: int, status: TaskStatus, record: TaskRecord, at: float) -> None:
    """Adds a task to the sets of stuck, failed, awaiting and put-off tasks, or removes it from them."""
    if record.given_up:
        (execution.stuck if status == VALIDATING else execution.failed).add(task)
    else:
        execution.stuck.discard(task)
        execution.failed.discard(task)
    if record.awaits_person:
        execution.awaiting.add(task)
    else:
        execution.awaiting.discard(task)
    if status == VALIDATING and record.is_free and record.retry_at > at:
        execution.agenda.put_off.add(task)
    else:
        execution.agenda.put_off.discard(task)


def _became_ready(execution: Execution, tasks: list[int]) -> None:
    execution.ready_count += len(tasks)
    execution.agenda.add_all(tasks)


def _finish(execution: Execution, task: int) -> None:
    """Counts a done task: its waiters wait for one node less, and the groups above may be done too."""
    waiting = execution.waiting
    for node in execution.map.with_groups(task):
        if node != task:
            execution.unfinished[node] -= 1
            if execution.unfinished[node]:
                return
        free = []
        for waiter in execution.map.waiters[node]:
            waiting[waiter] = left = waiting[waiter] - 1
            if not left:
                free.append(waiter)
        if free:  # perhaps 100,000 of them: they are queued together
            wanted = execution.wanted
            undone = [task for task in free if execution.status[task] == UNDONE]
            _became_ready(execution, undone if wanted is None else [task for task in undone if task in wanted])


def _reopen(execution: Execution, task: int) -> None:
    """Undoes what _finish did."""
    for node in execution.map.with_groups(task):
        if node != task:
            execution.unfinished[node] += 1
            if execution.unfinished[node] != 1:
                return
        for waiter in execution.map.waiters[node]:
            is_ready = not execution.waiting[waiter] and execution.status[waiter] == UNDONE
            if is_ready and execution.is_wanted(waiter):
                execution.ready_count -= 1
            execution.waiting[waiter] += 1
