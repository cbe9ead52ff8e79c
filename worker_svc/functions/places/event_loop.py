"""Runs coroutines in an event loop of their own, in one thread: one that blocks delays the others, but no ping."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress

import structlog

from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, FunctionJob, Outcome
from worker_svc.functions.places.seats import Seats
from worker_svc.functions.to_report import ReportLine

log = structlog.get_logger(__name__)

GOODBYE = 1.0  # seconds for coroutines to end when the worker does, and then for the loop
BLOCKED_AFTER = 5.0  # seconds without a sign of the loop: a coroutine makes a blocking call


class LoopPlace:
    """A CallPlace in one thread, a daemon, which begins with the first call."""

    def __init__(self, seats: int) -> None:
        self._seats = Seats(seats)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_over = threading.Event()  # only `_end` sets it: functions may stop the loop, but not end it
        self._thread: threading.Thread | None = None
        self._watching: asyncio.Task[None] | None = None

    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        await self._seats.take(callee.name)
        loop, home = self._running_loop(), asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = home.create_future()
        tasks: list[asyncio.Task[Outcome]] = []

        def ended(task: asyncio.Task[Outcome]) -> None:
            self._seats.leave(callee.name)
            if not answer.done():
                answer.set_result(_outcome_of(task))

        def begin() -> None:
            task = loop.create_task(callee.call_async(job, line), name=f"function {callee.name}")
            task.add_done_callback(lambda task: _call(home, lambda: ended(task)))
            tasks.append(task)

        _call(loop, begin)
        try:
            return await answer
        except asyncio.CancelledError:
            line.cancel()
            _call(loop, lambda: tasks[0].cancel())
            raise

    async def close(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None or self._watching is None:
            return
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        still_running = await self._seats.until_empty(GOODBYE)
        _call(loop, lambda: loop.create_task(_end(loop, self._is_over)))
        if not still_running:
            await asyncio.to_thread(self._thread.join, GOODBYE)

    # ------------------------------------------------------------ the loop

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            living = (self._loop, self._is_over)
            self._thread = threading.Thread(target=_live, args=living, name="async functions", daemon=True)
            self._thread.start()
            self._watching = asyncio.create_task(self._watch(self._loop, self._thread))
        return self._loop

    async def _watch(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        """Logs when the loop is blocked, and by which line: no coroutine can go on meanwhile."""
        home = asyncio.get_running_loop()
        while True:
            alive = asyncio.Event()
            _call(loop, lambda alive=alive: _call(home, alive.set))  # type: ignore[misc]
            try:
                async with asyncio.timeout(BLOCKED_AFTER):
                    await alive.wait()
            except TimeoutError:
                log.warning("async_functions_blocked", functions=self._seats.occupants, at=_where(thread))
                await alive.wait()
            await asyncio.sleep(BLOCKED_AFTER)


def _outcome_of(task: asyncio.Task[Outcome]) -> Outcome:
    if task.cancelled():
        return Broken(message="the worker ended")
    error = task.exception()
    return task.result() if error is None else Broken.by_bug(error)


def _call(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # it is closed: the worker has ended
        loop.call_soon_threadsafe(action)


def _live(loop: asyncio.AbstractEventLoop, is_over: threading.Event) -> None:
    """Runs the loop in its thread until it is over, and closes it."""
    asyncio.set_event_loop(loop)
    # guard: a function does not end the loop of all others -> if not is_over.is_set():
    while not is_over.is_set():
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:  # from a task that a function began; asyncio lets it through
            log.warning("async_function_wanted_to_exit", error=repr(error))
        else:
            if not is_over.is_set():
                log.warning("async_function_stopped_the_loop")
    loop.close()


async def _end(loop: asyncio.AbstractEventLoop, is_over: threading.Event) -> None:
    """Ends the tasks that functions have left behind, as asyncio.run does, and the loop."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
    is_over.set()
    loop.stop()


def _where(thread: threading.Thread) -> str:
    """Returns the innermost line that a thread executes."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        return "unknown"
    last = traceback.extract_stack(frame)[-1]
    return f"{last.filename}:{last.lineno} in {last.name}"
