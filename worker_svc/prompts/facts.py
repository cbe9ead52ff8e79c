"""Facts about pieces that a prompt does not show: the size of a picture, the rows and columns of a table."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator

from PIL import Image

from signoff.manifest.media_types import plain_type
from worker_svc.prompts.pieces import Piece

HEADER_BYTES = 1024 * 1024  # of a picture, that are read for its dimensions
COUNTED_BYTES = 64 * 1024 * 1024  # of a table; the rows of a larger one are not counted
_READ_BYTES = 1024 * 1024  # at once

_SEPARATORS = {"text/csv": ",", "text/tab-separated-values": "\t"}


def picture_fact(piece: Piece) -> str:
    """Returns a sentence about a picture; empty: it is none that can be read."""
    if not plain_type(piece.media_type).startswith("image/"):
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(piece.content[:HEADER_BYTES])) as picture:
                return f" It is a picture of {picture.width:,} × {picture.height:,} pixels."
    except Exception:  # noqa: BLE001 - a file that claims to be a picture may break its reader in any way
        return ""


def table_fact(piece: Piece) -> str:
    """Returns a sentence about a table that is not shown whole; empty: it is none, or it is too large to count."""
    separator = _SEPARATORS.get(plain_type(piece.media_type))
    if separator is None or len(piece.content) > COUNTED_BYTES:
        return ""
    columns, rows = 0, -1
    try:
        for row in csv.reader(_lines(piece), delimiter=separator):
            columns, rows = columns or len(row), rows + bool(row)
    except csv.Error:
        return ""
    return f"(The table has {max(0, rows):,} rows below its head, and {columns:,} columns.)"


def _lines(piece: Piece) -> Iterator[str]:
    """Yields the lines of a text, with their ends."""
    begun = b""
    for at in range(0, len(piece.content), _READ_BYTES):
        *whole, begun = (begun + piece.content[at : at + _READ_BYTES]).split(b"\n")
        yield from (line.decode(errors="replace") + "\n" for line in whole)
    if begun:
        yield begun.decode(errors="replace")
