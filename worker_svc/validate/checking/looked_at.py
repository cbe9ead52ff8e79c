"""The file that a check looks at: one of a candidate, or the whole of a candidate that is one content."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from signoff.manifest.manifest import shown
from signoff.plan.limits import MAX_TEXT_FILE_BYTES
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """A file on the disk, or a content in memory, with what its maker says of it."""

    path: str = ""  #: its path in the candidate; empty: it is the whole candidate
    media_type: str = ""  #: as its maker says; its bytes may say otherwise
    size: int  #: bytes
    content: bytes = b""  #: when it is in memory
    place: Path | None = None  #: on the disk; None: it is in memory

    def open(self) -> BinaryIO:
        """Opens it for reading, from its beginning, at any place. Raises CheckBroken when it is not there."""
        if self.place is None:
            return io.BytesIO(self.content)
        try:
            return self.place.open("rb")
        except OSError as error:
            raise CheckBroken(f"cannot read the file: {error.strerror}") from error

    def whole(self) -> bytes:
        """Returns all of its bytes, for a check of text. Raises CheckFailed when they are too many to hold at once."""
        if self.place is None:
            return self.content
        # guard: a check of text holds no large file -> if False:
        if self.size > MAX_TEXT_FILE_BYTES:
            raise CheckFailed(
                f"checks of text read files of at most {MAX_TEXT_FILE_BYTES:,} bytes, but it has {self.size:,}"
            )
        with self.open() as file:
            return file.read()

    @property
    def suffix(self) -> str:
        """Returns the end of its name in small letters, such as ".csv"; empty when there is none."""
        name = self.path.rpartition("/")[2].lower()
        return f".{name.rpartition('.')[2]}" if "." in name else ""


def content_of(content: bytes, media_type: str = "") -> LookedAt:
    """Returns a candidate that is one content."""
    return LookedAt(media_type=media_type, size=len(content), content=content)


def named(path: str) -> str:
    """Returns a path for a reason: quoted, with control characters written out, and not longer than a person reads."""
    return shown(path)
