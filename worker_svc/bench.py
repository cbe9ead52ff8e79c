"""The leases a worker holds and the work under each: what survives a lost stream.

The bench says what is to be sent; the stream sends it. Progress is kept as the latest word of each lease and not as a
queue, so that a slow stream costs memory for one message a lease. Results are kept until the runner acknowledges them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.codec import Fetch, Limits, assignment_from_proto, messages_of
from worker_svc.work import Handler, Result, VerdictGiven, WorkFailed

log = structlog.get_logger(__name__)

MAX_UNSENT_THINKING = 64 * 1024  # characters a lease keeps; older ones are dropped and the gap is marked

Message = worker_pb2.WorkerMessage


@dataclass(slots=True)
class Word:
    """What a lease would tell if the stream had room: implements work.Report."""

    lease_id: str
    changed: Callable[[str], None]
    thinking_wanted: bool
    _thinking: list[str] = field(default_factory=list)
    _length: int = 0
    _gap: bool = False
    _tokens: int = 0
    _usage: dict[str, worker_pb2.Usage] = field(default_factory=dict)

    def thinking(self, text: str) -> None:
        if not self.thinking_wanted:
            return
        self._thinking.append(text)
        self._length += len(text)
        while self._length > MAX_UNSENT_THINKING:
            self._length -= len(self._thinking.pop(0))
            self._gap = True
        self.changed(self.lease_id)

    def tokens(self, received: int) -> None:
        self._tokens = received
        self.changed(self.lease_id)

    def usage(self, model: str, *, input_tokens: int, output_tokens: int, requests: int) -> None:
        self._usage[model] = worker_pb2.Usage(
            lease_id=self.lease_id,
            model=model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            requests=requests,
        )
        self.changed(self.lease_id)

    def take(self) -> Iterator[Message]:
        """The messages that say it all; what was said is forgotten."""
        thinking = "".join(self._thinking)
        yield Message(
            progress=worker_pb2.Progress(lease_id=self.lease_id, thinking=thinking, tokens=self._tokens, gap=self._gap)
        )
        yield from (Message(usage=usage) for usage in self._usage.values())
        self._thinking, self._length, self._gap = [], 0, False
        self._usage = {}


@dataclass(slots=True)
class Held:
    """A lease and the work under it."""

    assign: worker_pb2.Assign
    word: Word
    task: asyncio.Task[None] | None = None
    result: Result | None = None


class Bench:
    """Works on assignments with one handler.

    `wake` is called whenever `outgoing` has something to say. Owned by one event loop.
    """

    def __init__(self, handler: Handler, slots: int, wake: Callable[[], None]) -> None:
        self.slots = slots
        self.limits = Limits()
        self.draining = False
        self._handler = handler
        self._wake = wake
        self._held: dict[str, Held] = {}
        self._answers: list[Message] = []  # of this stream: accepted, declined, abandoned, pong
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

    # ------------------------------------------------------------ what the runner says

    def assigned(self, assign: worker_pb2.Assign, fetch: Fetch) -> None:
        """Starts the work, or declines it. A lease that is held already is accepted again: the answer was lost."""
        lease_id = assign.lease_id
        if self.draining and lease_id not in self._held:
            self._say(Message(declined=worker_pb2.Declined(lease_id=lease_id, reason="the worker is draining")))
            return
        if lease_id not in self._held:
            held = Held(assign, Word(lease_id, self._has_changed, assign.thinking_wanted))
            self._held[lease_id] = held
            self._empty.clear()
            held.task = asyncio.create_task(self._work(held, fetch), name=f"work {lease_id}")
        self._say(Message(accepted=worker_pb2.Accepted(lease_id=lease_id)))

    def kept(self, lease_id: str) -> None:
        """The lease survived the lost stream; its result, if there is one, may have been lost with it."""
        if lease_id in self._held and self._held[lease_id].result is not None:
            self._send_result(lease_id)

    def attention(self, lease_id: str, thinking_wanted: bool) -> None:
        if lease_id in self._held:
            self._held[lease_id].word.thinking_wanted = thinking_wanted

    def forget(self, lease_id: str, *, drop_work: bool = False) -> None:
        """The lease is over. `drop_work`: and what runs under it is cancelled, with the requests behind it."""
        held = self._held.pop(lease_id, None)
        self._changed.pop(lease_id, None)
        if held is not None and held.task is not None and drop_work:
            held.task.cancel()
        if not self._held:
            self._empty.set()

    def abandon_all(self, reason: str) -> None:
        """Gives every lease back, with results that were not acknowledged dropped."""
        for lease_id in self.lease_ids:
            self.forget(lease_id, drop_work=True)
            self._say(Message(abandon=worker_pb2.Abandon(lease_id=lease_id, reason=reason)))

    def say(self, message: Message) -> None:
        """Queues an answer that belongs to no lease."""
        self._say(message)

    # ------------------------------------------------------------ the work

    async def _work(self, held: Held, fetch: Fetch) -> None:
        lease_id = held.assign.lease_id
        try:
            assignment = await assignment_from_proto(held.assign, fetch)
            held.result = await self._handler(assignment, held.word)
        except Exception as error:
            log.error("handler_failed", lease=lease_id, exc_info=error)
            held.result = _bug(held.assign.phase, error)
        if lease_id in self._held:
            self._send_result(lease_id)

    def _send_result(self, lease_id: str) -> None:
        self._results.append(lease_id)
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
        """Everything there is to say, answers first; what was yielded is not yielded again on this stream."""
        answers, self._answers = self._answers, []
        yield from answers
        changed, self._changed = self._changed, {}
        for lease_id in changed:
            if lease_id in self._held:
                yield from self._held[lease_id].word.take()
        results, self._results = self._results, []
        for lease_id in results:
            held = self._held.get(lease_id)
            if held is not None and held.result is not None:
                yield from messages_of(lease_id, held.result, self.limits)

    def stream_lost(self) -> None:
        """What was queued for the old stream is void: the next Welcome says what is still to be said."""
        self._answers, self._results = [], []


def _bug(phase: execution_pb2.Phase.ValueType, error: Exception) -> Result:
    message = f"a bug in the worker: {type(error).__name__}: {error}"
    if phase == execution_pb2.PHASE_VALIDATE:
        return VerdictGiven(outcome=execution_pb2.OUTCOME_ERROR, results=(), feedback=message)
    return WorkFailed(kind=execution_pb2.FAILURE_KIND_PERMANENT, message=message)
