"""The work of a worker: some runs in its slots, and some waits for one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from worker_svc.link.credit_window import WAITS_AT_MOST, CreditWindow
from worker_svc.link.held_lease import HeldLease
from worker_svc.link.outbox import Outbox

COLLECT = 0.003  # seconds of results that travel in one frame while work waits: a runner spends 0.6 ms on each frame

GiveBack = Callable[[str, str], None]  # a lease, and the reason


class WorkQueue:
    """Starts work, and ends it.

    Work begins as soon as it comes: the runner counts the slots, and knows best which leases are over. It waits for a
    slot only while credit is granted ahead of the slots. It is accepted when it begins. `give_back` takes work that
    has waited too long.
    """

    def __init__(
        self,
        slots: int,
        credit: CreditWindow,
        outbox: Outbox,
        work: Callable[[HeldLease], Awaitable[None]],
        give_back: GiveBack,
    ) -> None:
        self._slots = slots
        self._credit = credit
        self._outbox = outbox
        self._work = work
        self._give_back = give_back
        self._waiting: dict[str, HeldLease] = {}  # the one that has waited longest first
        self._busy = 0  # slots
        self._idle = asyncio.Event()  # no slot is busy
        self._tasks: set[asyncio.Task[None]] = set()  # also those that are being cancelled
        self._timer: asyncio.TimerHandle | None = None  # for waiting work

    @property
    def waiting(self) -> tuple[str, ...]:
        """The leases that wait for a slot."""
        return tuple(self._waiting)

    def add(self, held: HeldLease) -> None:
        if self._credit.may_exceed_slots:
            self._waiting[held.lease_id] = held
            self._fill_slots()
        else:
            self._begin(held)

    def remove(self, lease_id: str) -> None:
        """Takes a lease out that waits for a slot."""
        self._waiting.pop(lease_id, None)

    async def collected(self) -> None:
        """Returns when results are to be sent: at once, unless more work waits; then several travel together."""
        if not self._waiting:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COLLECT):
                await self._idle.wait()

    async def settled(self) -> None:
        """Returns when none of the work that runs now runs any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end(self) -> None:
        """Drops all work and returns when none of it runs any more."""
        self._waiting.clear()
        self._watch_waiting()
        for task in self._tasks:
            task.cancel()
        await self.settled()

    # ------------------------------------------------------------ slots

    def _fill_slots(self) -> None:
        # guard: no more at once than there are slots -> while self._waiting:
        while self._busy < self._slots and self._waiting:
            self._begin(self._waiting.pop(next(iter(self._waiting))))
        self._watch_waiting()

    def _begin(self, held: HeldLease) -> None:
        self._busy += 1
        self._idle.clear()
        held.task = asyncio.create_task(self._run(held), name=f"work {held.lease_id}")
        self._tasks.add(held.task)
        held.task.add_done_callback(self._ended)
        self._outbox.accept(held.lease_id)

    async def _run(self, held: HeldLease) -> None:
        begun = asyncio.get_running_loop().time()
        await self._work(held)
        self._credit.work_took(asyncio.get_running_loop().time() - begun)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Frees the slot, whatever became of the work in it."""
        self._tasks.discard(task)
        self._busy -= 1
        self._fill_slots()
        if not self._busy:
            self._idle.set()

    # ------------------------------------------------------------ waiting

    def _watch_waiting(self) -> None:
        """Looks again when the first that waits has waited for too long."""
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._waiting and self._timer is None:
            # guard: work does not wait behind work that hangs -> pass
            self._timer = asyncio.get_running_loop().call_later(WAITS_AT_MOST, self._give_back_late)

    def _give_back_late(self) -> None:
        """Gives back work that has waited too long: the slots are busy with longer work than before."""
        self._timer = None
        late = asyncio.get_running_loop().time() - WAITS_AT_MOST
        if any(held.came_at <= late for held in self._waiting.values()):
            waiting, self._waiting = self._waiting, {}
            self._credit.is_stuck()  # first: or the runner would give it all to this worker again
            for lease_id in waiting:
                self._give_back(lease_id, "no slot came free in time")
        self._watch_waiting()
