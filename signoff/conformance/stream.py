"""One stream of the worker under test. Each message that comes waits until a check expects it."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from signoff.conformance.messages import Said, describe_message, ping
from signoff.conformance.outcome import NotMet
from signoff.v1 import worker_pb2

Heard = worker_pb2.WorkerMessage
Context = grpc.aio.ServicerContext[Any, Any]
Ending = Callable[[], Awaitable[object]]

RESULTS = frozenset({"candidate", "candidate_chunk", "failure", "verdict"})
ENDS = RESULTS | {"declined", "abandon"}  # after one of these no other message of a lease can be expected
MOST_WAITING = 10_000  # messages that no check has expected yet; beyond that the oldest are dropped
OWN_NONCES = 1 << 62  # the kit keeps streams alive with pings that no check has asked for


@dataclass(slots=True)
class StreamNotes:
    """Rules that are broken on any stream, noted down whatever the current check is about."""

    frame_limit: int  #: as Welcome says it, in bytes
    given: set[str] = field(default_factory=set)  #: all leases so far
    frames: list[str] = field(default_factory=list)  #: frames that are too large, or empty
    strangers: list[str] = field(default_factory=list)  #: messages under a lease that was never given

    def take(self, frame: worker_pb2.ConnectRequest) -> None:
        """Notes what is wrong with a frame."""
        size = frame.ByteSize()
        if size > self.frame_limit:
            self.frames.append(f"a frame of {size} bytes that begins with {describe_message(frame.messages[0])}")
        if not frame.messages:
            self.frames.append("a frame without a message")
        self.strangers += [
            describe_message(message) for message in frame.messages if not self._is_known(lease_of(message))
        ]

    def _is_known(self, lease: str | None) -> bool:
        return lease is None or lease in self.given


def lease_of(message: Heard) -> str | None:
    """Returns the lease a message is about; None when it is about none."""
    kind = message.WhichOneof("kind")
    return getattr(getattr(message, kind), "lease_id", None) if kind else None


class WorkerStream:
    """A stream after its Hello. Messages wait in the order they came; `expect` takes one of them out."""

    def __init__(self, context: Context, first: worker_pb2.ConnectRequest, notes: StreamNotes, patience: float) -> None:
        self.hello = first.messages[0].hello if first.messages else worker_pb2.Hello()
        self.begins_with = describe_message(first.messages[0]) if first.messages else "an empty frame"
        self.began_at = asyncio.get_running_loop().time()
        self.ended_at = 0.0  #: when the kit ended it
        self.session_id = ""  #: set by Welcome
        self.peer = str(context.peer())
        self.is_over = False  #: the worker has nothing more to say
        self.leases: set[str] = set()  #: given here, and not taken back
        self.window = 0  #: the credit that the worker granted last
        self._context = context
        self._notes = notes
        self._patience = patience
        self._waiting = deque(first.messages[1:], maxlen=MOST_WAITING)
        self._something = asyncio.Event()
        self._nonces = itertools.count(1)
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        notes.take(first)

    @property
    def is_open(self) -> bool:
        return not (self.is_over or self._ending.done())

    # ------------------------------------------------------------ saying

    async def say(self, *messages: Said) -> None:
        """Sends messages in one frame. Raises NotMet when the worker has left."""
        if not self.is_open:
            raise NotMet(f"expected the worker to stay, but {self._how_it_ended()}")
        for message in messages:
            self._note_lease(message)
        try:
            await self._context.write(worker_pb2.ConnectResponse(messages=messages))
        except Exception as broken:  # gRPC's own error has no public name
            raise NotMet("expected the worker to stay, but its stream broke") from broken

    def _note_lease(self, message: Said) -> None:
        kind = message.WhichOneof("kind")
        if kind in ("assign", "keep"):
            lease = getattr(message, kind).lease_id
            self.leases.add(lease)
            self._notes.given.add(lease)
        elif kind in ("ack", "cancel", "superseded", "stop"):
            self.leases.discard(getattr(message, kind).lease_id)

    async def ask_for_pong(self, within: float = 0.0) -> None:
        """Sends a ping and waits for its pong: by then the worker has heard everything said before."""
        nonce = next(self._nonces)
        await self.say(ping(nonce))
        await self.expect("pong", where=lambda pong: pong.nonce == nonce, within=within)

    async def keep_alive(self, interval: float) -> None:
        """Pings as Welcome promised while the stream is open, and ignores the pongs."""
        for nonce in itertools.count(OWN_NONCES):
            await asyncio.sleep(interval)
            if not self.is_open:
                return
            await self.say(ping(nonce))

    # ------------------------------------------------------------ hearing

    async def expect(
        self, kind: str, *, lease: str = "", where: Callable[[Any], bool] | None = None, within: float = 0.0
    ) -> Any:
        """Returns the body of the next message of this kind, about this lease when one is named.

        Waits for `within` seconds, else for the kit's patience. Other messages go on waiting. Raises NotMet, with what
        came instead, when the time is over or a message contradicts: a failure where a candidate is expected.
        """
        message = await self.expect_any(kind, lease=lease, where=where, within=within)
        return getattr(message, kind)

    async def accepted(self, lease: str, within: float = 0.0) -> None:
        """Waits until the worker has accepted a lease. A result shows it too, and goes on waiting to be expected."""
        found = await self.expect_any("accepted", *RESULTS, lease=lease, within=within)
        if not found.HasField("accepted"):
            self._waiting.appendleft(found)

    async def expect_any(
        self, *kinds: str, lease: str = "", where: Callable[[Any], bool] | None = None, within: float = 0.0
    ) -> Heard:
        """Returns the next message of any of these kinds; otherwise like `expect`."""
        seconds = within or self._patience
        wanted = " or ".join(kinds) + (f" of {lease}" if lease else "")
        try:
            async with asyncio.timeout(seconds):
                while (found := self._find(kinds, lease, where)) is None:
                    await self._more(wanted)
        except TimeoutError:
            raise NotMet(f"expected {wanted} within {seconds:g} s, but got {self._what_waits()}") from None
        if found.WhichOneof("kind") not in kinds:
            raise NotMet(f"expected {wanted}, but got {describe_message(found)}")
        self._waiting.remove(found)
        return found

    def _find(self, kinds: tuple[str, ...], lease: str, where: Callable[[Any], bool] | None) -> Heard | None:
        """Returns the first message that is expected, or that contradicts what is expected."""
        for message in self._waiting:
            kind = message.WhichOneof("kind")
            about_it = not lease or lease_of(message) == lease
            if kind in kinds and about_it and (where is None or where(getattr(message, kind))):
                return message
            if lease and about_it and kind in ENDS and kind not in kinds:
                return message
        return None

    async def nothing(self, seconds: float) -> None:
        """Listens for some seconds. Raises NotMet when any message comes, or already waits."""
        await self._listen(seconds, lambda _message: True, "nothing")

    async def nothing_about(self, lease: str, seconds: float) -> None:
        """Listens for some seconds. Raises NotMet when a message that ends this lease comes, or already waits."""
        await self._listen(
            seconds,
            lambda message: lease_of(message) == lease and message.WhichOneof("kind") in ENDS,
            f"nothing more about {lease}",
        )

    async def _listen(self, seconds: float, is_wrong: Callable[[Heard], bool], expected: str) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            for message in self._waiting:
                if is_wrong(message):
                    raise NotMet(f"expected {expected}, but got {describe_message(message)}")
            try:
                async with asyncio.timeout_at(deadline):
                    await self._more(expected)
            except TimeoutError:
                return

    def said(self, kind: str, lease: str) -> list[Any]:
        """Returns the bodies of the waiting messages of this kind about this lease."""
        kinds = (message for message in self._waiting if message.WhichOneof("kind") == kind)
        return [getattr(message, kind) for message in kinds if lease_of(message) == lease]

    def forget(self, lease: str) -> None:
        """Drops the waiting messages about this lease."""
        others = [message for message in self._waiting if lease_of(message) != lease]
        self._waiting = deque(others, maxlen=MOST_WAITING)

    async def until_over(self, within: float = 0.0) -> None:
        """Waits until the worker has ended the stream, and takes in what it still says."""
        seconds = within or self._patience
        try:
            async with asyncio.timeout(seconds):
                while not self.is_over:
                    await self._wait()
        except TimeoutError:
            expected = f"expected the worker to end the stream within {seconds:g} s"
            raise NotMet(f"{expected}, but it did not, and said {self._what_waits()}") from None

    async def _more(self, expected: str) -> None:
        if self.is_over:
            came = self._what_waits()
            raise NotMet(f"expected {expected}, but {self._how_it_ended()} after it had said {came}")
        await self._wait()

    async def _wait(self) -> None:
        self._something.clear()
        await self._something.wait()

    def _what_waits(self) -> str:
        """Describes the messages that wait, the last of each kind."""
        kinds = Counter(message.WhichOneof("kind") for message in self._waiting)
        last = {message.WhichOneof("kind"): message for message in self._waiting}
        words = [f"{describe_message(last[kind])} ({kinds[kind]} times)" for kind in kinds if kind]
        return ", ".join(words[-5:]).replace(" (1 times)", "") or "nothing"

    def _how_it_ended(self) -> str:
        return "the worker ended the stream" if self.is_over else "the kit had ended the stream"

    # ------------------------------------------------------------ ending

    def end(self) -> None:
        """Ends the stream in order, with OK."""
        self._end_with(_nothing)

    def abort(self, code: grpc.StatusCode) -> None:
        """Ends the stream with a status."""
        self._end_with(lambda: self._context.abort(code, "as the conformance kit wants it"))

    def refuse(self, error: Exception) -> None:
        """Ends the stream with the status and the details of this error."""

        async def raise_it() -> None:
            raise error

        self._end_with(raise_it)

    def _end_with(self, ending: Ending) -> None:
        if not self._ending.done():
            self.ended_at = asyncio.get_running_loop().time()
            self._ending.set_result(ending)

    async def run(self) -> None:
        """Listens until the kit ends the stream, or the worker does."""
        reading = asyncio.create_task(self._read())
        try:
            ways_to_end: tuple[asyncio.Future[Any], ...] = (reading, self._ending)
            await asyncio.wait(ways_to_end, return_when=asyncio.FIRST_COMPLETED)
            if self._ending.done():
                await self._ending.result()()
        finally:
            self.is_over = True
            self._something.set()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        while (frame := await self._context.read()) is not grpc.aio.EOF:
            self._notes.take(frame)
            for message in frame.messages:
                self._hear(message)
            self._something.set()

    def _hear(self, message: Heard) -> None:
        if message.HasField("credit"):
            self.window = message.credit.window
        if not _answers_the_kit(message):
            self._waiting.append(message)


def _answers_the_kit(message: Heard) -> bool:
    return message.WhichOneof("kind") == "pong" and message.pong.nonce >= OWN_NONCES


async def _nothing() -> None:
    """Ends a stream in order: nothing more is sent."""
