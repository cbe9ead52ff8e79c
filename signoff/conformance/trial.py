"""The worker on trial: the streams it opens, the leases it was given, and its process when the kit may end it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from signoff.conformance.check import EXECUTOR, VALIDATOR, NotMet, Role
from signoff.conformance.command import Subject
from signoff.conformance.conversation import StreamNotes, WorkerStream
from signoff.conformance.runner import KitRunner
from signoff.conformance.speech import (
    CRITERIA,
    EXECUTION_ID,
    MAKER_ID,
    NEWER,
    PLAN_ID,
    Said,
    ack,
    cancel,
    content,
    digest_of,
    duration,
    keep,
    stop,
    task,
)
from signoff.conformance.tempo import Tempo
from signoff.rpc.frames import LEAST_FRAME_BYTES
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2

FRAME_LIMIT = LEAST_FRAME_BYTES  # the least that Welcome may say
INLINE_LIMIT = 16 * 1024
MOST_BYTES = 1_000_000  # of a candidate
CANDIDATE = b"Mars"


class WorkerGone(Exception):
    """The worker does not come back, and the kit cannot start it."""


class Trial:
    """What checks work with. One worker at a time; `role` is known from its first Hello on."""

    def __init__(self, runner: KitRunner, notes: StreamNotes, tempo: Tempo, subject: Subject | None) -> None:
        self.runner = runner
        self.notes = notes
        self.tempo = tempo
        self.subject = subject
        self.role: Role = EXECUTOR
        self.pauses: list[float] = []  #: seconds before the worker came back to a runner that had welcomed it
        self._current: WorkerStream | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._leases = (f"L{number}" for number in itertools.count(1))
        self._sessions = itertools.count(1)

    def beats(self, count: int) -> float:
        """Seconds that so many beats last."""
        return count * self.tempo.beat

    @property
    def result_kind(self) -> str:
        """The message that a finished piece of work ends in."""
        return "verdict" if self.role == VALIDATOR else "candidate"

    # ------------------------------------------------------------ streams

    async def comes_back(self, within: float = 0.0) -> WorkerStream:
        """The worker's next stream, after its Hello. Raises NotMet when none comes."""
        seconds = within or self.tempo.back
        try:
            found = await self._stream_or_end(seconds)
        except TimeoutError:
            raise NotMet(f"expected the worker to open a stream within {seconds:g} s, but it did not") from None
        if found is None:
            raise NotMet("expected the worker to open a stream, but its process ended")
        self._take_over(found)
        if not found.begins_with.startswith("hello("):
            found.end()
            raise NotMet(f"expected a stream to begin with hello, but got {found.begins_with}")
        return found

    async def _stream_or_end(self, within: float) -> WorkerStream | None:
        """The worker's next stream, or None when its process ends before. Raises TimeoutError."""
        coming = asyncio.create_task(self._next_stream())
        ending = asyncio.create_task(self.subject.ended() if self.subject else asyncio.Event().wait())
        try:
            async with asyncio.timeout(within):
                await asyncio.wait([coming, ending], return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else None
        finally:
            coming.cancel()
            ending.cancel()
            await asyncio.gather(coming, ending, return_exceptions=True)

    async def _next_stream(self) -> WorkerStream:
        while not (found := await self.runner.next_stream()).is_open:
            pass  # one that the worker has given up by now
        return found

    def _take_over(self, found: WorkerStream) -> None:
        before, self._current = self._current, found
        if before is None:
            self.role = found.hello.role
        elif before.session_id and before.ended_at:
            self.pauses.append(found.began_at - before.ended_at)

    async def fresh(self) -> WorkerStream:
        """A stream that was not welcomed yet: the worker's current one is ended when it was."""
        current = self._current
        if current is not None and current.is_open and not current.session_id:
            return current
        if current is not None:
            current.end()
        return await self.comes_back()

    async def conversation(self) -> WorkerStream:
        """A stream that was welcomed, and on which the worker has granted credit."""
        current = self._current
        if current is not None and current.is_open and current.session_id:
            return current
        return await self.welcomed(await self.fresh())

    async def welcomed(self, talk: WorkerStream, **welcome: Any) -> WorkerStream:
        """Says Welcome, and an answer for each lease that Hello names; then waits for the worker's credit."""
        await self.welcome(talk, **welcome)
        await talk.expect("credit", where=lambda credit: credit.window > 0)
        return talk

    async def welcome(
        self,
        talk: WorkerStream,
        *,
        kept: Sequence[str] = (),
        committed: Sequence[str] = (),
        ping_interval: float = 0.0,
        from_newer: bool = False,
    ) -> None:
        """Answers a lease with Keep or Ack when it is named here, and with Stop when it is not.

        `ping_interval`: the check pings by itself, if at all. `from_newer`: with a field nobody knows yet.
        """
        talk.session_id = f"session-{next(self._sessions)}"
        welcome = self._welcome(talk.session_id, ping_interval or self.tempo.ping)
        if from_newer:
            welcome.MergeFromString(NEWER)
        answers = [_answer(lease, kept, committed) for lease in talk.hello.held_lease_ids]
        await talk.say(Said(welcome=welcome), *answers)
        self._keep_alive(None if ping_interval else talk)

    def _welcome(self, session: str, ping_interval: float) -> worker_pb2.Welcome:
        return worker_pb2.Welcome(
            session_id=session,
            epoch=1,
            ping_interval=duration(ping_interval),
            lease_duration=duration(60),
            resume_grace=duration(60),
            accept_deadline=duration(self.tempo.answer),
            max_frame_bytes=FRAME_LIMIT,
            inline_limit_bytes=INLINE_LIMIT,
            max_candidate_bytes=MOST_BYTES,
        )

    def _keep_alive(self, talk: WorkerStream | None) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
        self._pinging = asyncio.create_task(talk.keep_alive(self.tempo.ping)) if talk is not None else None

    # ------------------------------------------------------------ work

    def lease(self) -> str:
        """The id of a new lease."""
        return next(self._leases)

    def assign(
        self,
        lease: str,
        told: dict[str, Any],
        *,
        given: bytes = CANDIDATE,
        by_reference: bool = False,
        checks: Sequence[plan_pb2.Check] = (),
        criteria: Sequence[str] = CRITERIA,
        feedback: worker_pb2.Feedback | None = None,
    ) -> Said:
        """An assignment of the worker's role. An executor reads what is `given`, a validator judges it."""
        message = worker_pb2.Assign(
            lease_id=lease,
            phase=execution_pb2.PHASE_EXECUTE,
            execution_id=EXECUTION_ID,
            plan_id=PLAN_ID,
            attempt=2 if feedback else 1,
            task=task(told, criteria, checks),
            feedback=feedback,
            run_timeout=duration(1800),
            idle_timeout=duration(120),
            idea="Show what a worker does.",
        )
        if self.role == VALIDATOR:
            message.phase = execution_pb2.PHASE_VALIDATE
            message.candidate.CopyFrom(content(given, by_reference=by_reference))
        else:
            message.inputs.append(content(given, task_id=MAKER_ID, by_reference=by_reference))
        return Said(assign=message)

    async def assigned(self, talk: WorkerStream, **told: Any) -> str:
        """A new lease that the worker has accepted, for work as the test mode is told."""
        lease = self.lease()
        await talk.say(self.assign(lease, told))
        await talk.accepted(lease)
        return lease

    async def result(self, talk: WorkerStream, lease: str) -> Any:
        """The candidate or the verdict under this lease."""
        return await talk.expect(self.result_kind, lease=lease)

    @contextmanager
    def withheld(self, body: bytes) -> Iterator[None]:
        """An artifact that is not served before the end of the block."""
        artifacts = self.runner.artifacts
        artifacts.put(digest_of(body), body)
        artifacts.open.clear()
        try:
            yield
        finally:
            artifacts.open.set()

    def require_held(self, talk: WorkerStream, lease: str) -> None:
        if lease not in talk.hello.held_lease_ids:
            held = list(talk.hello.held_lease_ids)
            raise NotMet(f"expected hello to name {lease}, which the worker holds, but it names {held}")

    def require_let_go(self, talk: WorkerStream, lease: str) -> None:
        if lease in talk.hello.held_lease_ids:
            raise NotMet(f"expected hello without {lease}, which has ended, but it names it")

    # ------------------------------------------------------------ its end

    def ask_to_end(self) -> None:
        """As SIGTERM does. Only for checks that need a command."""
        assert self.subject is not None
        self.subject.ask_to_end()

    async def ends(self) -> None:
        """Waits for the worker to end. Raises NotMet when it opens another stream, or goes on."""
        try:
            again = await self._stream_or_end(self.tempo.leave)
        except TimeoutError:
            raise NotMet(f"expected the worker to end within {self.tempo.leave:g} s, but it did not") from None
        if again is not None:
            self._take_over(again)
            raise NotMet("expected the worker to end for good, but it opened another stream")

    # ------------------------------------------------------------ between checks

    async def make_ready(self, within: float) -> None:
        """Leaves the worker with an open stream and nothing in hand. Raises WorkerGone when it does not come."""
        if self.subject is not None and not self.subject.is_running:
            self._current = None
            await self.subject.start(self.runner.address)
        if self._current is not None and self._current.is_open:
            return
        try:
            await self.comes_back(within)
        except NotMet as failed:
            raise WorkerGone(str(failed)) from None

    async def settle(self, *, passed: bool) -> None:
        """After a check: takes back what is still at work; after a failure, begins anew as far as that is possible."""
        current = self._current
        if not passed and self.subject is not None:
            await self.end()
        elif current is not None and current.is_open and not passed:
            current.end()
        elif current is not None and current.is_open and current.leases:
            await current.say(*map(cancel, current.leases))

    async def end(self) -> None:
        """Ends the worker's process when it is the kit's, and its stream."""
        self._keep_alive(None)
        if self._current is not None:
            self._current.end()
            self._current = None
        if self.subject is not None:
            await self.subject.kill()


def _answer(lease: str, kept: Sequence[str], committed: Sequence[str]) -> Said:
    if lease in kept:
        return keep(lease)
    return ack(lease) if lease in committed else stop(lease)
