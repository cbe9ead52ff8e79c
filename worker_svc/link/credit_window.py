"""The credit that a worker grants the runner: how many leases are welcome at once."""

from __future__ import annotations

import asyncio

from signoff.v1 import worker_pb2
from worker_svc.link.lease_report import Message
from worker_svc.link.outbox import Outbox
from worker_svc.link.prefetch import Prefetch

WAITS_AT_MOST = 1.0  # seconds for a slot; then the work is given back, for a worker that has one


class CreditWindow:
    """Grants credit for the worker's slots and for work ahead of them."""

    def __init__(self, slots: int, prefetch: Prefetch, outbox: Outbox) -> None:
        self._slots = slots
        self._prefetch = prefetch
        self._outbox = outbox
        self._size = slots + prefetch.ahead
        self._ahead_until = 0.0  # work that was assigned before the credit was lowered may still come
        self._is_open = False  # on this stream

    @property
    def may_exceed_slots(self) -> bool:
        """Tells whether assignments may come ahead of the slots."""
        return self._size > self._slots or asyncio.get_running_loop().time() < self._ahead_until

    def open(self) -> None:
        """Grants credit on a stream that begins."""
        self._is_open = True
        self._say(self._size)

    def close(self) -> None:
        """Grants no more on this stream."""
        self._is_open = False

    def withdraw(self) -> None:
        """Takes back the credit of this stream."""
        self.close()
        self._say(0)

    def work_took(self, seconds: float) -> None:
        """Notes how long a piece of work took, and grants as much ahead as fits."""
        self._prefetch.took(seconds)
        self._grant()

    def is_stuck(self) -> None:
        """Grants nothing ahead of the slots until work is quick again."""
        self._prefetch.is_stuck()
        self._grant()

    def _grant(self) -> None:
        """Says how many leases are welcome, when that has changed."""
        size = self._slots + self._prefetch.ahead
        if size != self._size:
            if size < self._size:
                self._ahead_until = asyncio.get_running_loop().time() + WAITS_AT_MOST
            self._size = size
            if self._is_open:
                self._say(size)

    def _say(self, size: int) -> None:
        self._outbox.say(Message(credit=worker_pb2.Credit(window=size)))
