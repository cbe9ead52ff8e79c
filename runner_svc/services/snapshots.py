"""Snapshots of executions: as right after one event, and written down in slices while the execution goes on.

A task that changes before its turn has come is written down first. So a snapshot is whole, however long the loop takes
to write it, and no turn of the loop is long. Only the sentence about what a task waits for is of the moment in which it
is written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence, Set

from runner_svc.codec.views import overview_to_proto, shown, task_to_proto, tasks_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.explain.why_waiting import Reasons
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from signoff.rpc.frames import runs
from signoff.v1 import execution_pb2, runner_pb2


class Snapshot:
    """The state of an execution as of the moment in which it begins. Close it, or it goes on to listen."""

    def __init__(self, task_ids: Iterable[str], at: float) -> None:
        """`task_ids`: those to show; none: all."""
        self._task_ids = frozenset(task_ids)
        self._at = at
        self._tasks: Sequence[int] = ()
        self._place = 0  # in _tasks
        self._early: dict[int, execution_pb2.TaskState] = {}
        self._listens_to: Execution | None = None
        self._is_closed = False  # perhaps before it has begun: who wanted it has gone

    def begin(self, state: State, execution_id: ExecutionId) -> execution_pb2.Execution:
        """Returns the execution without its tasks; from now on, none of them changes unseen.

        Of a quarantined one nothing is known but that. Raises ExecutionNotFound, or ExecutionArchived.
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
        """Whether all of it is written."""
        return self._place >= len(self._tasks)

    def written(self) -> Iterator[runner_pb2.SnapshotPart]:
        """Writes the next slice: parts that fit a frame each. The last part of all is marked."""
        parts = [*runs(self._slice())] or [[]]
        for number, part in enumerate(parts, start=1):
            last = self.is_whole and number == len(parts)
            yield runner_pb2.SnapshotPart(execution=self._head, tasks=part, last=last)

    def _slice(self) -> list[execution_pb2.TaskState]:
        if self.is_whole:
            return []
        rest = (self._tasks[place] for place in range(self._place, len(self._tasks)))
        tasks = list(shown(self._execution, rest))
        self._place += len(tasks)
        now = iter(self._now([task for task in tasks if task not in self._early]))
        return [self._early.pop(task) if task in self._early else next(now) for task in tasks]

    def _now(self, tasks: Sequence[int]) -> Iterator[execution_pb2.TaskState]:
        return tasks_to_proto(self._state, self._execution, tasks, self._at)

    def _before(self, task: int) -> None:
        """Writes a task down that is about to change."""
        if not self.is_whole and task >= self._tasks[self._place] and task in self._wanted and task not in self._early:
            reasons = Reasons(self._state, self._execution, self._at)
            self._early[task] = task_to_proto(self._execution, task, reasons)


def _numbers(execution: Execution, names: Set[str]) -> Sequence[int]:
    """Returns the tasks in natural order: those that are named, or all."""
    numbers = execution.map.numbers
    return sorted(numbers[name] for name in names if name in numbers) if names else range(execution.map.task_count)
