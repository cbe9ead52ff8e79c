"""The connection of `signoff top`: the execution shown, its view, the workers, and whether the runner answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from signoff.client.client import Client
from signoff.client.values import Ref, by_execution
from signoff.client.view import View
from signoff.errors import SignoffError, Unavailable
from signoff.states import is_at_rest
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2

LOOK_AGAIN = 2.0  # seconds between two looks at the workers, which are also the runner's sign of life
SILENT = 5.0  # seconds; a runner that says nothing for so long counts as lost
TRY_AGAIN = 0.5  # seconds between two tries to watch
LONGEST_FOLD = 0.02  # seconds that a flood of events keeps keys waiting
MOST_LISTED = 200  # executions to choose from


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
        watch = self.client.watch(by_execution(execution_id), thinking=True, on_break=self._broken)
        async with aclosing(watch) as messages:
            pause = time.monotonic() + LONGEST_FOLD
            async for message in messages:
                view.apply(message)
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

    def _alive(self) -> None:
        self.as_of, self.is_lost = self._clock(), False
        self.revision += 1

    def _broken(self, error: SignoffError) -> None:
        """Tells of a watch whose runner is away; a watcher that was too slow goes on at once."""
        # guard: a watch that breaks off is told at once -> if False:
        if isinstance(error, Unavailable):
            self._lost()

    def _lost(self) -> None:
        # guard: a lost connection is told -> pass
        self.is_lost = True
        self.revision += 1
