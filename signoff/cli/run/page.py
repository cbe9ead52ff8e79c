"""The page of `signoff run --ui` and `signoff serve --ui`, and `signoff ui`, which is the page alone."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from signoff.cli.flag_groups import PageFlags
from signoff.cli.run.interrupts import Interrupts
from signoff.cli.show.output import CommandOutput
from signoff.errors import ConfigurationError
from signoff.local.door import LocalDoor
from signoff.local.sharing import SharedServices

NO_PAGE = PageFlags()


@asynccontextmanager
async def page_beside(
    options: PageFlags, services: SharedServices, output: CommandOutput, say: Callable[[str], None]
) -> AsyncIterator[str]:
    """Offers the page while the context lasts, when it is wanted. Yields its URL; empty without one."""
    if not (options.wanted or options.address):
        yield ""
        return
    data_dir = services.settings.data_dir
    door = LocalDoor(services.planner_address, services.runner_address, data_dir, say, options.address)
    async with door:
        announce(door.url, output)
        yield door.url


def announce(url: str, output: CommandOutput) -> None:
    if output.json:
        output.record({"event": "page", "url": url})
    else:
        output.line(f"page at {url}")


async def stay(url: str, output: CommandOutput, services: SharedServices, interrupts: Interrupts) -> None:
    """Keeps the page up after a run until Ctrl-C, when a person sits at the terminal; else returns at once."""
    # guard: a run without a terminal ends -> if not url:
    if not url or not output.is_screen or interrupts.first.is_set():
        return
    output.note(f"the page stays at {url} until Ctrl-C")
    waiting = [asyncio.create_task(interrupts.first.wait()), asyncio.create_task(services.lost())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def ui(given: Mapping[str, Any], output: CommandOutput, *, opens: bool) -> int:
    """Offers the page in front of services that are up, until Ctrl-C. `given`: the settings that are not the usual."""
    from pydantic import ValidationError

    from signoff.service.process import configure_logs
    from signoff.web.door import DoorSettings, serve

    configure_logs("text", "warning")
    try:
        settings = DoorSettings(**given)
    except ValidationError as error:
        problem = error.errors()[0]
        name = "--" + ".".join(map(str, problem["loc"])).replace("_", "-")
        raise ConfigurationError(f"{name}: {problem['msg']}") from None

    def ready(url: str) -> None:
        announce(url, output)
        if opens:
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)

    await serve(settings, ready)
    return 0
