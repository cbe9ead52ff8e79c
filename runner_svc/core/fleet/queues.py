"""The queues: which task goes next, by priority, then round robin between executions, then the longest path in one."""

from __future__ import annotations

import heapq
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import NamedTuple

from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import ExecutionId, Role
from runner_svc.core.state.execution import Execution

HasRoom = Callable[[Requirement, float], bool]


class Choice(NamedTuple):
    """The task that goes next, and its requirement."""

    execution: Execution
    task: int
    requirement: Requirement
    looked: int  #: queues that were looked at to find it


class Queues:
    """The executions that may have work, by role and priority. They take turns."""

    def __init__(self) -> None:
        self._turns: dict[Role, defaultdict[int, OrderedDict[ExecutionId, Execution]]] = {
            role: defaultdict(OrderedDict) for role in Role
        }
        self._running: dict[ExecutionId, Execution] = {}

    def running(self) -> list[Execution]:
        """Returns the executions that are running."""
        ended = [execution for execution in self._running.values() if execution.state is not ExecutionState.RUNNING]
        for execution in ended:
            del self._running[execution.id]
        return list(self._running.values())

    def offer(self, execution: Execution) -> None:
        """Queues an execution that may have new work. Call it whenever that may be."""
        if execution.state is not ExecutionState.RUNNING:
            return
        self._running[execution.id] = execution
        for role in Role:
            if execution.agenda.queued[role]:
                self._turns[role][execution.settings.priority][execution.id] = execution

    def next(self, role: Role, has_room: HasRoom, at: float) -> Choice | None:
        """Takes out the next task that a worker has room for, or None. Its execution goes to the end of the turns."""
        for priority in sorted(self._turns[role], reverse=True):
            choice = self._next_of(self._turns[role][priority], role, has_room, at)
            if not self._turns[role][priority]:
                del self._turns[role][priority]
            if choice is not None:
                return choice
        return None

    @staticmethod
    def _next_of(turns: OrderedDict[ExecutionId, Execution], role: Role, has_room: HasRoom, at: float) -> Choice | None:
        """Does so for one priority. Executions whose tasks find no room keep their place; those without tasks leave."""
        choice, done, looked = None, [], 0
        for execution in turns.values():
            looked += len(execution.agenda.queued[role])
            choice = _pop(execution, role, has_room, at, looked)
            if choice is not None:
                break
            if execution.state is not ExecutionState.RUNNING or not execution.agenda.queued[role]:
                done.append(execution.id)
        for execution_id in done:
            del turns[execution_id]
        if choice is not None:
            turns.move_to_end(choice.execution.id)
        return choice


def _pop(execution: Execution, role: Role, has_room: HasRoom, at: float, looked: int) -> Choice | None:
    """Takes out of an execution's queues the task of the longest path that a worker has room for."""
    if execution.state is not ExecutionState.RUNNING:
        return None
    queues = execution.agenda.queued[role]
    best: tuple[list[tuple[int, int]], Requirement] | None = None
    for requirement in list(queues):
        if not has_room(requirement, at):
            continue
        queue = queues[requirement]
        _drop_moot(execution, role, requirement, queue, at)
        if not queue:
            del queues[requirement]
        elif best is None or queue[0] < best[0][0]:
            best = queue, requirement
    if best is None:
        return None
    queue, requirement = best
    return Choice(execution, heapq.heappop(queue)[1], requirement, looked)


def _drop_moot(
    execution: Execution, role: Role, requirement: Requirement, queue: list[tuple[int, int]], at: float
) -> None:
    """Drops entries at the head of a queue that no longer count."""
    while queue:
        task = queue[0][1]
        wanted = execution.requirement(task, role)
        if (wanted is requirement or wanted == requirement) and execution.may_have(task, role, at):
            return
        heapq.heappop(queue)
