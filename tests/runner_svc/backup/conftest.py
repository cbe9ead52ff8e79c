"""The fixtures of PostgreSQL: a server starts when the first test asks for one."""

from __future__ import annotations

from tests.support.servers.postgres import dsn, server_dsn

__all__ = ["dsn", "server_dsn"]
