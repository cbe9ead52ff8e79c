"""The table of media types in docs/reference/files.md."""

from __future__ import annotations

from signoff.plan.inputs import MEDIA_TYPES


def table() -> str:
    """Returns a row for each media type, with the ends of names that have it."""
    ends = dict[str, list[str]]()
    for end, media_type in MEDIA_TYPES.items():
        ends.setdefault(media_type, []).append(f"`{end}`")
    rows = [f"| {', '.join(names)} | `{media_type}` |" for media_type, names in ends.items()]
    return "\n".join(["| the name ends with | media type |", "|---|---|", *rows])
