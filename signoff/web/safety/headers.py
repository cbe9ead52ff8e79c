"""The headers of every answer: what a browser may do with it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",  # scripts, styles, fonts, requests and workers: of this door alone, and none inline
        "img-src 'self' blob:",  # drawings of results, which the page has read already
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)

UNLESS_SET: Mapping[str, str] = MappingProxyType({"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"})
