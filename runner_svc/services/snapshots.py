"""Snapshots of executions: the state right after one event, written in slices while the execution goes on.

Slices keep each turn of the loop short. A task that is about to change is written before its slice, so the snapshot
shows one moment, however long it takes. There is one exception: the sentence about what a task waits for is of the
moment in which the task is written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence, Set

from runner_svc.codec.views import overview_to_proto, task_to_proto, tasks_for_one_turn, tasks_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.explain.why_waiting import Reasons
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from signoff.rpc.frames import runs
from signoff.v1 import execution_pb2, runner_pb2


class Snapshot:
    """A snapshot of an execution, as of `begin`. It listens to the execution until it is closed."""

    def __init__(self, task_ids: Iterable[str], at: float) -> None:
        """`task_ids`: the tasks to write; none: all."""
        self._task_ids = frozenset(task_ids)
        self._at = at
        self._tasks: Sequence[int] = ()
        self._place = 0  # in _tasks
        self._early: dict[int, execution_pb2.TaskState] = {}
        self._listens_to: Execution | None = None
        self._is_closed = False  # perhaps before it has begun, when the client has gone

    def begin(self, state: State, execution_id: ExecutionId) -> execution_pb2.Execution:
        """Returns the execution without its tasks, and listens to their changes from now on.

        A quarantined execution has no known tasks. Raises ExecutionNotFound, or ExecutionArchived.
        """
        self._state = state
        self._head = overview_to_proto(state.overview(execution_id))
        if execution_id in state.quarantined:
            return self._head
        execution = self._execution = state.execution(execution_id)
        self._tasks = _numbers(execution, self._task_ids)
        self._wanted: Container[int] = frozenset(self._tasks) if self._task_ids else self._tasks
        if not self._is_closed:
            execution.changes.onlookers.append(self._before)
            self._listens_to = execution
        return self._head

    def close(self) -> None:
        self._is_closed = True
        if self._listens_to is not None:
            self._listens_to.changes.onlookers.remove(self._before)
            self._listens_to = None

    @property
    def is_whole(self) -> bool:
        """Tells whether all of it is written."""
        return self._place >= len(self._tasks)

    def written(self) -> Iterator[runner_pb2.SnapshotPart]:
        """Yields the next slice, in parts that fit a frame each. The last part of all is marked."""
        parts = [*runs(self._slice())] or [[]]
        for number, part in enumerate(parts, start=1):
            last = self.is_whole and number == len(parts)
            yield runner_pb2.SnapshotPart(execution=self._head, tasks=part, last=last)

    def _slice(self) -> list[execution_pb2.TaskState]:
        if self.is_whole:
            return []
        rest = (self._tasks[place] for place in range(self._place, len(self._tasks)))
        tasks = list(tasks_for_one_turn(self._execution, rest))
        self._place += len(tasks)
        now = iter(self._now([task for task in tasks if task not in self._early]))
        return [self._early.pop(task) if task in self._early else next(now) for task in tasks]

    def _now(self, tasks: Sequence[int]) -> Iterator[execution_pb2.TaskState]:
        return tasks_to_proto(self._state, self._execution, tasks, self._at)

    def _before(self, task: int) -> None:
        """Writes a task that is about to change."""
        if not self.is_whole and task >= self._tasks[self._place] and task in self._wanted and task not in self._early:
            reasons = Reasons(self._state, self._execution, self._at)
            self._early[task] = task_to_proto(self._execution, task, reasons)


def _numbers(execution: Execution, names: Set[str]) -> Sequence[int]:
    """Returns the numbers of the named tasks, or of all, in natural order."""
    numbers = execution.map.numbers
    return sorted(numbers[name] for name in names if name in numbers) if names else range(execution.map.task_count)
