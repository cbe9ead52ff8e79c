"""Log lines on standard error: a full disk loses some of them, and stops no service."""

from __future__ import annotations

import os
from typing import TextIO

LOG_FILE = "SIGNOFF_LOG_FILE"  #: the file to which the starter of this process has redirected standard error


def log_location() -> str:
    """Returns where the log of this worker is, for a message: the file that its starter has named, if any."""
    return os.environ.get(LOG_FILE) or "the worker's log"


class LossyLogFile:
    """A file for a logger. It counts lines that cannot be written, and reports them once there is room again."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._line = ""
        self._lost = 0  # lines
        self._why = ""

    def write(self, text: str) -> None:
        """Takes a part of a line, and writes the line when it is complete."""
        self._line += text
        if self._line.endswith("\n"):
            line, self._line = self._line, ""
            self._put(line)

    def flush(self) -> None:
        """Does nothing: each complete line is written already."""

    def _put(self, line: str) -> None:
        try:
            if self._lost:
                self._put_whole(f"{self._lost} lines of this log are missing: {self._why}\n")
                self._lost = 0
            self._put_whole(line)
        # guard (2 lines): a full disk ends no log ->
        #     finally:
        #         pass
        except OSError as error:
            self._lost, self._why = self._lost + 1, str(error)

    def _put_whole(self, line: str) -> None:
        """Writes past the file's own buffer, which would keep a refused line and try it again with the next one."""
        try:
            descriptor = self._file.fileno()
        except OSError:  # no file of the system, as under a test
            self._file.write(line)
            return
        left = memoryview(line.encode(errors="backslashreplace"))
        while left:
            left = left[os.write(descriptor, left) :]
