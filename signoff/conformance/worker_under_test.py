"""The worker under test: the streams it opens, the leases it was given, and its process when the kit started it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from signoff.conformance.command import WorkerProcess
from signoff.conformance.limits import FRAME_LIMIT, INLINE_LIMIT, MOST_BYTES, MOST_FILES
from signoff.conformance.messages import (
    CRITERIA,
    EXECUTION_ID,
    EXECUTOR,
    MAKER_ID,
    NEWER,
    PLAN_ID,
    VALIDATOR,
    Role,
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
from signoff.conformance.outcome import NotMet
from signoff.conformance.runner import KitRunner
from signoff.conformance.stream import StreamNotes, WorkerStream
from signoff.conformance.timings import KitTimings
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2

CANDIDATE = b"Mars"


class WorkerGone(Exception):
    """The worker does not come back, and the kit cannot start it."""


class WorkerUnderTest:
    """The checks' handle on the worker. There is one worker at a time; its first Hello tells its `role`."""

    def __init__(
        self, runner: KitRunner, notes: StreamNotes, timings: KitTimings, process: WorkerProcess | None
    ) -> None:
        self.runner = runner
        self.notes = notes
        self.timings = timings
        self.process = process
        self.role: Role = EXECUTOR
        self.features: frozenset[str] = frozenset()  #: that its first Hello has announced
        self.pauses: list[float] = []  #: seconds before the worker came back to a runner that had welcomed it
        self._current: WorkerStream | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._leases = (f"L{number}" for number in itertools.count(1))
        self._sessions = itertools.count(1)

    def beats(self, count: int) -> float:
        """Returns how many seconds some beats last."""
        return count * self.timings.beat

    @property
    def result_kind(self) -> str:
        """The kind of message that ends a finished piece of work."""
        return "verdict" if self.role == VALIDATOR else "candidate"

    # ------------------------------------------------------------ streams

    async def next_stream(self, within: float = 0.0) -> WorkerStream:
        """Waits for the worker's next stream, and returns it after its Hello. Raises NotMet when none comes."""
        seconds = within or self.timings.back
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
        """Returns the worker's next stream, or None when its process ends before. Raises TimeoutError."""
        coming = asyncio.create_task(self._next_open_stream())
        ending = asyncio.create_task(self.process.ended() if self.process else asyncio.Event().wait())
        try:
            async with asyncio.timeout(within):
                await asyncio.wait([coming, ending], return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else None
        finally:
            coming.cancel()
            ending.cancel()
            await asyncio.gather(coming, ending, return_exceptions=True)

    async def _next_open_stream(self) -> WorkerStream:
        while not (found := await self.runner.next_stream()).is_open:
            pass  # one that the worker has given up by now
        return found

    def _take_over(self, found: WorkerStream) -> None:
        before, self._current = self._current, found
        if before is None:
            self.role = found.hello.role
            self.features = frozenset(found.hello.features)
        elif before.session_id and before.ended_at:
            self.pauses.append(found.began_at - before.ended_at)

    async def new_stream(self) -> WorkerStream:
        """Returns a stream that was not welcomed yet. Ends the worker's current stream when it was welcomed."""
        current = self._current
        if current is not None and current.is_open and not current.session_id:
            return current
        if current is not None:
            current.end()
        return await self.next_stream()

    async def ready_stream(self) -> WorkerStream:
        """Returns a stream that was welcomed, and on which the worker has granted credit."""
        current = self._current
        if current is not None and current.is_open and current.session_id:
            return current
        return await self.greet(await self.new_stream())

    async def greet(self, stream: WorkerStream, **welcome: Any) -> WorkerStream:
        """Says Welcome, and an answer for each lease that Hello names; then waits for the worker's credit."""
        await self.say_welcome(stream, **welcome)
        await stream.expect("credit", where=lambda credit: credit.window > 0)
        return stream

    async def say_welcome(
        self,
        stream: WorkerStream,
        *,
        kept: Sequence[str] = (),
        committed: Sequence[str] = (),
        ping_interval: float = 0.0,
        from_newer: bool = False,
    ) -> None:
        """Says Welcome, and answers each lease that Hello names: Keep or Ack when it is named here, else Stop.

        With a `ping_interval`, pings are left to the check. `from_newer` adds a field that no worker knows yet.
        """
        stream.session_id = f"session-{next(self._sessions)}"
        welcome = self._welcome(stream.session_id, ping_interval or self.timings.ping)
        if from_newer:
            welcome.MergeFromString(NEWER)
        answers = [_answer(lease, kept, committed) for lease in stream.hello.held_lease_ids]
        await stream.say(Said(welcome=welcome), *answers)
        self._keep_alive(None if ping_interval else stream)

    def _welcome(self, session: str, ping_interval: float) -> worker_pb2.Welcome:
        return worker_pb2.Welcome(
            session_id=session,
            epoch=1,
            ping_interval=duration(ping_interval),
            lease_duration=duration(60),
            resume_grace=duration(60),
            accept_deadline=duration(self.timings.answer),
            max_frame_bytes=FRAME_LIMIT,
            inline_limit_bytes=INLINE_LIMIT,
            max_candidate_bytes=MOST_BYTES,
            max_files=MOST_FILES,
        )

    def _keep_alive(self, stream: WorkerStream | None) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
        self._pinging = asyncio.create_task(stream.keep_alive(self.timings.ping)) if stream is not None else None

    # ------------------------------------------------------------ work

    def new_lease(self) -> str:
        """Returns the id of a new lease."""
        return next(self._leases)

    def assign(
        self,
        lease: str,
        instructions: dict[str, Any],
        *,
        given: bytes = CANDIDATE,
        by_reference: bool = False,
        checks: Sequence[plan_pb2.Check] = (),
        criteria: Sequence[str] = CRITERIA,
        feedback: worker_pb2.Feedback | None = None,
    ) -> Said:
        """Returns an assignment for the worker's role. An executor reads what is `given`, a validator judges it."""
        message = worker_pb2.Assign(
            lease_id=lease,
            phase=execution_pb2.PHASE_EXECUTE,
            execution_id=EXECUTION_ID,
            plan_id=PLAN_ID,
            attempt=2 if feedback else 1,
            task=task(instructions, criteria, checks),
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

    async def accepted_lease(self, stream: WorkerStream, **instructions: Any) -> str:
        """Assigns work with these instructions for the test mode, and returns its lease once the worker accepted it."""
        lease = self.new_lease()
        await stream.say(self.assign(lease, instructions))
        await stream.accepted(lease)
        return lease

    async def result(self, stream: WorkerStream, lease: str) -> Any:
        """Waits for the candidate or the verdict under this lease, and returns it."""
        return await stream.expect(self.result_kind, lease=lease)

    @contextmanager
    def withheld(self, body: bytes) -> Iterator[None]:
        """Holds an artifact back until the end of the block."""
        artifacts = self.runner.artifacts
        artifacts.put(digest_of(body), body)
        artifacts.open.clear()
        try:
            yield
        finally:
            artifacts.open.set()

    def require_held(self, stream: WorkerStream, lease: str) -> None:
        """Raises NotMet when Hello does not name this lease."""
        if lease not in stream.hello.held_lease_ids:
            held = list(stream.hello.held_lease_ids)
            raise NotMet(f"expected hello to name {lease}, which the worker holds, but it names {held}")

    def require_let_go(self, stream: WorkerStream, lease: str) -> None:
        """Raises NotMet when Hello still names this lease."""
        if lease in stream.hello.held_lease_ids:
            raise NotMet(f"expected hello without {lease}, which has ended, but it names it")

    # ------------------------------------------------------------ its end

    def ask_to_end(self) -> None:
        """Asks the worker's process to end, as SIGTERM does. Only checks with `needs_command` may call it."""
        assert self.process is not None
        self.process.ask_to_end()

    async def require_end(self) -> None:
        """Waits for the worker's process to end. Raises NotMet when it opens another stream, or goes on."""
        try:
            again = await self._stream_or_end(self.timings.leave)
        except TimeoutError:
            raise NotMet(f"expected the worker to end within {self.timings.leave:g} s, but it did not") from None
        if again is not None:
            self._take_over(again)
            raise NotMet("expected the worker to end for good, but it opened another stream")

    # ------------------------------------------------------------ between checks

    async def make_ready(self, within: float) -> None:
        """Prepares a check: starts the process if need be, and waits for an open stream. Raises WorkerGone."""
        if self.process is not None and not self.process.is_running:
            self._current = None
            await self.process.start(self.runner.address)
        if self._current is not None and self._current.is_open:
            return
        try:
            await self.next_stream(within)
        except NotMet as failed:
            raise WorkerGone(str(failed)) from None

    async def settle(self, *, passed: bool) -> None:
        """Cleans up after a check: cancels its leases. After a failed one, ends the process or the stream."""
        current = self._current
        if not passed and self.process is not None:
            await self.end()
        elif current is not None and current.is_open and not passed:
            current.end()
        elif current is not None and current.is_open and current.leases:
            await current.say(*map(cancel, current.leases))

    async def end(self) -> None:
        """Ends the worker's stream, and its process when the kit started it."""
        self._keep_alive(None)
        if self._current is not None:
            self._current.end()
            self._current = None
        if self.process is not None:
            await self.process.kill()


def _answer(lease: str, kept: Sequence[str], committed: Sequence[str]) -> Said:
    if lease in kept:
        return keep(lease)
    return ack(lease) if lease in committed else stop(lease)
