"""Server-sent events as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.web.wire.messages import encode

RETRY = b"retry: 2000\n\n"
COMMENT = b": still here\n\n"


def frame(event: str, data: Mapping[str, Any], cursor: str = "") -> bytes:
    """Returns one message. JSON has no line breaks of its own, so the data is one line."""
    head = f"id: {cursor}\n".encode() if cursor else b""
    return head + b"event: %s\ndata: %s\n\n" % (event.encode(), encode(data))
