"""`signoff restore`: checks an archive, and fills a new data directory from it, or a new database."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from signoff.cli.archive.archive import PLANS, broken, files, messages, numbers_of, verified
from signoff.cli.archive.backup import describe, facts_of
from signoff.cli.remote.find_runner import STORE
from signoff.cli.show.output import CommandOutput
from signoff.errors import ConfigurationError
from signoff.files.data_directory import JOURNAL, PLAN_FILES
from signoff.files.writing import part_name
from signoff.v1 import runner_pb2

if TYPE_CHECKING:
    from runner_svc.store.port import Store

SQLITE = "sqlite"
OBJECTS = "SIGNOFF_RUNNER_OBJECTS"  # where the runner keeps large contents


def restore(file: Path, into: Path, output: CommandOutput) -> int:
    """Restores an archive. One that is refused, or is cut off, leaves no folder behind."""
    manifest = verified(file, numbers_of(version("signoff")))
    with _new_folder(into) as folder:
        _write_plans(file, folder)
        asyncio.run(_fill(file, folder))
    if output.json:
        output.record({"into": str(into), **facts_of(manifest)})
    else:
        output.line(f"{into}: {describe(manifest)}, as of {manifest.made_at}")
    return 0


@contextmanager
def _new_folder(into: Path) -> Iterator[Path]:
    """Makes a folder beside the one that is wanted, which takes its name at the end of the block."""
    # guard: a restore overwrites nothing -> if False:
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise ConfigurationError(f"expected --into to be a new or an empty folder, but {into} has something in it")
    part = into.absolute().parent / part_name(into.absolute().name)
    try:
        part.mkdir(parents=True, mode=0o700)
        yield part
        part.chmod(0o755)
        part.replace(into)
    except OSError as error:
        raise ConfigurationError(f"expected a folder that can be written, but got {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_plans(file: Path, folder: Path) -> None:
    for name, body in files(file):
        first, _, rest = name.partition("/")
        target = folder / rest if first == PLANS else folder / PLAN_FILES / rest
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as written:
            shutil.copyfileobj(body, written)
            written.flush()
            os.fsync(written.fileno())


async def _fill(file: Path, folder: Path) -> None:
    from runner_svc.backup.filling import Filling, check_empty
    from runner_svc.contents import Contents
    from runner_svc.objects.choice import objects_for

    where = os.environ.get(STORE) or SQLITE
    store = _store(where, folder)
    objects = objects_for(folder, os.environ.get(OBJECTS, ""), is_local=where == SQLITE)
    await store.open()
    try:
        await check_empty(store)
        contents = Contents(store, objects)
        await contents.open_objects()
        await Filling(store, contents).fill(_parts(file))
    finally:
        await store.close()


def _store(where: str, folder: Path) -> Store:
    """Returns the store to fill: that of the runner's own variable, or a new one in the folder."""
    if where == SQLITE:
        from runner_svc.store.sqlite import SqliteStore

        return SqliteStore(folder / JOURNAL)
    from runner_svc.store.postgres import PostgresStore

    return PostgresStore(where)


async def _parts(file: Path) -> AsyncIterator[runner_pb2.BackUpResponse]:
    for message in messages(file):
        try:
            part = runner_pb2.BackUpResponse.FromString(message)
        except DecodeError:
            raise broken(file, "it has a part of the store that cannot be read") from None
        yield part
