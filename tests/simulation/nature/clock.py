"""An event loop in virtual time: when no callback can run, it jumps to the next timer.

Every callback belongs to the process that asked for it, or to none. A frozen process is one after SIGSTOP: its
callbacks and timers wait, and run late. A killed one is one after SIGKILL: its callbacks never run. The operating
system goes on meanwhile: messages for a frozen process wait in its sockets, and the sockets of a killed one are closed.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, cast

T = TypeVar("T")

NO_PROCESS = Context()  #: the context of callbacks that belong to no process, such as the network's


MOST_ROUNDS = 3  # rounds of cancelling: a task that ends may start a last one
MOST_AT_ONCE = 200_000  # callbacks of one moment; a world has some thousands in all


class LoopStuck(AssertionError):
    """Time cannot pass: nothing is left to run, or callbacks ask for further ones without end."""


class Process:
    """A process: the callbacks that a SIGSTOP stops and a SIGKILL ends. Make it while a VirtualLoop runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.runs = True
        self.held: list[_Timer] = []  #: callbacks that wait until it is thawed
        self._tasks: set[asyncio.Task[Any]] = set()  # the loop keeps no reference to tasks that wait for ever
        self._loop = asyncio.get_running_loop()
        assert isinstance(self._loop, VirtualLoop)
        self._loop.processes.append(self)
        self._awake_since = self._loop.time()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Starts a task in this process."""
        context = copy_context()
        context.run(_process.set, self)
        task = self._loop.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard, context=NO_PROCESS)
        return task

    def freeze(self) -> None:
        self.runs = False

    def thaw(self) -> None:
        """Lets it go on, unless it was killed."""
        if self.alive:
            self._awake_since = self._loop.time()
            self.revive()

    def kill(self) -> None:
        self.alive = self.runs = False

    def was_awake(self, seconds: float) -> bool:
        """Tells whether nothing has stopped it for so many seconds."""
        return self.runs and self._loop.time() - self._awake_since >= seconds

    def revive(self) -> None:
        """Runs the callbacks that waited. The dead are revived only at the end of a world, so that nothing is left."""
        self.runs = True
        assert isinstance(self._loop, VirtualLoop)
        self._loop.ready.extend(self.held)
        self.held.clear()


_process: ContextVar[Process | None] = ContextVar("_process", default=None)


class _Timer(asyncio.TimerHandle):
    """A callback and the process it belongs to."""

    __slots__ = ("args", "callback", "context", "process")

    def __init__(
        self, when: float, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self._when = when
        self._cancelled = False
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.process = self.context.get(_process)

    def cancel(self) -> None:
        self._cancelled = True


class VirtualLoop(asyncio.BaseEventLoop):
    """A deterministic loop: one thread, no sockets, and callbacks of one moment in the order they were asked for.

    A callback that raises ends the world: asyncio's own loop would log it and go on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Process] = []
        self.ready: deque[_Timer] = deque()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._asked = 0  # timers; their order
        self._at_once = 0  # callbacks since the time moved
        self._time = 0.0

    def time(self) -> float:
        return self._time

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:  # type: ignore[override]
        timer = _Timer(self._time, callback, args, context)
        self.ready.append(timer)
        return timer

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, context)
        self._asked += 1
        heapq.heappush(self._timers, (when, self._asked, timer))
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time + delay, callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Does the work at once, for there is no other thread, and returns the result after other callbacks."""
        future: asyncio.Future[T] = self.create_future()
        self.call_soon(_tell, future, func(*args))
        return future

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        task = asyncio.ensure_future(cast(Awaitable[T], future), loop=self)
        with self._running():
            while not task.done():
                self._step()
        return task.result()

    @contextmanager
    def _running(self) -> Iterator[None]:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._finish)
        events._set_running_loop(self)
        try:
            yield
        finally:
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _finish(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Closes an asynchronous generator to which no reference is left."""
        self.call_soon(self.create_task, generator.aclose())

    def _step(self) -> None:
        """Runs the next callback, when its time has come."""
        if not self.ready:
            self._wait()
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            self._at_once = 0
            raise LoopStuck("callbacks ask for callbacks, and the time stands still")
        timer = self.ready.popleft()
        if timer._cancelled:
            return
        if timer.process is not None and not timer.process.runs:
            timer.process.held.append(timer)
        else:
            timer.context.run(timer.callback, *timer.args)

    def _wait(self) -> None:
        """Moves the time to the next timer."""
        while self._timers:
            when, _, timer = heapq.heappop(self._timers)
            if not timer._cancelled:
                self._time, self._at_once = max(self._time, when), 0
                self.ready.append(timer)
                return
        raise LoopStuck("nothing is ready and no timer is set")


def _tell(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine as asyncio.run does, in virtual time from 0."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_end(loop))
        loop.close()


async def _end(loop: VirtualLoop) -> None:
    """Cancels all tasks that are left, also of dead and frozen processes."""
    for _ in range(MOST_ROUNDS):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        for process in loop.processes:
            process.revive()
        await asyncio.gather(*left, return_exceptions=True)
