"""The media types that the bytes of a binary file tell: by signatures (puremagic), and by the names in a ZIP.

Many formats share their first bytes, so the longest signature counts: "RIFF" alone is AVI, "RIFF….WEBP" is WebP.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from signoff.manifest.media_types import plain_type
from worker_svc.validate.checking.looked_at import LookedAt

ZIP = "application/zip"
_MOST_NAMES = 100_000  # of members of a ZIP that are looked at

# Names that are used side by side. All others of a type differ in a leading "x-" alone.
_SAME = {
    "image/ms-bmp": "image/bmp",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "video/avi": "video/msvideo",
    "application/sqlite3": "application/vnd.sqlite3",
    "application/zip-compressed": ZIP,
    "application/parquet": "application/vnd.apache.parquet",
    "text/xml": "application/xml",
    "text/yaml": "application/yaml",
    "text/json": "application/json",
    "application/ndjson": "application/jsonl",
    "text/tsv": "text/tab-separated-values",
}
_PARQUET = b"PAR1"
_IN_ZIP = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "META-INF/MANIFEST.MF": "application/java-archive",
}
_SAID_IN_ZIP = "mimetype"  # the member of OpenDocument and EPUB that names the type
_MOST_SAID = 100  # bytes of it


def one_name(media_type: str) -> str:
    """Returns a media type under the one of its names by which it is compared."""
    kind, slash, subtype = plain_type(media_type).partition("/")
    plain = f"{kind}{slash}{subtype.removeprefix('x-')}"
    return _SAME.get(plain, plain)


def types_of(file: LookedAt) -> tuple[str, ...]:
    """Returns the types that the bytes may be, the likeliest first; none: the signature is not known."""
    with file.open() as opened:
        head = opened.read(4)
    if head in (b"PK\x03\x04", b"PK\x05\x06"):
        return tuple(_types_of_zip(file))
    if head == _PARQUET:
        return ("application/vnd.apache.parquet",)
    return tuple(dict.fromkeys(one_name(found) for found in _signed(file)))


def _signed(file: LookedAt) -> list[str]:
    import puremagic

    try:
        with file.open() as opened:
            matches = [match for match in puremagic.magic_stream(opened) if match.mime_type]
    except (puremagic.PureError, ValueError):
        return []
    signatures = [match.byte_match for match in matches]
    return [
        match.mime_type
        for match in matches
        if not any(other != match.byte_match and other.startswith(match.byte_match) for other in signatures)
    ]


def _types_of_zip(file: LookedAt) -> Iterator[str]:
    """Yields the type of the document that a ZIP is, and that of a ZIP."""
    try:
        with file.open() as opened, zipfile.ZipFile(opened) as archive:
            names = frozenset(archive.namelist()[:_MOST_NAMES])
            yield from (kind for name, kind in _IN_ZIP.items() if name in names)
            if _SAID_IN_ZIP in names and (info := archive.getinfo(_SAID_IN_ZIP)).file_size <= _MOST_SAID:
                with archive.open(info) as said:
                    yield one_name(said.read(_MOST_SAID).decode("ascii", errors="replace"))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError):
        return  # it begins as one, and cannot be read as one
    yield ZIP
