"""The leases a worker holds and the work under each: what survives a lost stream.

The bench says what is to be sent; the stream sends it. Progress is kept as the latest word of each lease and not as a
queue, so that a slow stream costs memory for one message a lease. Results are kept until the runner acknowledges them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from signoff.errors import SignoffError, StaleLease
from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.codec import Fetch, Limits, assignment_from_proto, messages_of
from worker_svc.word import Message, Word
from worker_svc.work import Assignment, CandidateMade, Handler, Result, VerdictGiven, WorkFailed

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Held:
    """A lease and the work under it."""

    assign: worker_pb2.Assign
    word: Word
    confirmed: bool = True  #: on this stream, by Assign or Keep; before that, nobody waits for its result here
    task: asyncio.Task[None] | None = None
    result: Result | None = None


class Bench:
    """Works on assignments with one handler.

    `wake` is called whenever `outgoing` has something to say. Owned by one event loop.
    """

    def __init__(self, handler: Handler, slots: int, wake: Callable[[], None]) -> None:
        self.slots = slots
        self.limits = Limits()
        self._draining = False
        self._handler = handler
        self._wake = wake
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # also those that are being cancelled
        self._answers: list[Message] = []  # of this stream: credit, accepted, declined, abandon, pong
        self._results: list[str] = []  # leases whose result is to be sent on this stream
        self._changed: dict[str, None] = {}  # leases with something new to say
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def lease_ids(self) -> tuple[str, ...]:
        return tuple(self._held)

    async def until_empty(self) -> None:
        """Returns when no lease is held: every result is acknowledged."""
        await self._empty.wait()

    # ------------------------------------------------------------ the life of the worker

    def welcomed(self, limits: Limits) -> None:
        """A stream begins: says what the worker is willing to take on it."""
        self.limits = limits
        if self._draining:
            self._say(Message(draining=worker_pb2.Draining()))
        else:
            self._say(Message(credit=worker_pb2.Credit(window=self.slots)))

    def stream_lost(self) -> None:
        """What was queued for the old stream is void: Welcome and Keep on the next one say what is still to be said."""
        self._answers, self._results = [], []
        for held in self._held.values():
            held.confirmed = False
            held.word.stream_lost()

    def drain(self) -> None:
        """From now on nothing new is taken."""
        self._draining = True
        self._say(Message(draining=worker_pb2.Draining()))

    def abandon_unfinished(self, reason: str) -> None:
        """Drops the work that has no result yet and gives its leases back. Results are still to be sent."""
        for lease_id, held in list(self._held.items()):
            if held.result is None:
                self.forget(lease_id, drop_work=True)
                self._say(Message(abandon=worker_pb2.Abandon(lease_id=lease_id, reason=reason)))

    async def end(self) -> None:
        """Drops all work and returns when none of it runs any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ what the runner says

    def assigned(self, assign: worker_pb2.Assign, fetch: Fetch) -> None:
        """Starts the work, or declines it. A lease that is held already is accepted again: the answer was lost."""
        lease_id = assign.lease_id
        if self._draining and lease_id not in self._held:
            self._say(Message(declined=worker_pb2.Declined(lease_id=lease_id, reason="the worker is draining")))
            return
        if lease_id not in self._held:
            self._begin(assign, fetch)
        self._say(Message(accepted=worker_pb2.Accepted(lease_id=lease_id)))
        self.kept(lease_id)

    def _begin(self, assign: worker_pb2.Assign, fetch: Fetch) -> None:
        held = Held(assign, Word(assign.lease_id, self._has_changed, assign.thinking_wanted))
        self._held[assign.lease_id] = held
        self._empty.clear()
        held.task = asyncio.create_task(self._work(held, fetch), name=f"work {assign.lease_id}")
        self._tasks.add(held.task)
        held.task.add_done_callback(self._tasks.discard)

    def kept(self, lease_id: str) -> None:
        """The lease survived the lost stream; its result, if there is one, may have been lost with it."""
        held = self._held.get(lease_id)
        if held is not None and not held.confirmed:
            held.confirmed = True
            self._send_result(held)

    def attention(self, lease_id: str, thinking_wanted: bool) -> None:
        if lease_id in self._held:
            self._held[lease_id].word.attend(thinking_wanted)

    def forget(self, lease_id: str, *, drop_work: bool = False) -> None:
        """The lease is over. `drop_work`: and what runs under it is cancelled, with the requests behind it."""
        held = self._held.pop(lease_id, None)
        self._changed.pop(lease_id, None)
        if held is not None and held.task is not None and drop_work:
            held.task.cancel()
        if not self._held:
            self._empty.set()

    def say(self, message: Message) -> None:
        """Queues an answer that belongs to no lease."""
        self._say(message)

    # ------------------------------------------------------------ the work

    async def _work(self, held: Held, fetch: Fetch) -> None:
        lease_id = held.assign.lease_id
        try:
            assignment = await assignment_from_proto(held.assign, fetch)
        except StaleLease:
            log.info("lease_stale", lease=lease_id)  # the runner has taken it back and waits for nothing
            self.forget(lease_id)
            return
        except SignoffError as error:
            log.warning("input_not_fetched", lease=lease_id, problem=str(error))
            problem = f"an input could not be fetched: {error}"
            held.result = _no_result(held.assign.phase, execution_pb2.FAILURE_KIND_TRANSIENT, problem)
        else:
            held.result = await self._handled(assignment, held)
        if held.confirmed:
            self._send_result(held)

    async def _handled(self, assignment: Assignment, held: Held) -> Result:
        try:
            result = await self._handler(assignment, held.word)
            if not isinstance(result, CandidateMade | WorkFailed | VerdictGiven):
                raise TypeError(f"expected the handler to return a Result, but got {type(result).__name__}")
            return result
        except Exception as error:
            log.error("handler_failed", lease=assignment.lease_id, exc_info=error)
            problem = f"a bug in the worker: {type(error).__name__}: {error}"
            return _no_result(assignment.phase, execution_pb2.FAILURE_KIND_PERMANENT, problem)

    def _send_result(self, held: Held) -> None:
        if held.result is not None:
            self._results.append(held.assign.lease_id)
            self._wake()

    def _has_changed(self, lease_id: str) -> None:
        if lease_id in self._held:
            self._changed[lease_id] = None
            self._wake()

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
        yield from answers

    def _result_messages(self, held: Held) -> Iterator[Message]:
        if held.result is not None:
            yield from messages_of(held.assign.lease_id, held.result, self.limits)


def _no_result(
    phase: execution_pb2.Phase.ValueType, kind: execution_pb2.FailureKind.ValueType, problem: str
) -> WorkFailed | VerdictGiven:
    """A failure, as the phase can say it: what keeps a judge from judging counts neither for nor against."""
    if phase == execution_pb2.PHASE_VALIDATE:
        return VerdictGiven(outcome=execution_pb2.OUTCOME_ERROR, results=(), feedback=problem)
    return WorkFailed(kind=kind, message=problem)
