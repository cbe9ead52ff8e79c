"""Makes the fixtures in tests/stored/<version>: data folders as a version leaves them, with its answers about them.

Run from a checkout of the version, with this folder copied into its tests:

    python -m tests.stored.make FOLDER [NAME …]

Each NAME.tar.xz in FOLDER is a data folder of SQLite, each NAME.sql.xz a database of PostgreSQL, and NAME.json beside
it is what the version itself answered. Without names all are made; it takes some minutes. The next version adds a
folder of its own and changes nothing in the others.
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
from tests.stored.pack import outputs, pack
from tests.stored.world import world


async def _healthy(folder: Path) -> Json:
    async with world(folder) as here:
        answers = await healthy.tell(here)
        return answers | {"files": outputs(here.data)}


async def _made(name: str, story: Callable[[Path], Awaitable[Json]], into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="signoff-stored-") as folder:
        answers = await story(Path(folder))
        dump = Path(folder) / "dump.sql.xz"
        if dump.exists():
            (into / f"{name}.sql.xz").write_bytes(dump.read_bytes())
        else:
            pack(Path(folder) / "db", into / f"{name}.tar.xz")
    (into / f"{name}.json").write_text(json.dumps({"name": name} | answers, indent=1, ensure_ascii=False) + "\n")


STORIES: dict[str, Callable[[Path], Awaitable[Json]]] = {
    "healthy": _healthy,
    "postgres": postgres.tell,
    **{f"poisoned-{name}": partial(poisons.tell, poison) for name, poison in poisons.POISONS.items()},
}


async def main(into: Path, *names: str) -> None:
    """Makes the fixtures of these names, or all."""
    for name in names or STORIES:
        sys.stdout.write(f"{name}\n")
        await _made(name, STORIES[name], into)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
