"""The check of an archive: it is a ZIP or a tar, plain or packed, that can be unpacked without harm.

All of it is unpacked here, into nothing, and what comes out is counted. An archive inside of it is a file like others.
"""

from __future__ import annotations

from signoff.plan.limits import DEFAULT_ARCHIVE_BYTES, DEFAULT_ARCHIVE_MEMBERS
from signoff.v1 import plan_pb2
from worker_svc.validate.checking.files.hostile import hostile
from worker_svc.validate.checking.files.members import Members
from worker_svc.validate.checking.files.tar_members import take_tar
from worker_svc.validate.checking.files.zip_members import take_zip
from worker_svc.validate.checking.looked_at import LookedAt

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR = "a tar archive, plain or packed by gzip, bzip2 or xz, or a ZIP"


def check_archive_safe(check: plan_pb2.Check, file: LookedAt) -> None:
    wanted = check.archive_safe
    members = Members(
        max_members=wanted.max_members or DEFAULT_ARCHIVE_MEMBERS,
        max_bytes=wanted.max_unpacked_bytes or DEFAULT_ARCHIVE_BYTES,
    )
    with file.open() as opened:
        is_zip = opened.read(4) in _ZIP
    with hostile("a ZIP that can be unpacked" if is_zip else _TAR):
        (take_zip if is_zip else take_tar)(file, members)
    members.end()
