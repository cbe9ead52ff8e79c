"""A real PostgreSQL for the tests that ask for one."""

from tests.support.postgres import dsn, own_dsn, own_server, server_dsn

__all__ = ["dsn", "own_dsn", "own_server", "server_dsn"]
