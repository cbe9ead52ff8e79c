"""Ctrl-C while services run: the first time asks for an orderly end, the second ends everything at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Handles signals that end a process: the first sets `first`; the next calls `on_second` and cancels the task."""

    def __init__(self, on_second: Callable[[], None]) -> None:
        self.first = asyncio.Event()
        self.exit_code = 128 + signal.SIGINT  #: as shells count: 130 after Ctrl-C
        self._on_second = on_second
        self._task: asyncio.Task[object] | None = None
        self._taken: list[signal.Signals] = []

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        # guard: who ignores SIGHUP goes on -> self._taken = [number for number in SIGNALS if number]
        self._taken = [number for number in SIGNALS if not _is_left_alone(number)]
        for number in self._taken:
            asyncio.get_running_loop().add_signal_handler(number, self._take, number)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for number in self._taken:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _take(self, number: signal.Signals) -> None:
        if not self.first.is_set():
            self.exit_code = 128 + number
            self.first.set()
            return
        self._on_second()
        if self._task is not None:
            self._task.cancel()


def _is_left_alone(number: signal.Signals) -> bool:
    """Tells whether this process was started to outlive its terminal, as nohup does."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
