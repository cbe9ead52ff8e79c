"""The members of a ZIP. Each is unpacked, piece by piece, whatever size the archive claims for it."""

from __future__ import annotations

import copy
import stat
import zipfile

from worker_svc.validate.checking.files.members import PIECE, Members, refuse
from worker_svc.validate.checking.looked_at import LookedAt, named
from worker_svc.validate.checking.reading import CheckFailed

MOST_LINK = 4_096  # bytes of the target of a link
_ENCRYPTED = 0x1
_NO_END = 1 << 62


def take_zip(file: LookedAt, members: Members) -> None:
    """Gives all members of a ZIP to the rules, and unpacks them into nothing."""
    with file.open() as opened, zipfile.ZipFile(opened) as archive:
        for info in archive.infolist():
            _take(archive, info, members)


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, members: Members) -> None:
    # Python ends a name at a NUL, and another program may not.
    path = members.begin(info.orig_filename, is_folder=info.orig_filename.endswith("/"))
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise refuse(path, "a device or a pipe")
    if info.flag_bits & _ENCRYPTED:
        raise CheckFailed(f"expected members that can be read, but {named(path)} is encrypted")
    begun = _unpack(archive, info, members, path)
    if kind == stat.S_IFLNK:
        if info.file_size > MOST_LINK:
            raise CheckFailed(
                f"expected links of at most {MOST_LINK:,} bytes, but {named(path)} has {info.file_size:,}"
            )
        members.link(path, begun.decode(errors="surrogateescape"))


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, members: Members, path: str) -> bytes:
    """Counts the bytes that really come out of a member, and returns the first ones."""
    open_end = copy.copy(info)
    open_end.file_size = _NO_END  # Python stops at the size that is claimed, and other programs do not
    size, begun = 0, b""
    with archive.open(open_end) as opened:
        while piece := opened.read(PIECE):
            size += len(piece)
            begun = begun or piece[:MOST_LINK]
            members.unpack(len(piece), path)
    if size != info.file_size:
        raise CheckFailed(f"{named(path)} claims to have {info.file_size:,} bytes, but {size:,} come out")
    return begun
