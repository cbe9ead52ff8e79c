"""Makes the fixtures in tests/stored/<version>: data folders as a version leaves them, with its answers about them.

Run from a checkout of the version, whose own story it tells:

    python -m tests.stored.make FOLDER [NAME …]

Each NAME.tar.xz in FOLDER is a data folder of SQLite with its object store, each NAME.sql.xz a database of PostgreSQL,
and NAME.json beside it is what the version itself answered. Without names the healthy ones are made, in about a minute.
A poison is made by its name, by a version that dies of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from tests.stored import healthy, poisons, postgres
from tests.stored.answers import Json
from tests.stored.pack import pack
from tests.stored.world import world


async def _healthy(folder: Path) -> Json:
    async with world(folder) as here:
        return await healthy.tell(here)


HEALTHY: dict[str, Callable[[Path], Awaitable[Json]]] = {"healthy": _healthy, "postgres": postgres.tell}
STORIES = HEALTHY | {f"poisoned-{name}": partial(poisons.tell, poison) for name, poison in poisons.POISONS.items()}


async def made(name: str, into: Path) -> None:
    """Makes the fixture of one name."""
    with tempfile.TemporaryDirectory(prefix="signoff-stored-") as folder:
        answers = await STORIES[name](Path(folder))
        dump = Path(folder) / "dump.sql.xz"
        if dump.exists():
            (into / f"{name}.sql.xz").write_bytes(dump.read_bytes())
        else:
            pack(Path(folder) / "db", into / f"{name}.tar.xz")
    (into / f"{name}.json").write_text(json.dumps({"name": name} | answers, indent=1, ensure_ascii=False) + "\n")


async def main(into: Path, *names: str) -> None:
    """Makes the fixtures of these names, or all healthy ones."""
    for name in names or HEALTHY:
        sys.stdout.write(f"{name}\n")
        await made(name, into)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
