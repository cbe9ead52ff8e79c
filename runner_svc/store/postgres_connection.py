"""Connections to a PostgreSQL database: one statement at a time, connected anew when lost, with errors of one line.

asyncpg is an extra (`pip install '.[postgres]'`), so it is imported when a connection is first made.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit

from signoff.errors import ConfigurationError, SignoffError, StorageFailed
from signoff.secrets.names import secrets_in_url
from signoff.secrets.redaction import Secrets

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")
Link: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

SHAPE = "postgresql://user:password@host:port/database, with special characters of the password percent-encoded"
EPOCH_IS_OVER = "SO001"  # the two refusals of our own functions, as SQLSTATEs (migrations_postgres)
NOT_THE_NEXT_ROW = "SO002"


class Database:
    """The database of a DSN. `where` names it without the user and the password."""

    def __init__(self, dsn: str, *, name: str, timeout: float) -> None:
        """`name`: the connections' name on the server. `timeout`: seconds, bounds each statement."""
        self._dsn = dsn
        self._name = name
        self._timeout = timeout
        self.where = _where(dsn)
        self._secrets = Secrets((*secrets_in_url(dsn), os.environ.get("PGPASSWORD", "")))

    async def connect(self) -> Link:
        _require_driver()
        import asyncpg

        settings = {
            "application_name": self._name,
            "synchronous_commit": "on",  # a write that has returned is on the disk, whatever the server's default is
            "idle_in_transaction_session_timeout": str(round(self._timeout * 1000)),
        }
        try:
            return await asyncpg.connect(
                self._dsn, timeout=self._timeout, command_timeout=self._timeout, server_settings=settings
            )
        except ValueError:
            raise ConfigurationError(_misshapen()) from None  # the original may quote the DSN
        except _errors() as error:  # a server, or another program in its place, may repeat the password
            raise StorageFailed(f"cannot open the database {self.where}: {self._said(error)}") from None

    def refused(self, error: Exception) -> StorageFailed:
        return StorageFailed(f"the database {self.where} refused: {self._said(error)}")

    def _said(self, error: Exception) -> str:
        return self._secrets.without(_one_line(error))


class Connection:
    """A connection and the queue before it. The next call replaces a lost connection.

    `prepare` runs on every new connection before anything else.
    """

    def __init__(self, database: Database, prepare: Callable[[Link], Awaitable[None]]) -> None:
        self._database = database
        self._prepare = prepare
        self._turn = asyncio.Lock()
        self._link: Link | None = None
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    @property
    def is_lost(self) -> bool:
        return self._link is None or self._link.is_closed()

    async def run(self, work: Callable[[Link], Awaitable[T]]) -> T:
        """Does the work in its turn. It runs to its end even when the caller is cancelled: a commit has no middle."""
        task = asyncio.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _run(self, work: Callable[[Link], Awaitable[T]]) -> T:
        async with self._turn:
            link = await self._connected()
            try:
                return await work(link)
            except _errors() as error:
                raise await self._failure(error) from error

    async def _failure(self, error: Exception) -> StorageFailed:
        """Drops the connection, for the outcome may be unknown: the preparation of the next one settles it."""
        if sqlstate(error) == NOT_THE_NEXT_ROW:
            return StorageFailed(_one_line(error))
        self._drop()
        if sqlstate(error) == EPOCH_IS_OVER:
            await self._connected()  # raises OwnershipLost with the new owner
        return self._database.refused(error)

    async def _connected(self) -> Link:
        if self._closed:
            raise StorageFailed(f"the database {self._database.where} was closed")
        if self._link is not None and not self._link.is_closed():
            return self._link
        link = await self._database.connect()
        try:
            await self._prepare(link)
        except _errors() as error:
            link.terminate()
            raise self._database.refused(error) from error
        except SignoffError:
            link.terminate()
            raise
        self._link = link
        return link

    def _drop(self) -> None:
        if self._link is not None:
            self._link.terminate()
            self._link = None

    async def close(self) -> None:
        """Closes the connection after the work that is under way."""
        async with self._turn:
            self._closed = True
            self._drop()


def sqlstate(error: BaseException) -> str:
    """Returns the five characters by which PostgreSQL distinguishes errors, or nothing."""
    return str(getattr(error, "sqlstate", None) or "")


def _where(dsn: str) -> str:
    """Returns host and database of a DSN, which are safe to show.

    Raises ConfigurationError for a DSN whose password may have spilled into other parts.
    """
    try:
        parts = urlsplit(dsn)
    except ValueError:
        raise ConfigurationError(_misshapen()) from None
    if parts.scheme not in ("postgresql", "postgres") or not _is_unspilled(parts):
        raise ConfigurationError(_misshapen())
    host = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", ["localhost"]))
    return host + parts.path


def _is_unspilled(parts: SplitResult) -> bool:
    """Tells whether the password is inside the host part: a raw `/`, `?` or `#` in it moves the `@` to a later part."""
    return not any("@" in part for part in (parts.path, parts.query, parts.fragment))


def _misshapen() -> str:
    return f"expected a DSN such as {SHAPE}, but got one that cannot be read as that"


def _require_driver() -> None:
    if find_spec("asyncpg") is None:
        raise ConfigurationError(
            "expected asyncpg for a PostgreSQL store, but it is not installed: "
            "pip install '.[postgres]' in a checkout of signoff"
        )


def _errors() -> tuple[type[Exception], ...]:
    """Returns the errors of asyncpg and the network. TimeoutError is an OSError."""
    import asyncpg

    return (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


def _one_line(error: Exception) -> str:
    """Returns the first line of an error: the others are PostgreSQL's details and hints."""
    return (str(error).splitlines() or [f"no answer in time ({type(error).__name__})"])[0]
