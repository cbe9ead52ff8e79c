"""A watcher's position in a journal: the events it has seen, the request for the next ones, and what is new to it.

No sockets here. `signoff.client.client` feeds it the answers of WatchExecution, over as many streams as it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from signoff.errors import Unavailable
from signoff.v1 import execution_pb2, runner_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An execution and all its tasks, right after event `execution.sequence`."""

    execution: execution_pb2.Execution
    tasks: tuple[execution_pb2.TaskState, ...]


Message = Snapshot | execution_pb2.Event | runner_pb2.Thinking


@dataclass(slots=True, kw_only=True)
class WatchPosition:
    """The position of one watcher. Each event passes once and in order, whatever streams it came over."""

    execution_id: str
    after: int | None = None  #: the last sequence seen; None before the snapshot
    thinking: bool = False
    follow: bool = True
    task_ids: tuple[str, ...] = ()
    _tasks: list[execution_pb2.TaskState] = field(default_factory=list)  #: of a snapshot that is not complete yet
    _heard: set[str] = field(default_factory=set)  #: tasks whose thinking was heard
    _missed: set[str] = field(default_factory=set)  #: of those, the ones whose thinking a lost stream has cut

    def request(self) -> runner_pb2.WatchExecutionRequest:
        """Returns the request for everything after this position. Call it for each new stream."""
        self._tasks.clear()
        self._missed |= self._heard
        return runner_pb2.WatchExecutionRequest(
            ref=runner_pb2.ExecutionRef(execution_id=self.execution_id),
            after_sequence=self.after,
            thinking=self.thinking,
            follow=self.follow,
            task_ids=self.task_ids,
        )

    def take(self, answer: runner_pb2.WatchExecutionResponse) -> Iterator[Message]:
        """Yields what is new in an answer. Raises Unavailable when events are missing: ask again from here."""
        match answer.WhichOneof("content"):
            case "snapshot":
                yield from self._take_snapshot(answer.snapshot)
            case "events":
                yield from self._take_events(answer.events.events)
            case "thinking":
                for thought in answer.thinking.thinking:
                    yield self._mark_gap(thought)

    def _take_snapshot(self, part: runner_pb2.SnapshotPart) -> Iterator[Message]:
        self._tasks.extend(part.tasks)
        if part.last:
            self.after = part.execution.sequence
            yield Snapshot(execution=part.execution, tasks=tuple(self._tasks))
            self._tasks.clear()

    def _take_events(self, events: Iterable[execution_pb2.Event]) -> Iterator[execution_pb2.Event]:
        after = self.after or 0
        for event in events:
            sequence = event.sequence
            if sequence <= after:
                continue
            if not self.task_ids and sequence != after + 1:
                raise Unavailable(f"expected event {after + 1} of {self.execution_id}, but event {sequence} came")
            self.after = after = sequence
            yield event

    def _mark_gap(self, thought: runner_pb2.Thinking) -> runner_pb2.Thinking:
        if thought.task_id in self._missed:
            self._missed.discard(thought.task_id)
            thought.gap = True
        self._heard.add(thought.task_id)
        return thought
