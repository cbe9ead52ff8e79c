"""A term of a runner: it waits for the store, serves, and ends when the runner is stopped or the store is lost.

A runner stands by while another runner uses its PostgreSQL database: it listens, its health is NOT_SERVING, and it
answers every call with NotServing. It serves as soon as the database is free. A runner that was frozen and finds its
database taken begins a new term, in which it stands by. A term keeps nothing for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import structlog

from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model.signals import WorkerDraining
from runner_svc.engine import Engine
from runner_svc.leftovers import Leftovers
from runner_svc.objects.choice import objects_for
from runner_svc.planner import GrpcPlanner
from runner_svc.prices import Prices, prices_in
from runner_svc.publish.feed import Feed
from runner_svc.publish.last_thoughts import LastThoughts
from runner_svc.publish.metrics import metrics_served
from runner_svc.publish.output_files import OutputFiles
from runner_svc.rate_limits import limits_in
from runner_svc.services.hub import Hub
from runner_svc.services.runner_service import RunnerService
from runner_svc.services.worker_service import WorkerService
from runner_svc.settings import RunnerSettings
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import ConfigurationError, JournalBroken, NotServing, OwnershipLost
from signoff.files.data_directory import JOURNAL, RUNNER_ADDRESS_FILE
from signoff.files.notes import read_note_text
from signoff.rpc.server import Server
from signoff.service.process import announce, write_address
from signoff.v1 import runner_pb2_grpc, worker_pb2_grpc

log = structlog.get_logger(__name__)

AGAIN_AFTER = 5.0  # seconds until a part that a bug has ended runs again


async def serve_terms(settings: RunnerSettings, stop: asyncio.Event) -> None:
    """Serves until `stop`, and stands by whenever another runner owns the store."""
    address = settings.address
    while not stop.is_set():
        term = Term(settings, address)
        try:
            await term.serve(stop)
        except OwnershipLost as lost:
            # guard (2 lines): a runner stands by -> raise
            # guard: a file is lost for good -> if not settings.stand_by:
            if not settings.stand_by or settings.is_local:
                raise
            log.error("ownership_lost", error=str(lost))
        address = term.server.address


MIB = 1024 * 1024


class Term:
    """The parts of a runner. Each term makes them anew."""

    def __init__(self, settings: RunnerSettings, address: str) -> None:
        self._settings, self._address = settings, address
        self.server = Server()
        self._store = self._new_store()
        self._objects = objects_for(settings.data_dir, settings.objects, is_local=settings.is_local)
        self._planner = GrpcPlanner(settings.planner)
        feed = Feed()
        self._hub = Hub(feed, LastThoughts(settings.keep_thinking_mib * MIB))
        prices = prices_in(settings.prices) if settings.prices is not None else Prices()
        limits = limits_in(settings.limits) if settings.limits is not None else {}
        timings = StreamTimings(
            ping_interval=settings.ping_interval,
            resume_grace=settings.resume_grace,
            accept_deadline=settings.accept_deadline,
            max_stream_age=settings.max_stream_age,
        )
        tables = ModelTables(limits=limits, prices=prices)
        self._engine = Engine(
            self._store, performer=self._hub, feed=feed, timings=timings, tables=tables, objects=self._objects
        )
        self._leftovers = Leftovers(self._engine, settings.keep_uploads)
        self._outputs = OutputFiles(settings.data_dir, self._engine.contents)
        self._engine.observe(self._hub)
        self._engine.observe(self._outputs)
        self._add_services(prices)

    def _new_store(self) -> Store:
        if self._settings.is_local:
            return SqliteStore(self._settings.data_dir / JOURNAL)
        from runner_svc.store.postgres import PostgresStore  # its driver is an extra

        stands_by = self._stands_by if self._settings.stand_by else None
        where = self._settings.store.get_secret_value()
        return PostgresStore(where, lease=self._settings.store_lease, stands_by=stands_by)

    def _add_services(self, prices: Prices) -> None:
        self.server.add(
            runner_pb2_grpc.add_RunnerServiceServicer_to_server,
            RunnerService(
                self._engine,
                self._store,
                self._hub,
                self._planner,
                prices.currency,
                files_of_plan=self._outputs.of_plan,
            ),
            "signoff.v1.RunnerService",
        )
        self.server.add(
            worker_pb2_grpc.add_WorkerServiceServicer_to_server,
            WorkerService(self._engine, self._hub, prices),
            "signoff.v1.WorkerService",
        )

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until `stop`, then drains. Raises OwnershipLost when another runner has taken over the store."""
        try:
            refusal = NotServing("this runner does not serve yet: it is opening its journal")
            address = await self.server.start(self._address, refusal=refusal)
            if not await self._open(stop):
                return
            await self._engine.contents.open_objects()  # the runner owns its store by now
            await self.server.open()
            async with _metrics(self._settings, self._engine):
                await self._work(stop, address)
        except ExceptionGroup as group:
            lost = group.subgroup((OwnershipLost, ConfigurationError, JournalBroken))
            if lost is None:
                raise
            raise lost.exceptions[0] from None  # one line for the person who started it
        finally:
            await self.server.stop(0)
            await self._planner.close()
            if self._objects is not None:
                await self._objects.close()
            await self._store.close()

    async def _open(self, stop: asyncio.Event) -> bool:
        """Opens the engine. Returns False when the runner was stopped meanwhile: a replay may take for ever."""
        opening, stopping = asyncio.create_task(self._engine.open()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
            # guard: a replay ends with its runner -> if True:
            if opening.done():
                await opening
                return True
        finally:
            for task in (opening, stopping):
                task.cancel()
            await asyncio.gather(opening, stopping, return_exceptions=True)
        return False

    async def _stands_by(self, holder: str) -> None:
        log.info("standing_by", address=self.server.address, runner=holder)
        self.server.refuse(NotServing(f"this runner stands by: another one ({holder}) works on the database"))
        if self._settings.address_file is not None:
            write_address(self._settings.address_file, self.server.address)

    async def _work(self, stop: asyncio.Event, address: str) -> None:
        settings = self._settings
        address_file = settings.data_dir / RUNNER_ADDRESS_FILE
        async with asyncio.TaskGroup() as group:
            beside = [kept_up(part) for part in (self._outputs.run, self._leftovers.run)]
            loops = [group.create_task(part) for part in (self._engine.run(), self._store.owned(), *beside)]
            try:
                write_address(address_file, address)
                announce(address, settings.address_file)
                await stop.wait()
                log.info("draining", leases=self._hub.leases_out, grace=settings.grace)
                await self.server.set_serving(False)
                await self._drain()
            finally:
                await self.server.stop(0.5)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(settings.grace):
                        await self._outputs.drained()
                _forget_address(address_file, address)
                for loop in loops:
                    loop.cancel()
                await asyncio.gather(*loops, return_exceptions=True)
                await self._engine.checkpoint()
        log.info("ended")

    async def _drain(self) -> None:
        """Gives out no more work, and waits until the leases have ended or the grace is over."""
        for session in list(self._hub.sessions):
            await self._engine.report(WorkerDraining(at=self._engine.now(), session=session))
        self._hub.drain(self._settings.grace)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.grace):
                await self._hub.all_returned()


async def kept_up(part: Callable[[], Awaitable[None]]) -> None:
    """Runs a part that the executions do not need until it is cancelled; again, a while after a bug has ended it."""
    while True:
        try:
            await part()
        except Exception as bug:
            # guard: a bug beside the engine ends no runner -> raise
            log.error("bug_beside_the_engine", exc_info=bug)
        await asyncio.sleep(AGAIN_AFTER)


def _forget_address(file: Path, address: str) -> None:
    """Removes the file with the runner's address, unless another runner has taken over and written its own."""
    if read_note_text(file) == address:
        with contextlib.suppress(OSError):
            file.unlink()


@contextlib.asynccontextmanager
async def _metrics(settings: RunnerSettings, engine: Engine) -> AsyncIterator[None]:
    if not settings.metrics:
        yield
        return
    async with metrics_served(engine, settings.metrics) as address:
        log.info("metrics_served", address=f"http://{address}/metrics")
        yield
