"""The connection of `signoff top`: the execution shown, its view, the workers, and whether the runner answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing

from signoff.cli.top.thinking import joined
from signoff.client.client import Client
from signoff.client.values import Ref, by_execution
from signoff.client.view import DOING, VALIDATING, TaskView, View
from signoff.client.watch import Snapshot
from signoff.errors import SignoffError
from signoff.states import is_at_rest
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2

LOOK_AGAIN = 2.0  # seconds between two looks at the workers, which are also the runner's sign of life
SILENT = 5.0  # seconds; a runner that says nothing for so long counts as lost
TRY_AGAIN = 0.5  # seconds between two tries to watch
LONGEST_FOLD = 0.02  # seconds that a flood of events keeps keys waiting
MOST_LISTED = 200  # executions to choose from
KEPT = 4_096  # characters of earlier thinking; a screen shows fewer

_Lease = tuple[str, int, int]  # a task, its attempt, and its status, which tells the phase
_PHASES: Mapping[int, int] = {pb.PHASE_EXECUTE: DOING, pb.PHASE_VALIDATE: VALIDATING}


class Session:
    """Follows one execution at a time. `revision` grows with each change, so that nothing is drawn in vain."""

    def __init__(self, client: Client, execution: pb.Execution, clock: Callable[[], float] = time.time) -> None:
        self.client, self._clock = client, clock
        self.execution_id, self.plan_id = execution.execution_id, execution.plan_id
        self.view = View()
        self.workforce = runner_pb2.ListWorkersResponse()
        self.as_of = clock()  #: Unix time of the runner's last sign of life
        self.is_lost = False  #: the runner does not answer
        self.revision = 0
        self._earlier: set[_Lease] = set()  # at work before the watch began; what they thought was not asked for yet
        self._kept: dict[_Lease, str] = {}  # the end of what they had thought
        self._chosen = asyncio.Event()

    @property
    def ref(self) -> Ref:
        return by_execution(self.execution_id)

    async def executions(self) -> tuple[pb.Execution, ...]:
        """Returns the newest executions."""
        return await self.client.list(at_most=MOST_LISTED)

    def choose(self, execution: pb.Execution) -> None:
        """Shows another execution from now on."""
        self.execution_id, self.plan_id = execution.execution_id, execution.plan_id
        self.view = View()
        self.revision += 1
        self._chosen.set()

    async def follow(self) -> None:
        """Folds what happens into the view, for ever: over lost connections, and again after an execution's end."""
        while True:
            self._chosen.clear()
            watching = asyncio.create_task(self._watch(self.execution_id))
            chosen = asyncio.create_task(self._chosen.wait())
            try:
                await asyncio.wait({watching, chosen}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (watching, chosen):
                    task.cancel()
                await asyncio.gather(watching, chosen, return_exceptions=True)

    async def _watch(self, execution_id: str) -> None:
        """Watches until another execution is chosen. A watch that breaks off begins again with a snapshot."""
        while True:
            try:
                await self._watch_once(execution_id)
                await self._goes_on_again(execution_id)
            except SignoffError:
                self._lost()
                await asyncio.sleep(TRY_AGAIN)

    async def _watch_once(self, execution_id: str) -> None:
        view = View()
        # guard: a watch that breaks off is told at once -> watch = self.client.watch(self.ref, thinking=True)
        watch = self.client.watch(by_execution(execution_id), thinking=True, on_lost=self._lost)
        async with aclosing(watch) as messages:
            pause = time.monotonic() + LONGEST_FOLD
            async for message in messages:
                view.apply(message)
                if isinstance(message, Snapshot):
                    self._kept.clear()
                    self._earlier = {_lease_of(task) for task in view.tasks.values() if task.worker}
                self.view = view
                self._alive()
                if time.monotonic() > pause:
                    await asyncio.sleep(0)  # keys and the screen have their turn in a flood of events
                    pause = time.monotonic() + LONGEST_FOLD

    async def _goes_on_again(self, execution_id: str) -> None:
        """Returns when an execution that was at rest is not any more: a person may resume it, or retry a task."""
        while is_at_rest((await self.client.get(by_execution(execution_id))).state):
            self._alive()
            await asyncio.sleep(TRY_AGAIN)

    async def look_at_workers(self) -> None:
        """Asks for the workers again and again, and notes whether the runner answers."""
        while True:
            try:
                # guard: a frozen runner is told of -> async with asyncio.timeout(None):
                async with asyncio.timeout(SILENT):
                    self.workforce = await self.client.workforce()
                self._alive()
            except (SignoffError, TimeoutError):
                self._lost()
            await asyncio.sleep(LOOK_AGAIN)

    # ------------------------------------------------------------ thinking

    def thinking_of(self, task_id: str) -> str:
        """Returns the end of what the worker at work on a task thinks, as far as it is known here."""
        task, heard = self.view.tasks.get(task_id), self.view.thinking.get(task_id, "")
        return joined(self._kept.get(_lease_of(task), ""), heard) if task else heard

    def has_earlier_thinking(self, task_id: str) -> bool:
        """Tells whether a task's worker may have thought aloud before the watch began: `recall` asks what."""
        task = self.view.tasks.get(task_id)
        return task is not None and _lease_of(task) in self._earlier

    async def recall(self, task_id: str) -> None:
        """Asks the runner what it has kept of a task's thinking. An answer about another lease is left alone."""
        lease = _lease_of(self.view.tasks[task_id])
        self._earlier.discard(lease)
        try:
            found = await self.client.thinking(self.ref, task_id)
        except SignoffError:
            self._earlier.add(lease)  # it is asked again
            return
        if (task_id, found.attempt, _PHASES.get(found.phase)) == lease:
            self._kept[lease] = found.text[-KEPT:]
            self.revision += 1

    # ------------------------------------------------------------ the connection

    def _alive(self) -> None:
        self.as_of, self.is_lost = self._clock(), False
        self.revision += 1

    def _lost(self) -> None:
        # guard: a lost connection is told -> pass
        self.is_lost = True
        self.revision += 1


def _lease_of(task: TaskView) -> _Lease:
    return task.task_id, task.attempt, task.status
