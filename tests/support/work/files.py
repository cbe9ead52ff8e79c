"""Files for tests: pictures, archives, and candidates that are several files."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from planner_svc.checks.structured import check_from_json
from planner_svc.wire.checks import check_to_proto
from signoff.manifest.manifest import MANIFEST_TYPE, FileEntry, manifest_of, manifest_to_json
from signoff.plan.inputs import media_type_of
from signoff.v1 import plan_pb2
from worker_svc.assignment import Artifact


def check_of(kind: str, **fields: Any) -> plan_pb2.Check:
    """Returns a check as a plan states it."""
    return check_to_proto(check_from_json({"type": kind, **fields}))


def candidate_of(folder: Path, files: Mapping[str, bytes], main: str = "") -> Artifact:
    """Writes files into a folder, and returns the candidate that is made of them."""
    entries = []
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        kind = media_type_of(path, is_text=True)
        entries.append(FileEntry(path=path, media_type=kind, size=len(content), digest=digest))
    manifest = manifest_of(entries, main or next(iter(files)))
    body = manifest_to_json(manifest)
    return Artifact(
        name="planets",
        task_id="1_1",
        media_type=MANIFEST_TYPE,
        digest=hashlib.sha256(body).hexdigest(),
        content=body,
        manifest=manifest,
        folder=folder,
    )


# ---------------------------------------------------------------- pictures


def picture(form: str = "PNG", size: tuple[int, int] = (20, 10), mode: str = "RGB", *, is_blank: bool = False) -> bytes:
    """Draws a picture of one colour, with one point of another unless it is blank."""
    drawn = Image.new(mode, size)
    if not is_blank:
        bands = len(drawn.getbands())
        drawn.putpixel((3, 3), 255 if bands == 1 else (255,) * bands)
    written = io.BytesIO()
    drawn.save(written, form)
    return written.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """Returns a PNG whose head claims a size, with a few rows of it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")


# ---------------------------------------------------------------- archives


def zipped(*members: tuple[str, bytes] | tuple[str, bytes, int]) -> bytes:
    """Makes a ZIP of names, contents and, where given, modes such as stat.S_IFLNK."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, *mode in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode[0] if mode else stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return written.getvalue()


def tarred(*members: tuple[str, bytes | str], form: str = "w") -> bytes:
    """Makes a tar of names and contents; a text is the target of a link, or the type of a member without content."""
    kinds = {"folder": tarfile.DIRTYPE, "device": tarfile.CHRTYPE, "pipe": tarfile.FIFOTYPE}
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=form) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
                continue
            info.type = kinds.get(content, tarfile.LNKTYPE if content.startswith("=") else tarfile.SYMTYPE)
            info.linkname = "" if content in kinds else content.removeprefix("=")
            archive.addfile(info)
    return written.getvalue()


def tar_header(name: str, kind: bytes, size: int, *, real_size: int = 0) -> bytes:
    """Returns the header of a member that claims a size; with a real size, of one that GNU tar stores with holes."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    if real_size:
        header[483:495] = b"%011o\0" % real_size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header)
