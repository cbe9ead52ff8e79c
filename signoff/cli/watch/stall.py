"""Finds out why nothing happens in an execution that is followed, and whether anything still can."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from signoff.cli.watch.reporters import Reporter
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.client.view import DOING, VALIDATING, View
from signoff.errors import SignoffError
from signoff.v1 import execution_pb2 as pb

FIRST_LOOK, LONGEST_LOOK = 1.0, 30.0  # seconds without an event, then the runner is asked; each time twice as long
LOOKS = 3  # in a row that must find nothing hopeful: workers that start again are back before the last

#: Reasons that keep work waiting while no worker has it; the most telling first.
_TOLD = (
    pb.WAITING_FOR_CAPABLE_WORKER,
    pb.WAITING_FOR_EXECUTOR,
    pb.WAITING_FOR_VALIDATOR,
    pb.WAITING_FOR_MODEL,
    pb.WAITING_FOR_BUDGET,
    pb.WAITING_FOR_RATE,
    pb.WAITING_FOR_BACKLOG,
    pb.WAITING_FOR_PERSON,  # who was asked before this command began to follow is told here alone
)
#: Reasons that only another worker can change, or nothing: where no other worker can come, they are the end.
_HOPELESS = frozenset(
    {
        pb.WAITING_FOR_CAPABLE_WORKER,
        pb.WAITING_FOR_DEPENDENCIES,
        pb.WAITING_FOR_FAILED_DEPENDENCY,
        pb.WAITING_FOR_RETRY_COMMAND,
        pb.WAITING_FOR_JUDGE,
    }
)
WHAT_TO_DO = (
    "workers get more with --allow-commands, --app MODULE:ATTR, --model and --models; --wait waits for workers that "
    "are started elsewhere"
)


class Stall:
    """Looks into an execution while no event comes."""

    def __init__(self, client: Client, execution_id: str, reporter: Reporter) -> None:
        self._client, self._execution_id, self._reporter = client, execution_id, reporter
        self._told: set[str] = set()
        self._hopeless = 0  # looks in a row
        self.pause = FIRST_LOOK  #: seconds without an event before the next look

    def moved(self) -> None:
        """Starts the waiting anew: an event came."""
        self._hopeless, self.pause = 0, FIRST_LOOK

    async def look(self, view: View) -> str:
        """Reports once why nothing happens. Returns the reason when no worker here can ever go on."""
        self.pause = min(2 * self.pause, LONGEST_LOOK)
        if view.state != pb.EXECUTION_STATE_RUNNING or is_worked_on(view):
            self._hopeless = 0
            return ""
        try:
            tasks = await self._client.tasks(by_execution(self._execution_id), unfinished=True)
        except SignoffError:
            return ""  # the runner is away, which the watch itself tells
        waits = {task.waiting.waiting_for for task in tasks}
        reason = reason_of(tasks)
        self._tell(reason)
        is_hopeless = pb.WAITING_FOR_CAPABLE_WORKER in waits and waits <= _HOPELESS
        self._hopeless = self._hopeless + 1 if is_hopeless else 0
        return reason if self._hopeless >= LOOKS else ""

    def _tell(self, reason: str) -> None:
        """Reports a reason once, also when the seconds in it change."""
        same = re.sub(r"(?<![\d.])[\d.]+ s\b", "", reason)
        if reason and same not in self._told:
            self._told.add(same)
            self._reporter.notice(f"nothing is being done: {reason}")


def is_worked_on(view: View) -> bool:
    """Tells whether a worker has any of the tasks."""
    if view.counts[DOING]:
        return True
    return view.counts[VALIDATING] > 0 and any(task.worker for task in view.tasks.values())


def reason_of(tasks: Sequence[pb.TaskState]) -> str:
    """Returns the most telling reason why tasks wait, with how many have it; empty when there is none to tell."""
    reasons = Counter((task.waiting.waiting_for, task.waiting.message) for task in tasks)
    telling = [(_TOLD.index(kind), -count, message) for (kind, message), count in reasons.items() if kind in _TOLD]
    if not telling:
        return ""
    _, count, message = min(telling)
    first = next(task.task_id for task in tasks if task.waiting.message == message)
    more = f" (and {-count - 1:,} more)" if count < -1 else ""
    return f"{first}{more}: {message}"
