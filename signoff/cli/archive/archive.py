"""The archive of a backup: a tar file with parts of the store, the files of plans and, last, a manifest.

store/000001 …                 the parts of the backup, each message behind its length in four bytes
plans/{plan id}/plan.json …    the files of the planner
plan-files/{plan id}           the path that a plan came from
manifest.json                  format, version, time and sums; size and SHA-256 of each member
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from signoff.errors import ConfigurationError
from signoff.files.data_directory import EXECUTION_JSON, PLAN_JSON
from signoff.plan.ids import is_plan_id

FORMAT = 1  # grows when earlier versions could not restore what is written
MANIFEST, STORE, PLANS, PLAN_FILES = "manifest.json", "store", "plans", "plan-files"
MAP = "map.pb"
NAMES_OF_A_PLAN = (PLAN_JSON, EXECUTION_JSON, MAP)
PART_BYTES = 4 * 1024 * 1024
MOST_MANIFEST = 256 * 1024 * 1024  # bytes: of a million members
LENGTH = struct.Struct(">I")
_STORE_PART = re.compile(r"store/[0-9]{6,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of the archive, as the manifest has it."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The description of an archive."""

    format: int
    version: str  #: of signoff, that has written it
    made_at: str  #: in ISO 8601
    events: int
    contents: int
    maps: int
    executions: int  #: that have no journal
    plans: int
    members: tuple[Member, ...] = ()


# ---------------------------------------------------------------- writing


class _Hashing(io.RawIOBase):
    """Reads a file, and computes the digest of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.sha256.update(piece)
        return piece


class ArchiveWriter:
    """Writes an archive into a file, member by member."""

    def __init__(self, file: BinaryIO) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `finish` closes it
        self._members: list[Member] = []
        self._part = bytearray()
        self._parts = 0

    def add_message(self, message: bytes) -> None:
        """Adds a message of the store. Some of them make a member; `end_store` comes after the last one."""
        self._part += LENGTH.pack(len(message)) + message
        if len(self._part) >= PART_BYTES:
            self.end_store()

    def end_store(self) -> None:
        """Writes the messages that are in no member yet."""
        self._parts += 1
        self.add(f"{STORE}/{self._parts:06}", io.BytesIO(self._part), len(self._part))
        self._part = bytearray()

    def add(self, name: str, file: BinaryIO, size: int) -> None:
        """Adds a file of `size` bytes. Raises OSError when it has become shorter meanwhile."""
        info, reading = tarfile.TarInfo(name), _Hashing(file)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, cast(BinaryIO, reading))
        self._members.append(Member(name=name, size=size, sha256=reading.sha256.hexdigest()))

    def give_up(self) -> None:
        """Ends the archive where it is, while its file is open: else that is tried when it is collected."""
        with suppress(OSError):
            self._tar.close()

    def finish(self, **facts: Any) -> Manifest:
        """Writes the manifest, which ends the archive. `facts`: the rest of the manifest."""
        manifest = Manifest(format=FORMAT, members=tuple(self._members), **facts)
        body = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(body), 0o600
        self._tar.addfile(info, io.BytesIO(body))
        self._tar.close()
        return manifest


# ---------------------------------------------------------------- reading


def verified(path: Path, version: tuple[int, ...]) -> Manifest:
    """Reads a whole archive, and returns its manifest. `version`: the present one.

    Raises ConfigurationError when it is no archive, is broken, is from a newer version, or has a member that may not be
    in it.
    """
    with _opened(path) as tar:
        found, manifest = list[Member](), None
        for info in tar:
            if manifest is not None:
                raise _broken(path, f"{info.name!r} stands after the manifest")
            if info.name == MANIFEST and info.isfile():
                manifest = _manifest(path, tar, info)
            else:
                found.append(_member(path, tar, info))
    if manifest is None:
        raise _broken(path, "it has no manifest: it was cut off, or is no archive of `signoff backup`")
    if manifest.format > FORMAT or numbers_of(manifest.version) > version:
        raise ConfigurationError(
            f"expected an archive of this version or an earlier one, but {path} is of signoff {manifest.version}: "
            "upgrade signoff"
        )
    # guard: what is restored is what was backed up -> (removed)
    _compare(path, found, manifest.members)
    return manifest


def _compare(path: Path, found: list[Member], named: tuple[Member, ...]) -> None:
    if len(found) != len(named):
        raise _broken(path, f"its manifest names {len(named):,} members, and it has {len(found):,}")
    for one, other in zip(found, named, strict=True):
        if one != other:
            raise _broken(path, f"{one.name} is not what the manifest says")


def messages(path: Path) -> Iterator[bytes]:
    """Yields the messages of the store from an archive that was verified."""
    rest = b""
    with _opened(path) as tar:
        for info in tar:
            if not info.name.startswith(f"{STORE}/"):
                continue
            read = rest + _body(tar, info).read()
            place = 0
            while place + LENGTH.size <= len(read):
                (length,) = LENGTH.unpack_from(read, place)
                if place + LENGTH.size + length > len(read):
                    break
                yield read[place + LENGTH.size : place + LENGTH.size + length]
                place += LENGTH.size + length
            rest = read[place:]
    if rest:
        raise _broken(path, "its last part of the store is not whole")


def files(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Yields names and contents of the files of plans from an archive that was verified."""
    with _opened(path) as tar:
        for info in tar:
            if info.name.startswith((f"{PLANS}/", f"{PLAN_FILES}/")):
                yield info.name, _body(tar, info)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise _broken(path, str(error)) from error
    except OSError as error:
        raise ConfigurationError(f"expected an archive that can be read, but got {error}") from error


def _body(tar: tarfile.TarFile, info: tarfile.TarInfo) -> BinaryIO:
    body = tar.extractfile(info)
    assert body is not None, "it is a file"
    return cast(BinaryIO, body)


def _member(path: Path, tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    # guard: no member leads out of the folder -> if False:
    if not info.isreg() or not _is_known(info.name):
        raise _broken(path, f"it has a member {info.name!r}, which no backup writes")
    body, digest, size = _body(tar, info), hashlib.sha256(), 0
    while piece := body.read(PART_BYTES):
        digest.update(piece)
        size += len(piece)
    return Member(name=info.name, size=size, sha256=digest.hexdigest())


def _is_known(name: str) -> bool:
    """Tells whether a backup writes such a name: none of them leads anywhere else."""
    if _STORE_PART.fullmatch(name):
        return True
    first, *rest = name.split("/")
    if first == PLANS and len(rest) == 2:
        return is_plan_id(rest[0]) and rest[1] in NAMES_OF_A_PLAN
    return first == PLAN_FILES and len(rest) == 1 and is_plan_id(rest[0])


def _manifest(path: Path, tar: tarfile.TarFile, info: tarfile.TarInfo) -> Manifest:
    if info.size > MOST_MANIFEST:
        raise _broken(path, "its manifest is too large")
    try:
        fields: Mapping[str, Any] = json.loads(_body(tar, info).read())
        known = {name: fields[name] for name in Manifest.__dataclass_fields__ if name != "members"}
        members = tuple(Member(name=m["name"], size=m["size"], sha256=m["sha256"]) for m in fields["members"])
        manifest = Manifest(members=members, **known)
        numbers_of(manifest.version)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(path, "its manifest cannot be read") from error
    if type(manifest.format) is not int:
        raise _broken(path, "its manifest cannot be read")
    return manifest


def numbers_of(version: str) -> tuple[int, ...]:
    """Returns the numbers at the beginning of a version: 0.1.0.dev1 is (0, 1, 0)."""
    return tuple(int(number) for number in re.findall(r"[0-9]+", version.partition(".dev")[0])[:3])


def _broken(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(f"expected a whole archive of `signoff backup`, but {path} is not: {why}")
