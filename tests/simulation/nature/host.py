"""The host of the runners: it starts the next runner when one has died."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.simulation.nature.clock import NO_PROCESS
from tests.simulation.players.runner import Runner, Surroundings, is_natural

RESTART = 1.0  # seconds until the host restarts a runner that has ended by itself


class Host:
    """The host. Call `start` once. `fail` receives errors with which no runner may end."""

    def __init__(self, fail: Callable[[BaseException], None]) -> None:
        self.started = 0
        self._fail = fail
        self._is_awaited = False  # the next runner

    def start(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._start()

    def _start(self) -> None:
        self._is_awaited = False
        self.started += 1
        self.runner = born = Runner(self.started, self._surroundings)
        born.main.add_done_callback(lambda main: self._ended(born, main))

    def _ended(self, runner: Runner, main: asyncio.Task[None]) -> None:
        if main.cancelled():
            return  # it was asked to end, or the world ends
        if not is_natural(error := main.exception()):
            assert error is not None
            self._fail(error)
        self._bury(runner, RESTART)

    def _bury(self, runner: Runner, down: float, *, silently: bool = False) -> None:
        """Ends this runner for good; the next one starts after `down` seconds."""
        if runner.process.alive:
            runner.kill(silently=silently)
        if runner is self.runner and not self._is_awaited:
            self._is_awaited = True
            asyncio.get_running_loop().call_later(down, self._start, context=NO_PROCESS)

    def kill(self, down: float, *, silently: bool = False) -> None:
        """kill -9, or the end of the machine."""
        self._bury(self.runner, down, silently=silently)

    async def freeze(self, seconds: float) -> None:
        """SIGSTOP and SIGCONT."""
        frozen = self.runner.process
        frozen.freeze()
        await asyncio.sleep(seconds)
        frozen.thaw()

    async def stop(self, down: float) -> None:
        """SIGTERM."""
        runner = self.runner
        if not runner.serves or runner.is_stopping:
            return
        runner.is_stopping = True
        stopping = runner.process.spawn(runner.stop())
        while not stopping.done() and runner.process.alive:  # noqa: ASYNC110 - it may be killed meanwhile
            await asyncio.sleep(1.0)
        if stopping.done():
            stopping.result()
            self._bury(runner, down)
