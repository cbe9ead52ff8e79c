"""The planner's files: db/{plan_id}/ with plan.json and execution.json for people, and map.pb to stream maps from.

map.pb is the stream of MapParts, each behind its length in four bytes. The header comes first, so that a plan can be
listed without reading its tasks. A plan exists when its map.pb does. Every function here blocks: call it in a thread.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import structlog
from google.protobuf.message import DecodeError

from planner_svc.ids import natural_key
from planner_svc.staging import MAP, discard, read_records, staged_paths
from signoff.errors import PlanNotFound, StorageFailed
from signoff.plan.ids import is_plan_id
from signoff.rpc.channel import CHUNK_BYTES
from signoff.v1 import plan_pb2

log = structlog.get_logger(__name__)

_DAMAGED = "cannot read a map: its file is damaged; compile the plan again"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A stored plan as the list of plans shows it."""

    header: plan_pb2.MapHeader
    compiled_at: datetime


class PlanStore:
    """The plans under one folder. Plan ids must have passed `is_plan_id`: they name folders."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._renaming = threading.Lock()

    @property
    def folder(self) -> Path:
        return self._data_dir

    def new_token(self) -> str:
        """Returns a name for the staged files of one compile that no other compile uses or has left behind."""
        return secrets.token_hex(8)

    def commit(self, plan_id: str, token: str) -> BinaryIO:
        """Puts the staged files into place, and opens the new map for `read_parts`.

        After two compiles of one plan at once, all files are of the same compile. When the disk refuses, no staged file
        is left, and StorageFailed is raised.
        """
        folder = self._data_dir / plan_id
        staged = staged_paths(folder, token)
        with _failures(f"store the plan {plan_id}"), ExitStack() as undo:
            undo.callback(discard, folder, token)
            new_map = undo.enter_context(staged[MAP].open("rb"))
            with self._renaming, _locked(folder):
                for name, path in staged.items():
                    path.replace(folder / name)
            undo.pop_all()
            return new_map

    def discard(self, plan_id: str, token: str) -> None:
        """Removes the staged files of a compile that is not to be stored."""
        with _failures(f"remove what was written of the plan {plan_id}"):
            discard(self._data_dir / plan_id, token)

    def open(self, plan_id: str, name: str) -> BinaryIO:
        """Opens one of the files of a plan. Its content stays the same when the plan is compiled again meanwhile."""
        path = self._data_dir / plan_id / name
        with _failures(f"read the plan {plan_id}"):
            if not path.is_file():
                raise PlanNotFound(f"expected the id of a compiled plan, but nothing is stored for {plan_id}")
            return path.open("rb")

    def page_after(self, plan_id: str, most: int, most_bytes: int) -> tuple[list[StoredPlan], bool]:
        """Returns the plans after an id in natural order, and whether they are the last ones.

        There are at most `most` plans of about `most_bytes` together, but at least one if there is one. The empty id
        comes before all others.
        """
        page: list[StoredPlan] = []
        size = 0
        for plan in self._after(plan_id):
            size += plan.header.ByteSize()
            # guard: pages of plans are bounded in bytes -> if page and len(page) == most:
            if page and (len(page) == most or size > most_bytes):
                return page, False
            page.append(plan)
        return page, True

    def _after(self, plan_id: str) -> Iterator[StoredPlan]:
        after = natural_key(plan_id) if plan_id else ""
        with _failures("list the plans"):
            names = [entry.name for entry in self._folders() if is_plan_id(entry.name)]
        found = (self._stored(name) for name in sorted(names, key=natural_key) if natural_key(name) > after)
        return (plan for plan in found if plan is not None)

    def _folders(self) -> Iterable[Path]:
        return self._data_dir.iterdir() if self._data_dir.exists() else ()

    def _stored(self, plan_id: str) -> StoredPlan | None:
        try:
            file = self.open(plan_id, MAP)
        except PlanNotFound:
            return None
        with file:
            compiled_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            header = _header(file)
        if header is None:
            log.warning("plan_damaged", plan=plan_id)  # one plan's damage hides no other plan
            return None
        return StoredPlan(header=header, compiled_at=compiled_at)


def _header(file: BinaryIO) -> plan_pb2.MapHeader | None:
    """Returns the header at the beginning of a map; None when there is none."""
    try:
        with decoding():
            first = next(read_parts(file), b"")
            return plan_pb2.MapPart.FromString(first).header if first else None
    except StorageFailed:
        return None


def read_parts(file: BinaryIO) -> Iterator[bytes]:
    """Yields the MapParts of a map.pb from the current position of the file, each as it was stored."""
    with _failures("read a map"), decoding():
        yield from read_records(file)


@contextmanager
def decoding() -> Iterator[None]:
    """Turns the errors of a damaged file into StorageFailed."""
    try:
        yield
    except (EOFError, DecodeError) as error:
        raise StorageFailed(_DAMAGED) from error


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    with _failures("read a file"):
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks a folder against other planners, and makes renames in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems over a network have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Turns errors of the disk into StorageFailed."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"cannot {what}: {error.strerror or error}") from error
