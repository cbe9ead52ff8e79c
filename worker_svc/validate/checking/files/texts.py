"""The media types that are text: UTF-8, and where code can tell them apart, what the text is.

Signatures cannot tell JSON, CSV or SVG: they are read. Markdown, source code and most other texts look alike: any text
in UTF-8 is of their type.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from xml.parsers import expat

from worker_svc.validate.checking.files.table import rows_of
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.promised import check_yaml
from worker_svc.validate.checking.reading import CheckFailed, json_lines_of, json_of

PIECE = 1 << 20  # bytes that are read at once
_HEAD = 4_096  # characters in which HTML says that it is
_SVG = "http://www.w3.org/2000/svg"

Reader = Callable[[LookedAt], object]


def check_text(file: LookedAt) -> None:
    """Raises CheckFailed for what is no UTF-8, or has a NUL. Reads piece by piece."""
    decoder, at = codecs.getincrementaldecoder("utf-8")(), 0
    with file.open() as opened:
        while True:
            piece = opened.read(PIECE)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                wrong = error.object[error.start]
                place = at - waiting + error.start
                raise CheckFailed(f"expected UTF-8 text, but byte {place} is 0x{wrong:02x} ({error.reason})") from error
            if (nul := piece.find(b"\0")) >= 0:
                raise CheckFailed(f"expected text, but byte {at + nul} is NUL (0x00)")
            if not piece:
                return
            at += len(piece)


def is_text(file: LookedAt) -> bool:
    """Tells whether a file is text in UTF-8."""
    try:
        check_text(file)
    except CheckFailed:
        return False
    return True


def reader_of(media_type: str) -> Reader | None:
    """Returns the reader of a type of text, which raises CheckFailed for other texts; None: texts look alike."""
    if found := _READERS.get(media_type):
        return found
    if media_type.endswith("+xml"):
        return _xml
    return _json if media_type.endswith("+json") else None


def _json(file: LookedAt) -> None:
    json_of(file.whole())


def _csv(file: LookedAt, delimiter: str = "") -> None:
    """Expects rows of as many fields as the first, and two or more where the name does not say that it is a table."""
    first = 0
    for number, row in rows_of(file, delimiter):
        first = first or len(row)
        if len(row) != first:
            raise CheckFailed(f"expected CSV, but line {number} has {len(row)} fields, and the first row {first}")
    if first < (1 if file.suffix in (".csv", ".tsv", ".tab") else 2):
        raise CheckFailed("expected CSV, but it has no row of two fields")


def _tsv(file: LookedAt) -> None:
    _csv(file, "\t")


def _html(file: LookedAt) -> None:
    with file.open() as opened:
        head = opened.read(_HEAD).decode(errors="replace").lower()
    if not any(sign in head for sign in ("<!doctype html", "<html", "<head", "<body")):
        raise CheckFailed("expected HTML, but it does not begin as such")


def _xml(file: LookedAt) -> None:
    _root_of(file)


def _svg(file: LookedAt) -> None:
    root = _root_of(file)
    if root not in (f"{_SVG} svg", "svg"):
        raise CheckFailed(f"expected SVG, but its outermost element is {root[:100]!r}")


def _root_of(file: LookedAt) -> str:
    """Returns the name of the outermost element of XML, which is read whole, and in which nothing may be an entity."""
    names = list[str]()

    def begun(name: str, _attributes: Any) -> None:
        if not names:
            names.append(name)

    def declared(*_: Any) -> None:
        raise CheckFailed("expected XML without entities of its own: a few of them can grow into gigabytes")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = begun
    parser.EntityDeclHandler = declared
    try:
        with file.open() as opened:
            while piece := opened.read(PIECE):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CheckFailed(f"expected XML, but {error}") from error
    return names[0]


_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "application/json": _json,
        "application/jsonl": lambda file: json_lines_of(file.whole()),
        "application/yaml": lambda file: check_yaml(file.whole()),
        "text/csv": _csv,
        "text/tab-separated-values": _tsv,
        "text/html": _html,
        "application/xml": _xml,
        "image/svg+xml": _svg,
    }
)
