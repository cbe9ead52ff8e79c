"""The files of a plan, first written beside their places, so that older ones stay whole until all new ones are there.

The process that compiles writes them; the service puts them into place in one go (`PlanStore.commit`). Every function
here blocks and lets OSError through.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from signoff.files.data_directory import EXECUTION_JSON, PLAN_JSON

MAP = "map.pb"
NAMES = (PLAN_JSON, EXECUTION_JSON, MAP)

LENGTH = struct.Struct(">I")  # before each record of a file of records


def staged_paths(folder: Path, token: str) -> dict[str, Path]:
    """Returns the paths where the files are written first. The token is the compile's own."""
    return {name: folder / f".{name}.{token}.part" for name in NAMES}


def stage(folder: Path, token: str, contents: Mapping[str, Iterable[bytes]]) -> None:
    """Writes all files so that they survive a power cut. Leaves none of them when the disk refuses one."""
    folder.mkdir(parents=True, exist_ok=True)
    staged = staged_paths(folder, token)
    try:
        for name, pieces in contents.items():
            _write(staged[name], pieces)
    except BaseException:
        discard(folder, token)
        raise


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def discard(folder: Path, token: str) -> None:
    """Removes what was staged and not put into place, and the folder when it holds nothing else."""
    for path in staged_paths(folder, token).values():
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not empty, or was never made
        folder.rmdir()


# ---------------------------------------------------------------- records


def records(messages: Iterable[bytes]) -> Iterator[bytes]:
    """Yields messages, each behind its length in four bytes."""
    for message in messages:
        yield LENGTH.pack(len(message))
        yield message


def read_records(file: BinaryIO) -> Iterator[bytes]:
    """Yields the messages of a file of records. Raises EOFError when it ends inside one."""
    while prefix := file.read(LENGTH.size):
        if len(prefix) != LENGTH.size:
            raise EOFError("expected a length of four bytes, but the file ends inside it")
        length = LENGTH.unpack(prefix)[0]
        message = file.read(length)
        if len(message) != length:
            raise EOFError(f"expected a record of {length:,} bytes, but the file ends inside it")
        yield message
