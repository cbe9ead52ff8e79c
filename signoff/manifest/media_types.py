"""Media types that promise text."""

from __future__ import annotations

_TEXTS = frozenset(
    {
        "application/json",
        "application/jsonl",
        "application/ndjson",
        "application/x-ndjson",
        "application/yaml",
        "application/x-yaml",
        "application/xml",
        "application/toml",
        "application/sql",
        "application/javascript",
        "application/x-sh",
        "image/svg+xml",
    }
)


def essence(media_type: str) -> str:
    """Returns a media type without its parameters, in small letters: "text/csv" of "text/CSV; charset=utf-8"."""
    return media_type.partition(";")[0].strip().lower()


def is_text_type(media_type: str) -> bool:
    """Tells whether contents of this type are text, in UTF-8. An empty type is that of a text."""
    plain = essence(media_type)
    return not plain or plain.startswith("text/") or plain in _TEXTS or plain.endswith(("+json", "+xml", "+yaml"))
