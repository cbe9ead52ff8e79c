"""Work that is being cancelled: its result is not wanted, but it is paid for, so its costs are reported."""

from __future__ import annotations

import asyncio

from worker_svc.link.held_lease import HeldLease
from worker_svc.link.outbox import Outbox


class CancelledWork:
    """Cancels work, and reports its costs until it has ended."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._ending: dict[str, HeldLease] = {}

    def cancel(self, held: HeldLease, task: asyncio.Task[None]) -> None:
        lease_id = held.lease_id
        self._ending[lease_id] = held
        task.add_done_callback(lambda _: self._ending.pop(lease_id, None))
        # guard: what is called off has cost something -> (removed)
        self.report_costs(lease_id)
        # guard: cancel drops the work -> (removed)
        task.cancel()

    def report_costs(self, lease_id: str) -> None:
        """Sends the costs of a lease that were not reported yet; nothing once its work has ended."""
        if lease_id in self._ending:
            for message in self._ending[lease_id].report.costs():
                self._outbox.say(message)
