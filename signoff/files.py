"""Files that people read while we write them."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, *pieces: bytes, durable: bool = True) -> None:
    """Writes a file so that readers see the old content or the new one, never a part.

    `durable`: even after a power cut. Raises OSError when the disk refuses; what was there before is then still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
