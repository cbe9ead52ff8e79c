"""The leases that a worker holds, which survive a lost stream.

HeldLeases is the table of leases, and follows the runner's messages about each. Its parts do the rest: the work queue
runs the work, the credit window says how much of it is welcome, and the outbox keeps messages until the stream sends
them. A slow stream costs memory for one report a lease; results are kept until the runner acknowledges them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from signoff.v1 import worker_pb2
from worker_svc.assignment import CandidateResult, Handler
from worker_svc.link.cancelled_work import CancelledWork
from worker_svc.link.codec import Limits
from worker_svc.link.credit_window import CreditWindow
from worker_svc.link.held_lease import HeldLease
from worker_svc.link.lease_files import LeaseFiles
from worker_svc.link.lease_report import LeaseReport, Message
from worker_svc.link.lease_work import result_of
from worker_svc.link.outbox import Outbox
from worker_svc.link.prefetch import Prefetch
from worker_svc.link.work_queue import WorkQueue

_DRAINING = "the worker is draining"


class HeldLeases:
    """Holds leases and works on them with one handler. Calls `wake` whenever `outgoing` has something to send.

    Owned by one event loop.
    """

    def __init__(
        self, handler: Handler, slots: int, wake: Callable[[], None], prefetch: Prefetch | None = None
    ) -> None:
        self.limits = Limits()
        self._handler = handler
        self._held: dict[str, HeldLease] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False
        self._outbox = Outbox(wake)
        self._cancelled = CancelledWork(self._outbox)
        self._credit = CreditWindow(slots, prefetch or Prefetch(slots), self._outbox)
        self._queue = WorkQueue(slots, self._credit, self._outbox, self._work, self._give_back)

    @property
    def lease_ids(self) -> tuple[str, ...]:
        return tuple(self._held)

    async def until_empty(self) -> None:
        """Returns when no lease is held: every result is acknowledged."""
        await self._empty.wait()

    async def until_idle(self) -> None:
        """Returns when none of the work that runs now runs any more, cancelled work included."""
        await self._queue.settled()

    # ------------------------------------------------------------ the life of the worker

    def welcomed(self, limits: Limits) -> None:
        """Begins a stream: grants credit on it, or says that the worker is draining."""
        self.limits = limits
        # guard: a draining worker stays draining -> if False:
        if self._draining:
            self.say(Message(draining=worker_pb2.Draining()))
        else:
            self._credit.open()

    def stream_lost(self) -> None:
        """Forgets the stream. On the next one, Welcome and Keep make messages due again."""
        self._outbox.stream_lost()
        self._credit.close()
        for held in self._held.values():
            held.confirmed = False
            held.report.stream_lost()

    def take_no_more(self) -> None:
        """Takes back the credit on this stream, because the runner is about to end."""
        self._credit.withdraw()

    def drain(self) -> None:
        """Takes nothing new from now on."""
        self._draining = True
        self._credit.close()
        self.say(Message(draining=worker_pb2.Draining()))
        for lease_id in self._queue.waiting:
            self._give_back(lease_id, _DRAINING)

    def abandon_unfinished(self, reason: str) -> None:
        """Drops the work that has no result yet and gives its leases back. Results are still to be sent."""
        for lease_id, held in list(self._held.items()):
            if held.result is None:
                self._give_back(lease_id, reason)

    async def end(self) -> None:
        """Drops all work and returns when none of it runs any more."""
        await self._queue.end()

    def stopped(self, lease_id: str) -> None:
        """Drops a lease that ended while the stream was away. A candidate that is finished is sent all the same."""
        held = self._held.get(lease_id)
        # guard: a finished candidate is offered after a stop -> if True:
        if held is None or not isinstance(held.result, CandidateResult):
            self.forget(lease_id, drop_work=True)
        else:
            self.kept(lease_id)

    def _give_back(self, lease_id: str, reason: str) -> None:
        self.forget(lease_id, drop_work=True)
        self.say(Message(abandon=worker_pb2.Abandon(lease_id=lease_id, reason=reason)))

    # ------------------------------------------------------------ messages of the runner

    def assigned(self, assign: worker_pb2.Assign, files: LeaseFiles) -> None:
        """Takes the work, or declines it. A lease that is held already is accepted again: the answer was lost."""
        lease_id = assign.lease_id
        # guard: a draining worker takes nothing new -> if False:
        if self._draining and lease_id not in self._held:
            self.say(Message(declined=worker_pb2.Declined(lease_id=lease_id, reason=_DRAINING)))
            return
        # guard (3 lines): an assignment that comes twice runs once ->
        #     self._take(assign, files)
        #     if self._held[lease_id].task is not None:
        if lease_id not in self._held:
            self._take(assign, files)
        elif self._held[lease_id].task is not None:
            self._outbox.accept(lease_id)
        self.kept(lease_id)

    def _take(self, assign: worker_pb2.Assign, files: LeaseFiles) -> None:
        report = LeaseReport(
            assign.lease_id,
            self._send_report,
            assign.thinking_wanted,
            assign.prompts_wanted,
            files_limit=self.limits.files,
            uploads=files.uploads,
        )
        held = HeldLease(assign, files, report, asyncio.get_running_loop().time())
        self._held[assign.lease_id] = held
        self._empty.clear()
        self._queue.add(held)

    def kept(self, lease_id: str) -> None:
        """Confirms a lease that survived the lost stream; its result, if there is one, may have been lost with it."""
        held = self._held.get(lease_id)
        if held is not None and not held.confirmed:
            held.confirmed = True
            if held.report.must_be_sent:
                self._send_report(lease_id)
            # guard: results are said again; results wait for a line -> (removed)
            self._send_result(held)

    def attention(self, lease_id: str, thinking_wanted: bool) -> None:
        if lease_id in self._held:
            self._held[lease_id].report.attend(thinking_wanted)

    def forget(self, lease_id: str, *, drop_work: bool = False) -> None:
        """Ends a lease. `drop_work`: also cancels its work, with the requests behind it."""
        held = self._held.pop(lease_id, None)
        self._queue.remove(lease_id)
        self._outbox.forget(lease_id)
        if held is not None and held.task is not None and drop_work:
            self._cancelled.cancel(held, held.task)
        if not self._held:
            self._empty.set()

    # ------------------------------------------------------------ the work

    async def _work(self, held: HeldLease) -> None:
        result = await result_of(held, self._handler)
        if result is None:
            self.forget(held.lease_id)
            return
        held.result = result
        # guard (2 lines): results wait for keep -> self._send_result(held)
        if held.confirmed:
            self._send_result(held)

    def _send_result(self, held: HeldLease) -> None:
        if held.result is not None:
            self._outbox.send_result(held.lease_id)

    def _send_report(self, lease_id: str) -> None:
        """Sends the report of a lease; of work that is being cancelled, only its costs."""
        if lease_id in self._held:
            self._outbox.send_report(lease_id)
        else:
            self._cancelled.report_costs(lease_id)

    # ------------------------------------------------------------ messages to the runner

    def say(self, message: Message) -> None:
        """Queues an answer that belongs to no lease."""
        self._outbox.say(message)

    async def collected(self) -> None:
        """Returns when results are to be sent: at once, unless more work waits; then several travel together."""
        await self._queue.collected()

    def outgoing(self) -> Iterator[Message]:
        """Yields all messages that are due, each once on this stream."""
        return self._outbox.messages(self._held, self.limits)
