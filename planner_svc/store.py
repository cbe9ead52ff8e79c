"""What the planner keeps: db/{plan_id}/ with plan.json and execution.json for people, and map.pb to stream maps from.

map.pb is the stream of MapParts, each behind its length in four bytes; the header comes first, so that a plan can be
listed without reading its tasks. A plan exists when its map.pb does. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import itertools
import os
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from google.protobuf.message import DecodeError

from planner_svc.ids import natural_key
from signoff.errors import PlanNotFound, StorageFailed
from signoff.files import part_name
from signoff.ids import is_plan_id
from signoff.rpc import CHUNK_BYTES
from signoff.v1 import plan_pb2

PLAN_JSON = "plan.json"
EXECUTION_JSON = "execution.json"
MAP = "map.pb"

_LENGTH = struct.Struct(">I")
_DAMAGED = "cannot read a map: its file is damaged; compile the plan again"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    header: plan_pb2.MapHeader
    compiled_at: datetime


class Store:
    """The plans under one folder. Plan ids must have passed `is_plan_id`: they name folders."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._renaming = threading.Lock()  # two compiles of one plan: all files are of one of them

    def save(self, plan_id: str, plan_json: bytes, execution_json: Iterable[bytes], parts: Iterable[bytes]) -> BinaryIO:
        """Replaces what is stored under a plan id, and opens the new map for `read_parts`.

        Everything is written beside its place first: when the disk refuses (StorageFailed), the old files stay.
        """
        folder = self._data_dir / plan_id
        contents = {PLAN_JSON: (plan_json,), EXECUTION_JSON: execution_json, MAP: _records(parts)}
        with _failures(f"store the plan {plan_id}"):
            folder.mkdir(parents=True, exist_ok=True)
            staged = {name: folder / part_name(name) for name in contents}
            try:
                for name, pieces in contents.items():
                    _write(staged[name], pieces)
                with self._renaming:
                    for name in contents:
                        staged[name].replace(folder / name)
                    _sync_folder(folder)
                    return (folder / MAP).open("rb")
            except BaseException:
                _discard(folder, staged.values())
                raise

    def open(self, plan_id: str, name: str) -> BinaryIO:
        """One of the files of a plan; what is read stays the same when the plan is compiled again meanwhile."""
        path = self._data_dir / plan_id / name
        with _failures(f"read the plan {plan_id}"):
            if not path.is_file():
                raise PlanNotFound(f"expected the id of a compiled plan, but nothing is stored for {plan_id}")
            return path.open("rb")

    def list_after(self, plan_id: str, most: int) -> list[StoredPlan]:
        """At most `most` plans that come after an id, in natural order; the empty id comes before all."""
        after = natural_key(plan_id) if plan_id else ""
        with _failures("list the plans"):
            names = [entry.name for entry in self._folders() if is_plan_id(entry.name)]
        found = (self._stored(name) for name in sorted(names, key=natural_key) if natural_key(name) > after)
        return list(itertools.islice((plan for plan in found if plan is not None), most))

    def _folders(self) -> Iterable[Path]:
        return self._data_dir.iterdir() if self._data_dir.exists() else ()

    def _stored(self, plan_id: str) -> StoredPlan | None:
        try:
            file = self.open(plan_id, MAP)
        except PlanNotFound:
            return None
        with file:
            compiled_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            with decoding():
                first = plan_pb2.MapPart.FromString(next(read_parts(file)))
            return StoredPlan(header=first.header, compiled_at=compiled_at)


def read_parts(file: BinaryIO) -> Iterator[bytes]:
    """The MapParts of a map.pb from where the file stands, each as it was stored."""
    with _failures("read a map"):
        while prefix := file.read(_LENGTH.size):
            yield _part(prefix, file)


def _part(prefix: bytes, file: BinaryIO) -> bytes:
    with decoding():
        length = _LENGTH.unpack(prefix)[0]
        data = file.read(length)
    if len(data) != length:
        raise StorageFailed(_DAMAGED)
    return data


@contextmanager
def decoding() -> Iterator[None]:
    """Turns what cannot be read as a message into StorageFailed."""
    try:
        yield
    except (struct.error, DecodeError) as error:
        raise StorageFailed(_DAMAGED) from error


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    with _failures("read a file"):
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _records(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield _LENGTH.pack(len(part))
        yield part


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes renames survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(folder: Path, staged: Iterable[Path]) -> None:
    for path in staged:
        path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Turns what the disk refuses into StorageFailed."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"cannot {what}: {error.strerror or error}") from error
