"""A PostgreSQL server for the stored databases; it starts when the first test asks for one."""

from __future__ import annotations

from tests.support.servers.postgres import dsn, own_server, server_dsn

__all__ = ["dsn", "own_server", "server_dsn"]
