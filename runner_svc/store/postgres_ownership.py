"""Ownership of the database: one runner at a time, for a lease that it renews, fenced by an epoch.

Every write checks the epoch in its own transaction (migrations_postgres). So a runner that was frozen while another one
took over can write nothing more when it wakes. All times are by the clock of the database.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeVar

import structlog

from runner_svc.store.port import StandsBy
from runner_svc.store.postgres_connection import Link
from signoff.errors import ConfigurationError, OwnershipLost, StorageFailed

log = structlog.get_logger(__name__)

T = TypeVar("T")

LOOKS = 20  # times a lease that a waiting runner looks whether the database is free

# The connections of a runner whose deadline has passed may still hold locks, as when it froze in the middle of sending.
# Our role may always end its own. Both statements go by now(), the beginning of their transaction: a deadline that
# passes between them would leave the second one waiting for a lock that the first did not free.
_END_CONNECTIONS = """
    SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN signoff.runner r ON a.application_name = r.owner
    WHERE a.datname = current_database() AND a.usename = current_user
    AND r.deadline <= now() AND r.owner <> $1
"""
# guard (3 lines): one clock for a take ->
#     _TAKE = """
#         UPDATE signoff.runner SET epoch = epoch + 1, owner = $1, deadline = clock_timestamp() + $2::interval
#         WHERE deadline <= clock_timestamp() OR owner = $1 RETURNING epoch
# guard (3 lines): deadline of the owner ->
#     _TAKE = """
#         UPDATE signoff.runner SET epoch = epoch + 1, owner = $1, deadline = clock_timestamp() + $2::interval
#         WHERE deadline <= now() - interval '1 hour' OR owner = $1 RETURNING epoch
_TAKE = """
    UPDATE signoff.runner SET epoch = epoch + 1, owner = $1, deadline = clock_timestamp() + $2::interval
    WHERE deadline <= now() OR owner = $1 RETURNING epoch
"""
# guard (2 lines): unknown outcome ->
#     _TAKE_AGAIN = """
#         UPDATE signoff.runner SET epoch = epoch, deadline = clock_timestamp() + $2::interval
_TAKE_AGAIN = """
    UPDATE signoff.runner SET epoch = epoch + 1, deadline = clock_timestamp() + $2::interval
    WHERE owner = $1 RETURNING epoch
"""
_HOLDER = "SELECT owner, extract(epoch FROM deadline - clock_timestamp())::float8 FROM signoff.runner"
_RELEASE = "UPDATE signoff.runner SET deadline = 'epoch' WHERE epoch = $1"  # the year 1970 is always over


class RunOnConnection(Protocol):
    """A function that does work on a connection, made anew when it was lost."""

    async def __call__(self, work: Callable[[Link], Awaitable[T]], /) -> T: ...


class Ownership:
    """A runner's ownership of a database."""

    def __init__(self, lease: float) -> None:
        """`lease`: seconds that the database stays this runner's without a renewal."""
        self.lease = timedelta(seconds=lease)
        self.epoch = 0  #: 0 while this runner does not own the database
        self.owner = f"signoff {socket.gethostname()[:24]} {os.getpid()} {secrets.token_hex(8)}"

    async def take(self, run: RunOnConnection, where: str) -> None:
        """Takes the database as soon as it is free. Raises ConfigurationError when it is not free within one lease."""
        patience = asyncio.get_running_loop().time() + self.lease.total_seconds()
        while not await run(self._take):
            holder, left = await run(_holder)
            if asyncio.get_running_loop().time() > patience:
                raise ConfigurationError(
                    f"expected the database {where} to be free, but another runner ({holder}) is using it:"
                    " end that one, or choose another database"
                )
            await self._pause(left)

    async def stand_by(self, run: RunOnConnection, tell: StandsBy) -> None:
        """Takes the database as soon as it is free, however long that is, and tells its owner until then.

        Waits also for a database that goes away after the first look.
        """
        told = ""  # the last owner that was told
        while True:
            try:
                if await run(self._take):
                    return
                holder, left = await run(_holder)
            except StorageFailed as failure:
                if not told:
                    raise
                log.warning("cannot_stand_by", error=str(failure))
                left = self.lease.total_seconds()
            else:
                if holder != told:
                    await tell(holder)
                    told = holder
            await self._pause(left)

    async def _pause(self, left: float) -> None:
        """Waits a part of a lease, or less when the lease is over sooner."""
        await asyncio.sleep(max(0.001, min(left, self.lease.total_seconds() / LOOKS)))

    async def _take(self, link: Link) -> bool:
        async with link.transaction():
            await link.execute(_END_CONNECTIONS, self.owner)
            epoch: int | None = await link.fetchval(_TAKE, self.owner, self.lease)
        self.epoch = epoch or 0
        return epoch is not None

    async def take_again(self, link: Link) -> None:
        """Begins a new epoch on a new connection.

        A write that was under way on the lost connection has then either been committed, since both lock the runner's
        row, or it is of an older epoch and will be refused. So nothing that is read from now on changes afterwards.
        """
        if not self.epoch:
            return
        epoch: int | None = await link.fetchval(_TAKE_AGAIN, self.owner, self.lease)
        if epoch is None:
            holder, _ = await _holder(link)
            raise OwnershipLost(
                f"expected this runner ({self.owner}) to own the database, but {holder} has taken it over"
            )
        self.epoch = epoch

    async def renew(self, link: Link) -> None:
        within = self.lease.total_seconds() / 3  # so that an answer that never comes leaves time for another try
        await link.execute("SELECT signoff.own($1, $2)", self.epoch, self.lease, timeout=within)

    async def release(self, link: Link) -> None:
        """Lets another runner take it at once."""
        await link.execute(_RELEASE, self.epoch)
        self.epoch = 0


async def _holder(link: Link) -> tuple[str, float]:
    """Returns the owner, and the seconds left until another runner may take the database."""
    row = await link.fetchrow(_HOLDER)
    assert row is not None  # the migration made the one row
    return row[0], row[1]
