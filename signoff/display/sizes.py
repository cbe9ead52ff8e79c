"""Sizes of contents and of results with files, as people read them."""

from __future__ import annotations

from signoff.v1 import execution_pb2 as pb


def format_size(size: int) -> str:
    """Returns for example "812 bytes", "1.2 KiB" or "3.4 MiB"."""
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:.1f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"


def format_files(count: int, size: int) -> str:
    """Returns for example "3 files, 1.2 MiB"."""
    return f"{count:,} file{'' if count == 1 else 's'}, {format_size(size)}"


def describe_size(made: pb.ArtifactInfo) -> str:
    """Returns the size of a result: "3 files, 1.2 MiB", or "812 bytes of text/plain"."""
    if made.file_count:
        return format_files(made.file_count, made.files_bytes)
    return f"{format_size(made.size_bytes)} of {made.media_type or 'no media type'}"
