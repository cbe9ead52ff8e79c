"""Small files that signoff keeps for itself, such as an address: anything may stand in their place."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MOST_BYTES = 1024 * 1024


def read_note(path: Path) -> bytes | None:
    """Returns the content of a small file; None when there is none that can be read, or something that is no file.

    It never waits for a pipe in its place.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # guard: a note is a file -> is_file = True
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, MOST_BYTES) if is_file else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_note_text(path: Path) -> str:
    """Returns the text of a small file without white space around it; empty when there is none that can be read."""
    return (read_note(path) or b"").decode(errors="replace").strip()
