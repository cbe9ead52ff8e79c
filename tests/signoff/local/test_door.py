"""The page beside local services: it comes back at its address, and is no one's downfall."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from signoff.errors import ConfigurationError
from signoff.local.door import LocalDoor, is_free
from tests.support.processes.commands import kill_one, vanished

NOWHERE = "127.0.0.1:9"


async def answers(url: str) -> None:
    """Waits until the page answers."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while True:
            try:
                assert (await client.get(url)).status_code == 200
                return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_a_door_that_dies_is_started_again_at_its_address(tmp_path: Path) -> None:
    said: list[str] = []
    async with LocalDoor(NOWHERE, NOWHERE, tmp_path, said.append, "127.0.0.1:0") as door:
        await answers(door.url)
        kill_one("signoff.web", door._folder.name)
        await answers(door.url)
        assert said == ["the door was killed by signal 9: it was started again"]
    await vanished(door._folder.name)


async def test_an_address_that_is_taken_is_told_of(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert not is_free(address)
        with pytest.raises(ConfigurationError, match=f"cannot listen on {address}"):
            await LocalDoor(NOWHERE, NOWHERE, tmp_path, print, address).__aenter__()
