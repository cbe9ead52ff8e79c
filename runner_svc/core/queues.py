"""Who goes next: priority first, then round robin between executions, then the longest remaining path inside one."""

from __future__ import annotations

import heapq
from collections import OrderedDict

from runner_svc.core.execution import Execution
from runner_svc.core.states import ExecutionState
from runner_svc.core.values import ExecutionId, Role


class Queues:
    """The executions that may have work, by role and priority, each in its turn."""

    def __init__(self) -> None:
        self._turns: dict[Role, dict[int, OrderedDict[ExecutionId, Execution]]] = {role: {} for role in Role}
        self._running: dict[ExecutionId, Execution] = {}

    def running(self) -> list[Execution]:
        """The executions that are running."""
        ended = [execution for execution in self._running.values() if execution.state is not ExecutionState.RUNNING]
        for execution in ended:
            del self._running[execution.id]
        return list(self._running.values())

    def offer(self, execution: Execution) -> None:
        """Call whenever an execution may have work that it had not."""
        if execution.state is not ExecutionState.RUNNING:
            return
        self._running[execution.id] = execution
        for role, queue in ((Role.EXECUTOR, execution.ready), (Role.VALIDATOR, execution.unjudged)):
            if queue:
                turns = self._turns[role].setdefault(execution.settings.priority, OrderedDict())
                turns.setdefault(execution.id, execution)

    def next(self, role: Role, at: float) -> tuple[Execution, int] | None:
        """Takes out the next task for a role, or None; its execution goes to the end of its priority's turns."""
        for priority in sorted(self._turns[role], reverse=True):
            turns = self._turns[role][priority]
            while turns:
                execution_id, execution = turns.popitem(last=False)
                task = _pop(execution, role, at)
                if task is not None:
                    turns[execution_id] = execution
                    return execution, task
            del self._turns[role][priority]
        return None


def _pop(execution: Execution, role: Role, at: float) -> int | None:
    """The first task in an execution's queue that still counts."""
    if execution.state is not ExecutionState.RUNNING:
        return None
    queue, counts = (
        (execution.ready, execution.is_ready) if role is Role.EXECUTOR else (execution.unjudged, execution.is_unjudged)
    )
    while queue:
        _, task = heapq.heappop(queue)
        if counts(task, at):
            return task
    return None
