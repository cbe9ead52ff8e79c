"""The process of the door: its settings, its start, its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import structlog
from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from signoff.errors import ConfigurationError
from signoff.rpc.ports import PLANNER_ADDRESS, RUNNER_ADDRESS, UI_ADDRESS, page_url
from signoff.service.environment import host_of, is_loopback
from signoff.service.process import ListeningSettings, announce, stop_requested
from signoff.web.app import application
from signoff.web.listening import bind, server_of
from signoff.web.safety.hosts import AllowedHosts, host_in
from signoff.web.safety.rules import Rules
from signoff.web.safety.tokens import VARIABLE, read_token
from signoff.web.upstream import Upstream

log = structlog.get_logger(__name__)

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class DoorSettings(ListeningSettings):
    """The HTTP door: the page and the HTTP API, in front of a planner and a runner."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_UI_")

    address: str = Field(UI_ADDRESS, description="Where to listen. Anything but loopback needs a token.")
    runner: str = Field(RUNNER_ADDRESS, description="The runner's address, or several with commas.")
    planner: str = Field(PLANNER_ADDRESS, description="The planner's address.")
    token_file: Path | None = Field(None, description=f"A file with the token; else the variable {VARIABLE}.")
    allow_host: str = Field("", description="Names besides loopback that lead here, such as example.org; with commas.")
    prefix: str = Field("", description="The path under which a proxy offers this, such as /signoff.")
    read_only: bool = Field(False, description="Refuse whatever changes something.")

    @field_validator("prefix")
    @classmethod
    def _prefix(cls, text: str) -> str:
        text = text.rstrip("/")
        if not _PREFIX.fullmatch(text):
            raise ValueError(f"expected a path of letters, digits and ._~- such as /signoff, but got {text!r}")
        return text

    @property
    def hosts(self) -> AllowedHosts:
        names = frozenset(name.strip().lower() for name in self.allow_host.split(",") if name.strip())
        for name in names:
            if host_in(name) is None:
                raise ConfigurationError(f"--allow-host: expected names such as example.org, but got {name!r}")
        return AllowedHosts(names=names, bound=host_of(self.address).strip("[]").lower())


def rules_of(settings: DoorSettings) -> Rules:
    """Returns the rules of a door. Raises ConfigurationError for an address that anyone could reach without a token."""
    token = read_token(settings.token_file)
    is_private = settings.address.startswith("unix:") or is_loopback(host_of(settings.address))
    # guard: other addresses need a token -> if False:
    if token is None and not is_private:
        raise ConfigurationError(
            f"--address: expected a loopback address, or a token, but got {settings.address} without one: "
            f"set {VARIABLE} or --token-file, or listen at 127.0.0.1"
        )
    return Rules(hosts=settings.hosts, token=token, read_only=settings.read_only, prefix=settings.prefix)


async def serve(settings: DoorSettings, ready: Callable[[str], None] | None = None) -> None:
    """Serves until it is asked to stop, and lets answers under way end. `ready` gets the page's URL."""
    rules = rules_of(settings)
    stop = await stop_requested(settings)
    bound, address = bind(settings.address)
    async with Upstream(planner=settings.planner, runner=settings.runner) as upstream:
        server = server_of(application(upstream, rules, stop), settings.grace)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        announce(address, settings.address_file)
        if ready is not None:
            ready(page_url(address, settings.prefix))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        server.should_exit = True
        stopping.cancel()
        await serving
