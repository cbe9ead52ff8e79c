"""Runs functions that block, in a thread each.

The threads are daemons: nothing can stop a thread, and the worker does not wait for one when it ends.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, FunctionJob, Outcome
from worker_svc.functions.places.seats import Seats
from worker_svc.functions.to_report import ReportLine

GOODBYE = 1.0  # seconds for functions to notice that the worker ends


class ThreadPlace:
    """A CallPlace in threads."""

    def __init__(self, seats: int) -> None:
        self._seats = Seats(seats)

    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        await self._seats.take(callee.name)
        home = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = home.create_future()

        def ended(outcome: Outcome) -> None:
            self._seats.leave(callee.name)
            if not answer.done():
                answer.set_result(outcome)

        def work() -> None:
            try:
                outcome = callee.call(job, line)
            except BaseException as error:  # noqa: BLE001 - a call without an outcome would keep its seat for ever
                outcome = Broken.by_bug(error)
            with suppress(RuntimeError):  # the event loop is closed: the worker has ended
                home.call_soon_threadsafe(ended, outcome)

        try:
            threading.Thread(target=work, name=f"function {callee.name}", daemon=True).start()
        except RuntimeError as error:
            ended(Broken(message=f"no thread could be started for {callee.name}: {error}"))
        try:
            return await answer
        except asyncio.CancelledError:
            line.cancel()
            # guard: a cancelled call keeps its seat ->
            #     self._seats.leave(callee.name)
            #     raise
            raise

    async def close(self) -> None:
        await self._seats.until_empty(GOODBYE)
