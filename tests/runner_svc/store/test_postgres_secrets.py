"""The password of the database is in no error of the runner, not even when a server repeats it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runner_svc.store.postgres import PostgresStore
from runner_svc.store.postgres_connection import Database
from signoff.errors import StorageFailed

PASSWORD = "hunter/2-and-more"
WRITTEN = "hunter%2F2-and-more"
SSL_REQUEST = 8  # bytes: the client asks whether the server can do TLS


@asynccontextmanager
async def server_that_repeats(words: str) -> AsyncIterator[str]:
    """Yields the address of a server that speaks just enough PostgreSQL to refuse with these words."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (length := int.from_bytes(await reader.readexactly(4))) == SSL_REQUEST:
            await reader.readexactly(length - 4)
            writer.write(b"N")
        await reader.readexactly(length - 4)
        fields = b"".join(
            kind + text.encode() + b"\0" for kind, text in ((b"S", "FATAL"), (b"C", "28P01"), (b"M", words))
        )
        writer.write(b"E" + (len(fields) + 5).to_bytes(4) + fields + b"\0")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"{host}:{port}"


@pytest.mark.parametrize("said", [PASSWORD, WRITTEN, PASSWORD.encode().hex(), f"postgresql://me:{WRITTEN}@db/x"])
async def test_a_server_that_repeats_the_password_does_not_bring_it_into_an_error(said: str) -> None:
    async with server_that_repeats(f"no such password: {said}") as address:
        store = PostgresStore(f"postgresql://me:{WRITTEN}@{address}/signoff")
        with pytest.raises(StorageFailed, match="cannot open the database") as caught:
            await store.open()
        await store.close()
    story = "".join(traceback.format_exception(caught.value))
    assert "no such password: " in story
    assert said not in story
    assert address in str(caught.value)


def test_the_password_of_the_environment_is_no_less_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "from-the-environment")
    database = Database("postgresql://me@db/signoff", name="runner", timeout=1)
    assert "from-the-environment" not in str(database.refused(OSError("bad from-the-environment")))
