"""The schema of the PostgreSQL store, in numbered scripts that run forward only.

The first script makes the row with the database's owner; only the owner runs the others.
"""

from __future__ import annotations

from importlib import resources

from runner_svc.store.postgres_connection import Link
from signoff.errors import ConfigurationError

OWNER_SCRIPT = 1  # the number of the script that must have run before the database can be owned
#: Tables of one row: the script that made them, and the row. Without it, a runner would never start again. An epoch
#: counts claims; the seconds since 1970 are more than any count, so that none comes a second time.
_SINGLE_ROWS = {
    "runner": (OWNER_SCRIPT, "extract(epoch FROM clock_timestamp())::bigint, '', 'epoch'"),
    "runner_checkpoint": (3, "0, ''"),
    "listing_state": (4, "false"),
}
#: A row of the runner that was missing has no id of its journal yet.
_NEW_ID = "UPDATE signoff.runner SET journal_id = replace(gen_random_uuid()::text, '-', '') WHERE journal_id = ''"
_LOCK = 0x7369676E  # "sign": the advisory lock that makes two migrations wait for each other


def scripts() -> list[str]:
    folder = resources.files("runner_svc.store") / "migrations_postgres"
    files = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
    return [file.read_text() for _, file in files]


async def migrate(link: Link, last: int | None = None) -> None:
    """Runs the scripts that have not run yet, up to number `last` or to the end, in one transaction.

    Raises ConfigurationError when the database is from a newer version.
    """
    known = scripts()
    async with link.transaction():
        await link.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        version = await _version(link)
        if version > len(known):
            raise ConfigurationError(
                f"expected a database of version {len(known)} or older, but it has version {version}: upgrade signoff"
            )
        for number, script in enumerate(known[:last], start=1):
            if number > version:
                await link.execute(script)
                await link.execute("INSERT INTO signoff.migration (number) VALUES ($1)", number)
        for table, (made_by, values) in _SINGLE_ROWS.items():
            # guard: a row that is missing in a database is made anew -> if False:
            if made_by <= (last or len(known)) and not await link.fetchval(f"SELECT count(*) FROM signoff.{table}"):
                await link.execute(f"INSERT INTO signoff.{table} VALUES ({values})")
        if last is None:
            await link.execute(_NEW_ID)


async def _version(link: Link) -> int:
    """Returns the number of the last script that ran; 0 in a new database, which gets the table of them."""
    if await link.fetchval("SELECT to_regnamespace('signoff') IS NULL"):
        await link.execute("CREATE SCHEMA signoff")  # asked first: IF NOT EXISTS needs the right to create even then
    await link.execute(
        "CREATE TABLE IF NOT EXISTS signoff.migration"
        " (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    version: int = await link.fetchval("SELECT coalesce(max(number), 0) FROM signoff.migration")
    return version
