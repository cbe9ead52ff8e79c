"""The digests of the files that a program's arguments name: they are part of what makes its candidate."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from signoff.plan.named_files import files_named_in

MOST_BYTES = 1024**3  # of a file: a larger one is not read for this
ABSENT = "absent"


def digests_of(argv: Sequence[str]) -> Mapping[str, str] | None:
    """Returns the SHA-256 in hex of each file that an argv names, by path; a path at which nothing is has ABSENT.

    Returns None when it cannot be told what is read: one is no regular file or cannot be read, or paths may stand in
    other text. Blocks: call it in a thread.
    """
    named = files_named_in(argv)
    if not named.are_all:
        return None
    try:
        return {path: _digest_of(path) for path in named.paths}
    except (OSError, ValueError):
        return None


def _digest_of(path: str) -> str:
    """Raises OSError, or ValueError for what is no regular file or is too large."""
    file = Path(path)
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
        raise ValueError(f"expected a regular file of at most {MOST_BYTES} bytes, but {path} is none")
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
