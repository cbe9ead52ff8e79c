"""`signoff serve` runs planner, runner and workers until Ctrl-C. `signoff worker` runs one worker."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from signoff.cli.flag_groups import PageFlags
from signoff.cli.run.interrupts import Interrupts
from signoff.cli.run.page import NO_PAGE, page_beside
from signoff.cli.run.run import require_models
from signoff.cli.show.output import CommandOutput
from signoff.local.services import LocalSettings
from signoff.local.sharing import SharedServices
from signoff.service.environment import python_command


async def serve(settings: LocalSettings, output: CommandOutput, page: PageFlags = NO_PAGE) -> int:
    """Runs the services until Ctrl-C, then drains them. Raises the error of a service that was lost for good."""
    if settings.executors or settings.validators:
        require_models(settings)
    services = SharedServices(settings, output.note, exclusive=True)
    with Interrupts(on_second=services.kill) as interrupts:
        async with services, page_beside(page, services, output, output.note):
            _announce(services, output)
            interrupted = asyncio.create_task(interrupts.first.wait())
            lost = asyncio.create_task(services.lost())
            try:
                await asyncio.wait((interrupted, lost), return_when=asyncio.FIRST_COMPLETED)
            finally:
                interrupted.cancel()
                lost.cancel()
            if lost.done() and not lost.cancelled():
                raise lost.result()
            output.note("draining; Ctrl-C once more ends everything at once")
    return 0


def _announce(services: SharedServices, output: CommandOutput) -> None:
    if output.json:
        addresses = {"planner": services.planner_address, "runner": services.runner_address}
        output.record({"event": "serving", **addresses})
        return
    output.line(f"planner at {services.planner_address}")
    output.line(f"runner at {services.runner_address}")
    output.line(f"logs in {services.settings.logs}; Ctrl-C drains and ends")
    missing = [f"--{role}" for role in ("executors", "validators") if not getattr(services.settings, role)]
    if missing:
        output.note(f"no {' and no '.join(role.strip('-') for role in missing)} are started: {_more(missing)}")


def _more(missing: Sequence[str]) -> str:
    flags = " ".join(f"{flag} N" for flag in missing)
    return f"nothing is done until some connect; {flags} starts them here, `signoff worker` anywhere"


def become_worker(flags: Sequence[str]) -> NoReturn:
    """Turns this process into a worker, so that signals and exit codes are the worker's own."""
    is_told = bool(os.environ.get("SIGNOFF_WORKER_ROLE")) or any(flag.partition("=")[0] == "--role" for flag in flags)
    role = () if is_told else ("--role", "executor")
    os.execv(sys.executable, python_command("worker_svc", *role, *flags))
