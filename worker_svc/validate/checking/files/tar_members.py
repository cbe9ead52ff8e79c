"""The members of a tar archive, plain or packed. It is read from its beginning to its end, once."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable
from typing import BinaryIO, cast

from worker_svc.validate.checking.files.members import PIECE, Members, refuse
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.reading import CheckFailed

MAX_HEADER_BYTES = 1024 * 1024  # of the extra headers of one member: long names and the like
_AROUND = 4_096  # bytes of headers and filling around a member, at most, where it has no extra ones
_NO_FILES = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_PACKED: tuple[tuple[bytes, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b", lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast(BinaryIO, bz2.BZ2File(file))),
    (b"\xfd7zXZ\x00", lambda file: cast(BinaryIO, lzma.LZMAFile(file))),  # noqa: SIM115 - `file` is closed
)


def take_tar(file: LookedAt, members: Members) -> None:
    """Gives all members of a tar archive to the rules; what they hold is read and dropped."""
    with file.open() as opened:
        most = members.max_bytes + _AROUND * members.max_members + MAX_HEADER_BYTES
        unpacked = _Counted(_unpacked(opened), most)
        with tarfile.open(fileobj=cast(BinaryIO, unpacked), mode="r|", tarinfo=_Member) as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
                _take(info, members)
        while unpacked.read(PIECE):  # what stands behind the end of the archive comes out, too
            pass


def _unpacked(opened: BinaryIO) -> BinaryIO:
    head = opened.read(6)
    opened.seek(0)
    return next((unpack(opened) for magic, unpack in _PACKED if head.startswith(magic)), opened)


def _take(info: tarfile.TarInfo, members: Members) -> None:
    path = members.begin(info.name, is_folder=info.isdir())
    if info.isdir():
        return
    if info.issym() or info.islnk():
        members.link(path, info.linkname, is_hard=info.islnk())
        return
    if not info.isfile():
        raise refuse(path, "a device or a pipe")
    members.unpack(info.size, path)  # of one with holes, this is what would be written, and not what it holds


class _Counted:
    """A file that is read up to a number of bytes: a packed one may have no end."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most, self._left = file, most, most

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        # guard: a packed archive is read up to its bound -> if False:
        if self._left < 0:
            raise CheckFailed(f"expected at most {self._most:,} bytes with all headers to come out, but it is more")
        return piece


class _Member(tarfile.TarInfo):
    """A member whose extra headers are bounded, for they are read as a whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _NO_FILES and self.size > MAX_HEADER_BYTES:
            most = f"{MAX_HEADER_BYTES:,}"
            raise CheckFailed(f"expected headers of at most {most} bytes, but one has {self.size:,}")
        return cast(tarfile.TarInfo, super()._proc_member(archive))  # type: ignore[misc]
