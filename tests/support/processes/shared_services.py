"""Services that all commands on one data directory use: their start takes five seconds of a core, a command half."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from signoff.cli.run.run import until_workers_are_there
from signoff.client.client import Client
from signoff.local.services import LocalSettings
from signoff.local.sharing import SharedServices


@asynccontextmanager
async def services_in(folder: Path, *, model: str = "mock", **settings: Any) -> AsyncIterator[SharedServices]:
    """Runs services on the data directory `db` of a folder, as another `signoff run` there does.

    The commands in that folder must ask for the same model and the same settings. What has to last longer than the
    services do is not shown with them.
    """
    local = LocalSettings(data_dir=folder / "db", executors=7, validators=5, model=model, stand_by=False, **settings)
    async with SharedServices(local, lambda _: None) as services:
        async with Client(planner=services.planner_address, runner=services.runner_address) as client:
            await until_workers_are_there(client, services, local)
        yield services
