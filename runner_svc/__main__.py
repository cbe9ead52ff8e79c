"""`python -m runner_svc`: the runner service."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runner_svc.core.roster import Timings
from runner_svc.core.signals import WorkerDraining
from runner_svc.engine import Engine
from runner_svc.feed import Feed
from runner_svc.limits import limits_in
from runner_svc.metrics import metrics_served
from runner_svc.outputs import OutputFiles
from runner_svc.planner import GrpcPlanner
from runner_svc.prices import Prices, prices_in
from runner_svc.services.hub import Hub
from runner_svc.services.runner_service import RunnerService
from runner_svc.services.worker_service import Conversation, WorkerService
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import ConfigurationError, OwnershipLost
from signoff.garbage import collect_rarely
from signoff.rpc import Server
from signoff.service import ListeningSettings, announce, main, stop_requested, write_address
from signoff.v1 import runner_pb2_grpc, worker_pb2_grpc

log = structlog.get_logger(__name__)


SQLITE = "sqlite"


class RunnerSettings(ListeningSettings):
    """Holds layouts and executions, and schedules their tasks over the connected workers."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_RUNNER_")

    data_dir: Path = Field(Path("db"), description="Where the journal and the outputs are kept.")
    store: SecretStr = Field(
        SecretStr(SQLITE), description='"sqlite", in the data folder, or a postgresql:// address (by the environment).'
    )
    store_lease: float = Field(15.0, gt=0, description="Seconds a PostgreSQL stays a runner's that is not heard of.")
    prices: Path | None = Field(None, description="A TOML file with what models cost; without one no cost is known.")
    limits: Path | None = Field(None, description="A TOML file with what models take a minute, over all workers.")
    metrics: str = Field("", description="host:port of a page with figures for Prometheus; empty: there is none.")
    planner: str = Field("", description="Address of the planner; without one only layouts already set can be run.")
    ping_interval: float = Field(10.0, gt=0, le=60, description="Seconds between pings; idle: five times that.")
    resume_grace: float = Field(60.0, gt=0, description="Seconds a lease outlives the stream of its worker.")
    accept_deadline: float = Field(10.0, gt=0, description="Seconds a worker has to accept an assignment.")
    max_stream_age: float = Field(
        3600.0, ge=0, description="Seconds, give or take a fifth, after which a worker opens a new stream; 0: never."
    )


async def serve(settings: RunnerSettings) -> None:
    """Runs until a signal; then asks the workers to finish, gives them the grace, and closes the store."""
    stop = await stop_requested(settings)
    collect_rarely()
    prices = prices_in(settings.prices) if settings.prices is not None else Prices()
    store = _store(settings)
    feed = Feed()
    hub = Hub(feed)
    timings = Timings(
        accept_deadline=settings.accept_deadline,
        resume_grace=settings.resume_grace,
        limits=limits_in(settings.limits) if settings.limits is not None else {},
    )
    engine = Engine(store, performer=hub, feed=feed, timings=timings)
    outputs = OutputFiles(settings.data_dir, engine.contents)
    engine.observe(hub)
    engine.observe(outputs)
    planner = GrpcPlanner(settings.planner)
    server = Server()
    server.add(
        runner_pb2_grpc.add_RunnerServiceServicer_to_server,
        RunnerService(engine, store, hub, planner, prices.currency),
        "signoff.v1.RunnerService",
    )
    conversation = Conversation(
        ping_interval=settings.ping_interval,
        lease_duration=settings.resume_grace,
        resume_grace=settings.resume_grace,
        accept_deadline=settings.accept_deadline,
        max_stream_age=settings.max_stream_age,
    )
    server.add(
        worker_pb2_grpc.add_WorkerServiceServicer_to_server,
        WorkerService(engine, hub, conversation, prices),
        "signoff.v1.WorkerService",
    )
    try:
        await engine.open()
        address = await server.start(settings.address)
        async with _metrics(settings, engine):
            await _serve(settings, stop, address, store, engine, outputs, server, hub)
    except ExceptionGroup as group:
        lost = group.subgroup((OwnershipLost, ConfigurationError))
        if lost is None:
            raise
        raise lost.exceptions[0] from None  # one line for whoever started it
    finally:
        await planner.close()
        await store.close()


@contextlib.asynccontextmanager
async def _metrics(settings: RunnerSettings, engine: Engine) -> AsyncIterator[None]:
    if not settings.metrics:
        yield
        return
    async with metrics_served(engine, settings.metrics) as address:
        log.info("metrics_served", address=f"http://{address}/metrics")
        yield


def _store(settings: RunnerSettings) -> Store:
    where = settings.store.get_secret_value()
    if where == SQLITE:
        return SqliteStore(settings.data_dir / ".signoff" / "journal.db")
    from runner_svc.store.postgres import PostgresStore  # its driver is an extra

    return PostgresStore(where, lease=settings.store_lease)


async def _serve(
    settings: RunnerSettings,
    stop: asyncio.Event,
    address: str,
    store: Store,
    engine: Engine,
    outputs: OutputFiles,
    server: Server,
    hub: Hub,
) -> None:
    address_file = settings.data_dir / ".signoff" / "runner.address"
    async with asyncio.TaskGroup() as group:
        loops = [group.create_task(part) for part in (engine.run(), outputs.run(), store.owned())]
        try:
            write_address(address_file, address)
            announce(address, settings.address_file)
            await stop.wait()
            log.info("draining", leases=hub.leases_out, grace=settings.grace)
            await server.set_serving(False)
            await _drain(engine, hub, settings.grace)
        finally:
            await server.stop(0.5)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(settings.grace):
                    await outputs.drained()
            address_file.unlink(missing_ok=True)
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await engine.checkpoint()
    log.info("ended")


async def _drain(engine: Engine, hub: Hub, grace: float) -> None:
    """Lends nothing more, and waits until what is lent has come back or the grace is over."""
    for session in list(hub.sessions):
        await engine.report(WorkerDraining(at=engine.now(), session=session))
    hub.drain(grace)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            await hub.all_returned()


if __name__ == "__main__":
    main(RunnerSettings, serve, "runner_svc")
