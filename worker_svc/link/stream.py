"""The worker's side of the conversation: one session after another, until the worker is asked to stop.

The worker reconnects whenever a stream ends, however it ends; only a refusal that a retry cannot mend is final. When
the runner asks for a new stream, the worker opens it before it leaves the old one. The work itself goes on meanwhile:
it belongs to the held leases.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import grpc.aio
import structlog

from signoff.errors import Unavailable
from signoff.manifest.manifest import FILES
from signoff.rpc.addresses import addresses_in
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import IN_PARTS
from signoff.rpc.statuses import reason_of
from signoff.v1 import runner_pb2, worker_pb2
from worker_svc.assignment import Handler
from worker_svc.link.call import dial
from worker_svc.link.held_leases import HeldLeases
from worker_svc.link.lease_files import FilesOf, LeaseFiles
from worker_svc.link.prefetch import Prefetch
from worker_svc.link.session import Dial, SessionTimings, StreamSession, WorkerRefused

log = structlog.get_logger(__name__)

FINAL = frozenset({"SESSION_REPLACED", "INVALID_FIELD", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"})
GROWTH = 1.25  # of a pause over the one before it
_MOST_STEPS = 100  # of that growth; more change nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The worker's name, role and slots, as Hello carries them."""

    role: runner_pb2.WorkerRole.ValueType
    name: str
    slots: int
    version: str
    labels: dict[str, str] = field(default_factory=dict)


class Worker:
    """Keeps a conversation with a runner going until it is asked to stop.

    `address` may be several with commas, of runners on one database: the worker connects to the one that serves.
    """

    def __init__(
        self,
        address: str,
        identity: Identity,
        handler: Handler,
        timings: SessionTimings | None = None,
        dial: Dial = dial,
        prefetch: Prefetch | None = None,
        files_of: FilesOf = LeaseFiles,
    ) -> None:
        self._dial = dial
        self._files_of = files_of
        self._addresses = addresses_in(address)
        self._identity = identity
        self._handler = handler
        self._timings = timings or SessionTimings()
        self._wake = asyncio.Event()
        self._leases = HeldLeases(handler, identity.slots, self._wake.set, prefetch)
        self._leaving = asyncio.Event()
        self._session: StreamSession | None = None
        self._successor: StreamSession | None = None

    async def run(self, stop: asyncio.Event, grace: float) -> None:
        """Works until `stop`, then drains: finishes what fits in `grace` seconds and gives the rest back.

        Raises WorkerRefused when the runner refuses it for good. Nothing it started runs on when it returns.
        """
        connected = asyncio.create_task(self._stay_connected())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([connected, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not connected.done():
                await self._drain(connected, grace)
            if connected.done():
                connected.result()
        finally:
            self._leaving.set()  # gRPC may swallow a cancellation that meets the end of a stream
            stopping.cancel()
            connected.cancel()
            await asyncio.gather(stopping, connected, return_exceptions=True)
            await self._leases.end()

    async def _drain(self, connected: asyncio.Task[None], grace: float) -> None:
        log.info("draining", leases=len(self._leases.lease_ids), grace=grace)
        self._leases.drain()
        emptied = asyncio.create_task(self._leases.until_empty())
        try:
            # guard: what fits is finished ->
            #     await asyncio.wait([emptied, connected], timeout=0, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([emptied, connected], timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        finally:
            emptied.cancel()
        # guard: what does not fit is abandoned; the rest is given back -> pass
        self._leases.abandon_unfinished("the worker is about to end")
        self._leaving.set()
        self._wake.set()
        is_connected = self._session is not None and self._session.welcomed
        await asyncio.wait([connected], timeout=2 * self._timings.goodbye if is_connected else 0)

    async def _stay_connected(self) -> None:
        """Opens one stream after another."""
        failures = 0
        while not self._leaving.is_set():
            self._session = session = self._new_session()
            await self._run_session(session)
            self._leases.stream_lost()
            self._session = None
            # guard: success is the first frame -> failures = 0
            failures = 0 if session.welcomed else failures + 1
            await self._pause(failures)

    def _new_session(self) -> StreamSession:
        return StreamSession(
            self._addresses, self._leases, self._wake, self._leaving, self._timings, self._dial, self._files_of
        )

    async def _run_session(self, session: StreamSession) -> None:
        """Runs a session, and those that continue it, to their end. Raises WorkerRefused when no retry can help."""
        try:
            # guard: welcome is awaited only so long -> async with asyncio.timeout(None):
            async with asyncio.timeout(self._timings.welcome):
                await session.open()
                await session.greet(self._hello())
            await self._carry_on(session)
            # guard: a clean end is no goodbye -> self._leaving.set()
            log.info("stream_ended")
        except grpc.aio.AioRpcError as error:
            reason = reason_of(error)
            # guard: a lost stream is no refusal -> if reason:
            # guard: a refusal ends a worker -> if False:
            # guard: only a refusal ends a worker -> if True:
            if reason in FINAL:
                refusal = f"the runner at {session.address} refused the worker: {error.details()}"
                raise WorkerRefused(refusal) from None
            log.warning("stream_lost", reason=reason, details=error.details())
        except (asyncio.InvalidStateError, ConnectionError, TimeoutError, Unavailable) as error:
            log.warning("stream_lost", reason=type(error).__name__, details=str(error))
        finally:
            for opened in (self._session, self._successor):
                if opened is not None:
                    await opened.close()

    # ------------------------------------------------------------ streams that continue each other

    async def _carry_on(self, session: StreamSession) -> None:
        """Carries a session, then each that continues the one before it."""
        while (following := await self._carry(session)) is not None:
            log.info("stream_continued", before=session.id, now=following.id)
            await session.close()
            self._leases.stream_lost()
            self._session = session = following

    async def _carry(self, session: StreamSession) -> StreamSession | None:
        """Carries a session to its end. Returns the one that continues it, when the runner wanted one."""
        carrying, succeeding = asyncio.create_task(session.carry()), asyncio.create_task(self._open_successor(session))
        try:
            await asyncio.wait([carrying, succeeding], return_when=asyncio.FIRST_COMPLETED)
            # guard: the old stream may end first -> if False:
            if session.is_silent:
                # The runner ends it when it has read the other's Hello, which may be seen here before Welcome is.
                await asyncio.wait([succeeding])
            return succeeding.result() if succeeding.done() else carrying.result()
        finally:
            carrying.cancel()
            succeeding.cancel()
            await asyncio.gather(carrying, succeeding, return_exceptions=True)

    async def _open_successor(self, old: StreamSession) -> StreamSession:
        """Waits until the runner wants a session that continues `old`, and returns it once it is greeted.

        Until it is connected, `old` goes on.
        """
        while True:
            within = await old.rotation()
            # guard: a random moment -> pass
            # guard: the next stream before the old one is left ->
            #     await old.close()
            #     await asyncio.sleep(self._timings.jitter(0, within / 2))
            await asyncio.sleep(self._timings.jitter(0, within / 2))
            self._successor = new = self._new_session()
            if await self._is_connected(new, within / 2):
                async with asyncio.timeout(self._timings.welcome):
                    # guard: silence on the old stream -> (removed)
                    await old.fall_silent()
                    await new.greet(self._hello(continues=old.id))
                return new
            await new.close()

    async def _is_connected(self, new: StreamSession, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                await new.open()
        except (grpc.aio.AioRpcError, ConnectionError, TimeoutError, Unavailable) as error:
            log.warning("stream_not_continued", reason=type(error).__name__, details=str(error))
            # guard: the old stream stays when none can be opened -> raise
            return False
        return True

    # ------------------------------------------------------------ between streams

    async def _pause(self, failures: int) -> None:
        """Waits a random time, so that workers that lost the same runner come back evenly.

        Each pause is drawn anew: the first from zero up, each other one from half of its ceiling up. With a growth of
        two, and from zero each time, most would come in one burst and the unlucky ones long after it.
        """
        timings = self._timings
        ceiling = min(timings.most_backoff, timings.first_backoff * GROWTH ** min(failures, _MOST_STEPS))
        least = ceiling / 2 if failures else 0.0
        with contextlib.suppress(TimeoutError):
            # guard: jittered pauses; jitter -> async with asyncio.timeout(ceiling):
            async with asyncio.timeout(timings.jitter(least, ceiling)):
                await self._leaving.wait()

    def _hello(self, continues: str = "") -> worker_pb2.Hello:
        offer = self._handler.offer
        return worker_pb2.Hello(
            role=self._identity.role,
            name=self._identity.name,
            labels=self._identity.labels,
            slots=self._identity.slots,
            features=[IN_PARTS, FILES],
            max_frame_bytes=MAX_FRAME_BYTES,
            held_lease_ids=self._leases.lease_ids,
            version=self._identity.version,
            models=offer.models,
            endpoints=offer.endpoints,
            own_names=offer.own_names,
            handlers=offer.handlers,
            maker=offer.makers[0] if offer.makers else "",
            makers=offer.makers[1:],
            known_makers=offer.known_makers,
            continues_session_id=continues,
        )
