"""`python -m … DSN LEASE`: writes to a PostgreSQL store for as long as it owns it, and prints each commit."""

from __future__ import annotations

import asyncio
import sys

from runner_svc.store.port import Row
from runner_svc.store.postgres import PostgresStore
from signoff.errors import OwnershipLost, StorageFailed


async def write(dsn: str, lease: float) -> None:
    store = PostgresStore(dsn, lease=lease)
    await store.open()
    written = 0
    try:
        while True:
            try:
                await store.append([Row("a", written + 1, b"x" * 1000)], {})
                written += 1
                print(f"wrote {written}", flush=True)  # noqa: T201
            except StorageFailed:
                written = len(
                    await store.read("a", 0, 1_000_000)
                )  # as a runner does: the journal tells what was committed
    except OwnershipLost as lost:
        print(f"lost {lost}", flush=True)  # noqa: T201
    await store.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], float(sys.argv[2])))
