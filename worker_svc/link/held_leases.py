"""The leases a worker holds and the work under each: what survives a lost stream.

The bench says what is to be sent; the stream sends it. Progress is kept as the latest word of each lease and not as a
queue, so that a slow stream costs memory for one message a lease. Results are kept until the runner acknowledges them.
What was taken ahead of the slots waits for one, and is accepted when it begins.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from signoff.errors import SignoffError, StaleLease
from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.assignment import (
    Assignment,
    Bytes,
    CandidateResult,
    FailureResult,
    Handler,
    Result,
    VerdictResult,
    no_result,
)
from worker_svc.link.codec import Fetch, Limits, assignment_from_proto, messages_of
from worker_svc.link.lease_report import LeaseReport, Message
from worker_svc.link.prefetch import Prefetch

log = structlog.get_logger(__name__)

COLLECT = 0.003  # seconds of results that travel in one frame while work waits: a runner spends 0.6 ms on each frame
WAITS_AT_MOST = 1.0  # seconds for a slot; then the work is given back, for a worker that has one


@dataclass(slots=True)
class HeldLease:
    """A lease and the work under it."""

    assign: worker_pb2.Assign
    fetch: Fetch
    word: LeaseReport
    came_at: float  #: on the event loop's clock
    confirmed: bool = True  #: on this stream, by Assign or Keep; before that, nobody waits for its result here
    task: asyncio.Task[None] | None = None
    result: Result | None = None


class HeldLeases:
    """Works on assignments with one handler.

    What the runner assigns begins at once, for the runner counts the slots, and knows best which leases are over. Only
    while credit is granted ahead of the slots does work wait for one here.

    `wake` is called whenever `outgoing` has something to say. Owned by one event loop.
    """

    def __init__(self, handler: Handler, slots: int, wake: Callable[[], None], pace: Prefetch | None = None) -> None:
        self.slots = slots
        self.limits = Limits()
        self._draining = False
        self._handler = handler
        self._wake = wake
        self._held: dict[str, HeldLease] = {}
        self._dropped: dict[str, HeldLease] = {}  # work that is being cancelled: of it only costs are told
        self._waiting: deque[str] = deque()  # leases that have no slot yet, or had none when they ended
        self._busy = 0  # slots
        self._idle = asyncio.Event()  # no slot is busy
        self._pace = pace or Prefetch(slots)
        self._window = slots + self._pace.ahead
        self._ahead_until = 0.0  # what was assigned before the credit was lowered may still come
        self._takes_more = False  # on this stream
        self._giving_back: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # also those that are being cancelled
        self._answers: list[Message] = []  # of this stream: credit, declined, abandon, pong
        self._accepted: dict[str, None] = {}  # leases to accept on this stream, unless their results are there
        self._results: list[str] = []  # leases whose result is to be sent on this stream
        self._changed: dict[str, None] = {}  # leases with something new to say
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def lease_ids(self) -> tuple[str, ...]:
        return tuple(self._held)

    async def collected(self) -> None:
        """Returns when results are to be sent: while there is more to do, nobody waits for the first of them."""
        if not self._waiting:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COLLECT):
                await self._idle.wait()

    async def until_empty(self) -> None:
        """Returns when no lease is held: every result is acknowledged."""
        await self._empty.wait()

    # ------------------------------------------------------------ the life of the worker

    def welcomed(self, limits: Limits) -> None:
        """A stream begins: says what the worker is willing to take on it."""
        self.limits = limits
        # guard: a draining worker stays draining -> if False:
        if self._draining:
            self._say(Message(draining=worker_pb2.Draining()))
        else:
            self._takes_more = True
            self._say(Message(credit=worker_pb2.Credit(window=self._window)))

    def stream_lost(self) -> None:
        """What was queued for the old stream is void: Welcome and Keep on the next one say what is still to be said."""
        # guard (2 lines): answers belong to a stream -> (removed)
        self._answers, self._results, self._takes_more = [], [], False
        self._accepted.clear()
        for held in self._held.values():
            held.confirmed = False
            held.word.stream_lost()

    def take_no_more(self) -> None:
        """The runner is about to end: on this stream nothing new is wanted."""
        self._takes_more = False
        self._say(Message(credit=worker_pb2.Credit(window=0)))

    def drain(self) -> None:
        """From now on nothing new is taken."""
        self._draining, self._takes_more = True, False
        self._say(Message(draining=worker_pb2.Draining()))
        while (lease_id := self._next_waiting()) is not None:
            self._give_back(lease_id, "the worker is draining")

    def abandon_unfinished(self, reason: str) -> None:
        """Drops the work that has no result yet and gives its leases back. Results are still to be sent."""
        for lease_id, held in list(self._held.items()):
            if held.result is None:
                self._give_back(lease_id, reason)

    def _give_back(self, lease_id: str, reason: str) -> None:
        self.forget(lease_id, drop_work=True)
        self._say(Message(abandon=worker_pb2.Abandon(lease_id=lease_id, reason=reason)))

    async def end(self) -> None:
        """Drops all work and returns when none of it runs any more."""
        self._waiting.clear()
        self._watch_waiting()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ what the runner says

    def assigned(self, assign: worker_pb2.Assign, fetch: Fetch) -> None:
        """Takes the work, or declines it. A lease that is held already is accepted again: the answer was lost."""
        lease_id = assign.lease_id
        # guard: a draining worker takes nothing new -> if False:
        if self._draining and lease_id not in self._held:
            self._say(Message(declined=worker_pb2.Declined(lease_id=lease_id, reason="the worker is draining")))
            return
        # guard (3 lines): an assignment that comes twice runs once ->
        #     self._take(assign, fetch)
        #     if self._held[lease_id].task is not None:
        if lease_id not in self._held:
            self._take(assign, fetch)
        elif self._held[lease_id].task is not None:
            self._accept(lease_id)
        self.kept(lease_id)

    def _take(self, assign: worker_pb2.Assign, fetch: Fetch) -> None:
        now = asyncio.get_running_loop().time()
        word = LeaseReport(assign.lease_id, self._has_changed, assign.thinking_wanted)
        self._held[assign.lease_id] = held = HeldLease(assign, fetch, word, now)
        self._empty.clear()
        if self._window > self.slots or now < self._ahead_until:
            self._waiting.append(assign.lease_id)
            self._fill_slots()
        else:
            self._begin(held)

    def _fill_slots(self) -> None:
        # guard: no more at once than there are slots -> while (lease_id := self._next_waiting()) is not None:
        while self._busy < self.slots and (lease_id := self._next_waiting()) is not None:
            self._begin(self._held[lease_id])
        self._watch_waiting()

    def _next_waiting(self) -> str | None:
        """Takes out the lease that has waited longest for a slot."""
        while self._waiting:
            lease_id = self._waiting.popleft()
            if lease_id in self._held and self._held[lease_id].task is None:
                return lease_id
        return None

    def _begin(self, held: HeldLease) -> None:
        self._busy += 1
        self._idle.clear()
        lease_id = held.assign.lease_id
        held.task = asyncio.create_task(self._work(held), name=f"work {lease_id}")
        self._tasks.add(held.task)
        held.task.add_done_callback(self._ended)
        self._accept(lease_id)

    def _accept(self, lease_id: str) -> None:
        self._accepted[lease_id] = None
        self._wake()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A slot is free, whatever became of the work in it."""
        self._tasks.discard(task)
        self._busy -= 1
        self._fill_slots()
        if not self._busy:
            self._idle.set()

    # ------------------------------------------------------------ what waits for a slot

    def _watch_waiting(self) -> None:
        """Looks again when the first that waits has waited for too long."""
        if not self._waiting and self._giving_back is not None:
            self._giving_back.cancel()
            self._giving_back = None
        elif self._waiting and self._giving_back is None:
            # guard: work does not wait behind work that hangs -> pass
            self._giving_back = asyncio.get_running_loop().call_later(WAITS_AT_MOST, self._give_back_late)

    def _give_back_late(self) -> None:
        """Gives back what has waited too long: the slots are busy with something longer than they used to be."""
        self._giving_back = None
        late = asyncio.get_running_loop().time() - WAITS_AT_MOST
        waiting = [lease_id for lease_id in self._waiting if lease_id in self._held]
        if any(self._held[lease_id].came_at <= late for lease_id in waiting):
            self._waiting.clear()
            self._pace.is_stuck()
            self._grant()  # first: or the runner would give it all to this worker again
            for lease_id in waiting:
                self._give_back(lease_id, "no slot came free in time")
        self._watch_waiting()

    def _grant(self) -> None:
        """Says how many leases are welcome, when that has changed."""
        window = self.slots + self._pace.ahead
        if window != self._window:
            if window < self._window:
                self._ahead_until = asyncio.get_running_loop().time() + WAITS_AT_MOST
            self._window = window
            if self._takes_more:
                self._say(Message(credit=worker_pb2.Credit(window=window)))

    def kept(self, lease_id: str) -> None:
        """The lease survived the lost stream; its result, if there is one, may have been lost with it."""
        held = self._held.get(lease_id)
        if held is not None and not held.confirmed:
            held.confirmed = True
            if held.word.has_more_to_tell:
                self._has_changed(lease_id)
            # guard: results are said again; results wait for a line -> (removed)
            self._send_result(held)

    def attention(self, lease_id: str, thinking_wanted: bool) -> None:
        if lease_id in self._held:
            self._held[lease_id].word.attend(thinking_wanted)

    def forget(self, lease_id: str, *, drop_work: bool = False) -> None:
        """The lease is over. `drop_work`: and what runs under it is cancelled, with the requests behind it."""
        held = self._held.pop(lease_id, None)
        self._changed.pop(lease_id, None)
        self._accepted.pop(lease_id, None)
        if held is not None and held.task is not None and drop_work:
            self._drop(held, held.task)
        if not self._held:
            self._empty.set()

    def _drop(self, held: HeldLease, task: asyncio.Task[None]) -> None:
        """Cancels the work, and tells what it has cost: its result is not wanted, but it is paid for."""
        lease_id = held.assign.lease_id
        self._dropped[lease_id] = held
        task.add_done_callback(lambda _: self._dropped.pop(lease_id, None))
        # guard: what is called off has cost something -> (removed)
        self._tell_costs(held)
        # guard: cancel drops the work -> (removed)
        task.cancel()

    def _tell_costs(self, held: HeldLease) -> None:
        for message in held.word.costs():
            self._say(message)

    def say(self, message: Message) -> None:
        """Queues an answer that belongs to no lease."""
        self._say(message)

    # ------------------------------------------------------------ the work

    async def _work(self, held: HeldLease) -> None:
        begun = asyncio.get_running_loop().time()
        await self._make_result(held)
        self._pace.took(asyncio.get_running_loop().time() - begun)
        self._grant()

    async def _make_result(self, held: HeldLease) -> None:
        lease_id = held.assign.lease_id
        try:
            assignment = await assignment_from_proto(held.assign, self._told_of(held))
        except StaleLease:
            log.info("lease_stale", lease=lease_id)  # the runner has taken it back and waits for nothing
            # guard (2 lines): stale lease of an input ->
            #     held.result = no_result(held.assign.phase, execution_pb2.FAILURE_KIND_TRANSIENT, "stale")
            self.forget(lease_id)
            return
        except SignoffError as error:
            log.warning("input_not_fetched", lease=lease_id, problem=str(error))
            problem = f"an input could not be fetched: {error}"
            held.result = no_result(held.assign.phase, execution_pb2.FAILURE_KIND_TRANSIENT, problem)
        else:
            held.result = await self._handled(assignment, held)
        # guard (2 lines): results wait for keep -> self._send_result(held)
        if held.confirmed:
            self._send_result(held)

    def _told_of(self, held: HeldLease) -> Fetch:
        """Each input that has come is progress: to fetch many of them takes longer than a runner waits for a word."""

        async def fetch(artifact: worker_pb2.InputArtifact) -> Bytes:
            content = await held.fetch(artifact)
            held.word.tokens(0)
            return content

        return fetch

    async def _handled(self, assignment: Assignment, held: HeldLease) -> Result:
        try:
            result = await self._handler(assignment, held.word)
            if not isinstance(result, CandidateResult | FailureResult | VerdictResult):
                raise TypeError(f"expected the handler to return a Result, but got {type(result).__name__}")
            return result
        except Exception as error:
            log.error("handler_failed", lease=assignment.lease_id, exc_info=error)
            problem = f"a bug in the worker: {type(error).__name__}: {error}"
            return no_result(assignment.phase, execution_pb2.FAILURE_KIND_PERMANENT, problem)

    def _send_result(self, held: HeldLease) -> None:
        if held.result is not None:
            self._accepted.pop(held.assign.lease_id, None)  # its result says so too
            self._results.append(held.assign.lease_id)
            self._wake()

    def _has_changed(self, lease_id: str) -> None:
        if lease_id in self._held:
            self._changed[lease_id] = None
            self._wake()
        elif lease_id in self._dropped:
            self._tell_costs(self._dropped[lease_id])

    def _say(self, message: Message) -> None:
        self._answers.append(message)
        self._wake()

    # ------------------------------------------------------------ what the stream sends

    def outgoing(self) -> Iterator[Message]:
        """Everything there is to say; what was yielded is not yielded again on this stream.

        Answers first, and between the pieces of a large result too: a Pong that waits for megabytes comes too late.
        """
        yield from self._take_answers()
        changed, self._changed = self._changed, {}
        for lease_id in changed:
            if lease_id in self._held:
                yield from self._held[lease_id].word.take(self.limits)
        results, self._results = self._results, []
        for lease_id in results:
            held = self._held.get(lease_id)
            for message in self._result_messages(held) if held is not None else ():
                yield message
                yield from self._take_answers()

    def _take_answers(self) -> Iterator[Message]:
        answers, self._answers = self._answers, []
        accepted, self._accepted = self._accepted, {}
        yield from answers
        for lease_id in accepted:
            yield Message(accepted=worker_pb2.Accepted(lease_id=lease_id))

    def _result_messages(self, held: HeldLease) -> Iterator[Message]:
        if held.result is not None:
            yield from messages_of(held.assign.lease_id, held.result, self.limits)
