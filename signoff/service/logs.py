"""Log lines on standard error that nothing depends on: a disk that is full loses some, and ends no service."""

from __future__ import annotations

import os
from typing import TextIO

LOG_FILE = "SIGNOFF_LOG_FILE"  #: where the one that started this process has put its standard error


def log_location() -> str:
    """Where the log of this worker is, for a message: a file, when the one that started it has made one."""
    return os.environ.get(LOG_FILE) or "the worker's log"


class LossyLogFile:
    """What a logger writes to. Lines that cannot be written are counted, and told of once there is room again."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._line = ""
        self._lost = 0  # lines
        self._why = ""

    def write(self, text: str) -> None:
        """Takes a part of a line; it is written when it ends."""
        self._line += text
        if self._line.endswith("\n"):
            line, self._line = self._line, ""
            self._put(line)

    def flush(self) -> None:
        """Has nothing to do: what is a line was written."""

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
        """Not through the file's own buffer, which would keep what was refused and try it again with the next line."""
        try:
            descriptor = self._file.fileno()
        except OSError:  # no file of the system, as under a test
            self._file.write(line)
            return
        left = memoryview(line.encode(errors="backslashreplace"))
        while left:
            left = left[os.write(descriptor, left) :]
