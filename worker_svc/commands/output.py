"""Sinks for a program's output: the candidate, the tail, the thinking."""

from __future__ import annotations

import codecs
import re

from worker_svc.assignment import Report

MAX_LINE = 4096  # characters of a line without an end, before it is passed on

# Colours and the like, and characters that would move a reader's cursor.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


#: A line of a traceback of Python, of code that is neither Python's own nor installed.
_TRACED = re.compile(
    r'^[ \t]*File "(?!<)(?![^"\n]*(?:/lib/python3|site-packages|dist-packages))([^"\n]+)", line (\d+), in (\S+)',
    re.MULTILINE,
)


def python_place(words: str) -> str:
    """Returns the place where a Python program failed, by its traceback: "check.py:12 in main"; "" without one."""
    if "Traceback (most recent call last)" not in words:
        return ""
    places = _TRACED.findall(words)
    return f"{places[-1][0].rpartition('/')[2]}:{places[-1][1]} in {places[-1][2]}" if places else ""


def plain_words(text: str) -> str:
    """Returns the text without control characters, except tabs and ends of lines."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class Collected:
    """A Sink that keeps everything up to `most` bytes; more ends the program. Each piece counts as progress."""

    def __init__(self, report: Report, most: int) -> None:
        self._report = report
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def overflowed(self) -> bool:
        return self._size > self._most

    def joined(self) -> bytes:
        """Returns the whole output; best called in a thread, for it copies megabytes."""
        return b"".join(self._pieces)

    def __call__(self, piece: bytes) -> bool:
        self._report.tokens(0)
        self._size += len(piece)
        if self.overflowed:
            self._pieces.clear()
            return False
        self._pieces.append(piece)
        return True


class OutputTail:
    """A Sink that keeps the last `most` bytes. Each piece counts as progress."""

    def __init__(self, report: Report, most: int) -> None:
        self._report = report
        self._most = most
        self._kept = bytearray()

    def __call__(self, piece: bytes) -> bool:
        self._report.tokens(0)
        self._kept += piece[-self._most :]
        del self._kept[: -self._most]
        return True

    @property
    def text(self) -> str:
        """The tail as text; it may begin in the middle of a character."""
        return plain_words(self._kept.decode(errors="replace")).strip()


class ThinkingAloud(OutputTail):
    """A Sink that also reports the output as thinking, line by line, while a client watches."""

    def __init__(self, report: Report, most: int) -> None:
        super().__init__(report, most)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._begun = ""  # a line

    def __call__(self, piece: bytes) -> bool:
        self._begun += self._decoder.decode(piece)
        line_end = max(self._begun.rfind(end) for end in "\n\r")  # progress bars know only the second
        self._pass_on(len(self._begun) if len(self._begun) > MAX_LINE else line_end + 1)
        return super().__call__(piece)

    def finish(self) -> None:
        """Passes on the last line, if it has no end."""
        self._begun += self._decoder.decode(b"", final=True)
        self._pass_on(len(self._begun))

    def _pass_on(self, cut: int) -> None:
        lines, self._begun = self._begun[:cut], self._begun[cut:]
        if lines and self._report.thinking_wanted:
            self._report.thinking(plain_words(lines))
