"""Starts the planner: `python -m planner_svc --address 127.0.0.1:50051 --data-dir db`."""

from __future__ import annotations

from pathlib import Path

import structlog
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from planner_svc.processes.pool import COMPILE_SECONDS, CompileLimits
from planner_svc.service import PlannerService
from planner_svc.store import PlanStore
from signoff.errors import ConfigurationError
from signoff.rpc.server import Server
from signoff.service.process import ListeningSettings, announce, main, stop_requested
from signoff.v1 import planner_pb2, planner_pb2_grpc

log = structlog.get_logger(__name__)


class PlannerSettings(ListeningSettings):
    """The planner: compiles plans to execution maps and keeps both."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_PLANNER_")

    data_dir: Path = Field(Path("db"), description="Where plans are kept, one folder each; made when it is missing.")
    compile_timeout: float = Field(
        COMPILE_SECONDS,
        gt=0,
        description="Seconds of CPU for a compile, and as many again for every 128 MiB of plan.json.",
    )
    compile_memory_mib: int = Field(
        0, ge=0, description="Memory for a compile, of which two run at once; 0: 16,384, or what the machine has."
    )

    @property
    def limits(self) -> CompileLimits:
        return CompileLimits(seconds=self.compile_timeout, memory_bytes=self.compile_memory_mib << 20)


async def serve(settings: PlannerSettings) -> None:
    """Serves until it is asked to stop, then lets running calls end."""
    _make_folder(settings.data_dir)
    stop = await stop_requested(settings)
    planner = PlannerService(PlanStore(settings.data_dir), limits=settings.limits)
    await planner.compilers.warm_up()
    server = Server()
    name = planner_pb2.DESCRIPTOR.services_by_name["PlannerService"].full_name
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, planner, name)
    announce(await server.start(settings.address), settings.address_file)
    await stop.wait()
    log.info("stopping")
    await server.stop(settings.grace)
    await planner.close()


def _make_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--data-dir: expected a folder to write to, but {data_dir} is none: {error.strerror}"
        raise ConfigurationError(message) from error


if __name__ == "__main__":
    main(PlannerSettings, serve, "planner_svc")
