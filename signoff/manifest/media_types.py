"""The media types of files that are read as texts, and of pictures."""

from __future__ import annotations

from signoff.plan.inputs import media_type_of

_TEXTS = frozenset(
    {
        *("application/json", "application/jsonl", "application/x-ndjson", "application/xml", "application/yaml"),
        *("application/sql", "application/toml", "application/javascript", "application/x-sh"),
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
