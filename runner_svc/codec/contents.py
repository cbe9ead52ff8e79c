"""Contents of bytes that travel inside a message."""

from __future__ import annotations

import hashlib

from runner_svc.core.model.values import Content


def content_of(body: bytes) -> Content:
    """Returns the content of bytes without a media type: a canary or a checkpoint."""
    return Content(digest=hashlib.sha256(body).hexdigest(), size=len(body), media_type="")
