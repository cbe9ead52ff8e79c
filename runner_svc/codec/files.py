"""The number and size of the files of a content, in messages that tell of the content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from runner_svc.core.model.values import FilesSummary


class _Told(Protocol):
    file_count: int
    files_bytes: int


def files_to_proto(files: FilesSummary | None) -> Mapping[str, int]:
    """Returns the fields of a message; none for a content that is no manifest."""
    return {} if files is None else {"file_count": files.count, "files_bytes": files.size}


def files_from_proto(message: _Told) -> FilesSummary | None:
    return FilesSummary(count=message.file_count, size=message.files_bytes) if message.file_count else None
