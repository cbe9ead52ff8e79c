"""The media types of files that are read as texts, and of pictures, and how the names of files of a type end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from signoff.plan.inputs import SUFFIXES, media_type_of

_TEXTS = frozenset(
    {
        *("application/json", "application/jsonl", "application/x-ndjson", "application/xml", "application/yaml"),
        *("application/sql", "application/toml", "application/javascript", "application/x-sh"),
    }
)
_MORE_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "text/css": ".css",
        "text/javascript": ".js",
        "text/xml": ".xml",
        "application/javascript": ".js",
        "application/x-ndjson": ".jsonl",
        "image/avif": ".avif",
    }
)
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # that models which read pictures take


def plain_type(media_type: str) -> str:
    """Returns a media type without its parameters, in small letters."""
    return media_type.partition(";")[0].strip().lower()


def is_text_type(media_type: str) -> bool:
    """Tells whether files of a media type are texts in UTF-8."""
    plain = plain_type(media_type)
    return plain.startswith("text/") or plain in _TEXTS or plain.endswith(("+json", "+xml", "+yaml"))


def may_be_text(pattern: str) -> bool:
    """Tells whether the files of a pattern may be texts, by the end of their names."""
    return is_text_type(media_type_of(pattern, is_text=True))


def is_picture_type(media_type: str) -> bool:
    """Tells whether models that read pictures take files of a media type."""
    return plain_type(media_type) in PICTURES


def suffix_of(media_type: str) -> str:
    """Returns the usual end of a file's name, such as ".md"; ".txt" for other texts, ".bin" for what has none."""
    plain = plain_type(media_type)
    if plain.endswith("+json"):
        return ".json"
    return SUFFIXES.get(plain) or _MORE_SUFFIXES.get(plain) or (".txt" if plain.startswith("text/") else ".bin")
