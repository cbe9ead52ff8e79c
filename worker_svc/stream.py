"""The worker's side of the conversation: one session after another, until told to stop.

A stream that ends, however it ends, is a reason to reconnect; only a refusal that a retry cannot mend is the end. The
work itself goes on meanwhile: it lives on the bench.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import grpc.aio
import structlog

from signoff.rpc import MAX_FRAME_BYTES, reason_of
from signoff.v1 import runner_pb2, worker_pb2
from worker_svc.bench import Bench
from worker_svc.session import Dial, Patience, Session, WorkerRefused, dial
from worker_svc.work import Handler

log = structlog.get_logger(__name__)

FINAL = frozenset({"SESSION_REPLACED", "INVALID_FIELD", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"})
_DOUBLINGS = 10  # of the backoff; more change nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the worker says it is."""

    role: runner_pb2.WorkerRole.ValueType
    name: str
    slots: int
    version: str
    labels: dict[str, str] = field(default_factory=dict)


class Worker:
    """Keeps a conversation with a runner going until told to stop."""

    def __init__(
        self,
        address: str,
        identity: Identity,
        handler: Handler,
        patience: Patience | None = None,
        dial: Dial = dial,
    ) -> None:
        self._dial = dial
        self._address = address
        self._identity = identity
        self._handler = handler
        self._patience = patience or Patience()
        self._wake = asyncio.Event()
        self._bench = Bench(handler, identity.slots, self._wake.set)
        self._leaving = asyncio.Event()
        self._session: Session | None = None

    async def run(self, stop: asyncio.Event, grace: float) -> None:
        """Works until `stop`, then drains: finishes what fits in `grace` seconds and gives the rest back.

        Raises WorkerRefused when the runner will not have it. Nothing it started runs on when it returns.
        """
        talking = asyncio.create_task(self._talk())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([talking, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not talking.done():
                await self._drain(talking, grace)
            if talking.done():
                talking.result()
        finally:
            self._leaving.set()  # gRPC may swallow a cancellation that meets the end of a stream
            stopping.cancel()
            talking.cancel()
            await asyncio.gather(stopping, talking, return_exceptions=True)
            await self._bench.end()

    async def _drain(self, talking: asyncio.Task[None], grace: float) -> None:
        log.info("draining", leases=len(self._bench.lease_ids), grace=grace)
        self._bench.drain()
        emptied = asyncio.create_task(self._bench.until_empty())
        try:
            await asyncio.wait([emptied, talking], timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        finally:
            emptied.cancel()
        self._bench.abandon_unfinished("the worker is about to end")
        self._leaving.set()
        self._wake.set()
        is_connected = self._session is not None and self._session.welcomed
        await asyncio.wait([talking], timeout=2 * self._patience.goodbye if is_connected else 0)

    async def _talk(self) -> None:
        """One session after another."""
        failures = 0
        while not self._leaving.is_set():
            self._session = session = Session(
                self._address, self._hello(), self._bench, self._wake, self._leaving, self._patience, self._dial
            )
            await self._converse(session)
            self._bench.stream_lost()
            self._session = None
            failures = 0 if session.welcomed else failures + 1
            await self._pause(self._ceiling(failures, session.return_within))

    async def _converse(self, session: Session) -> None:
        """A session to its end. Raises WorkerRefused when it ended in a way that trying again cannot mend."""
        try:
            await session.run()
            log.info("stream_ended")
        except grpc.aio.AioRpcError as error:
            reason = reason_of(error)
            if reason in FINAL:
                refusal = f"the runner at {self._address} refused the worker: {error.details()}"
                raise WorkerRefused(refusal) from None
            log.warning("stream_lost", reason=reason, details=error.details())
        except (asyncio.InvalidStateError, ConnectionError, TimeoutError) as error:
            log.warning("stream_lost", reason=type(error).__name__, details=str(error))

    def _ceiling(self, failures: int, return_within: float | None) -> float:
        """The longest pause before the next session, in seconds. A runner that asked for one gets it in time."""
        patience = self._patience
        if return_within is not None:
            return min(patience.first_backoff, return_within / 2)
        return min(patience.most_backoff, patience.first_backoff * 2.0 ** min(failures, _DOUBLINGS))

    async def _pause(self, ceiling: float) -> None:
        """Full jitter, so that workers that lost the same runner do not come back in the same moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.jitter(0, ceiling)):
                await self._leaving.wait()

    def _hello(self) -> worker_pb2.Hello:
        return worker_pb2.Hello(
            role=self._identity.role,
            name=self._identity.name,
            labels=self._identity.labels,
            slots=self._identity.slots,
            max_frame_bytes=MAX_FRAME_BYTES,
            held_lease_ids=self._bench.lease_ids,
            version=self._identity.version,
            models=self._handler.models,
            maker=self._handler.maker,
        )
