"""The cursor of an event stream: the last sequence that was sent, for each execution of the stream.

It is a text that a client hands back as it is. It says nothing that the client may not know, and one that was changed
is either refused or leads to other events of the same executions.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping

from signoff.errors import InvalidField

MOST_CHARS = 16_384
_MOST_SEQUENCE = 2**63
_EXPECTED = "a cursor of this stream, as its messages have it in their ids"


def cursor_of(positions: Mapping[str, int]) -> str:
    """Returns the cursor of these positions; empty when there are none."""
    if not positions:
        return ""
    text = ",".join(f"{name}:{sequence}" for name, sequence in positions.items()).encode()
    return base64.urlsafe_b64encode(zlib.crc32(text).to_bytes(4) + text).rstrip(b"=").decode()


def positions_of(cursor: str, name: str = "after") -> dict[str, int]:
    """Reads a cursor. Raises InvalidField for a text that is none."""
    if len(cursor) > MOST_CHARS or not cursor.isascii():
        raise InvalidField(name, _EXPECTED, f"a text of {len(cursor):,} characters that is none")
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        # guard: a cursor is whole -> pass
        _check(raw)
        return dict(_position(part) for part in raw[4:].decode().split(","))
    except (ValueError, binascii.Error):
        raise InvalidField(name, _EXPECTED, repr(cursor[:40])) from None


def _check(raw: bytes) -> None:
    if len(raw) < 5 or zlib.crc32(raw[4:]).to_bytes(4) != raw[:4]:
        raise ValueError("cut off, or changed")


def _position(text: str) -> tuple[str, int]:
    execution, _, sequence = text.rpartition(":")
    if not execution or not sequence.isdigit() or int(sequence) > _MOST_SEQUENCE:
        raise ValueError(text)
    return execution, int(sequence)
