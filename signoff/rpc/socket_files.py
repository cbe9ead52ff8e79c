"""Socket files of `unix:` addresses: one that an ended process has left makes room, one that is in use does not."""

from __future__ import annotations

import contextlib
import socket
import stat
from pathlib import Path

_ANSWERS_WITHIN = 1.0  # seconds: the kernel answers for the process


def make_room(path: Path) -> None:
    """Removes the socket file of a process that has ended. Raises OSError when another process listens there."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
    except FileNotFoundError:
        return
    # guard: a socket file in use stays -> is_used = False
    is_used = _is_used(path)
    if is_used:
        raise OSError(f"another process listens on unix:{path}")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _is_used(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trying:
        trying.settimeout(_ANSWERS_WITHIN)
        try:
            trying.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # its queue is full, or it may not be asked
    return True
