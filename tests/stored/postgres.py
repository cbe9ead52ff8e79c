"""The healthy story over PostgreSQL, and its database as SQL."""

from __future__ import annotations

import asyncio
import lzma
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from runner_svc.store.port import Store
from tests.stored import healthy
from tests.stored.answers import Json
from tests.stored.world import world
from tests.support.servers.postgres import UNPRIVILEGED, Server, _programs


async def tell(folder: Path) -> Json:
    """Writes dump.sql.xz into the folder."""
    with _server() as server:
        async with world(folder, store=server.dsn) as here:
            answers = await healthy.tell(here)
        (folder / "dump.sql.xz").write_bytes(lzma.compress(_dump(server), preset=9))
    return answers


@contextmanager
def _server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="signoff-pg-") as folder:
        programs = _programs(Path(folder))
        server = Server(Path(folder), programs, UNPRIVILEGED if os.geteuid() == 0 else None)
        server.initialize()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _dump(server: Server) -> bytes:
    """Returns the whole schema as statements, without the commands that only psql knows."""
    command = [str(server.programs / "pg_dump"), "--schema=signoff", "--no-owner", "--rows-per-insert=100"]
    made = subprocess.run([*command, f"--dbname={server.dsn}"], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr.decode()
    return b"".join(line for line in made.stdout.splitlines(keepends=True) if not line.startswith(b"\\"))


async def load(dump: Path, dsn: str) -> None:
    """Runs the statements in a new database."""
    statements = await asyncio.to_thread(lzma.decompress, dump.read_bytes())  # noqa: ASYNC240 - a small file
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements.decode())
    finally:
        await connection.close()


def store_at(dsn: str) -> Store:
    """Returns the store in a database."""
    from runner_svc.store.postgres import PostgresStore  # its driver is an extra

    return PostgresStore(dsn)
