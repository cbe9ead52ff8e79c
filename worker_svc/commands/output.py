"""Where what a program writes goes: the candidate, the thinking, the last words."""

from __future__ import annotations

import codecs
import re

from worker_svc.assignment import Report

MAX_LINE = 4096  # characters of a line that has no end yet, before it is handed on

# Colours and the like, and what else would move a reader's cursor.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


#: A line of a traceback of Python, of code that is neither Python's own nor installed.
_TRACED = re.compile(
    r'^\s*File "(?!<)(?![^"]*(?:/lib/python3|site-packages|dist-packages))([^"]+)", line (\d+), in (\S+)', re.MULTILINE
)


def python_place(words: str) -> str:
    """Where a Python program failed, by the traceback it left: "check.py:12 in main". Nothing when there is none."""
    if "Traceback (most recent call last)" not in words:
        return ""
    places = _TRACED.findall(words)
    return f"{places[-1][0].rpartition('/')[2]}:{places[-1][1]} in {places[-1][2]}" if places else ""


def plain_words(text: str) -> str:
    """The text without control characters, but for tabs and ends of lines."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class Collected:
    """A Sink that keeps everything, up to `most` bytes: then it has had enough. What comes in is progress."""

    def __init__(self, report: Report, most: int) -> None:
        self._report = report
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def overflowed(self) -> bool:
        return self._size > self._most

    def joined(self) -> bytes:
        """All of it; best called in a thread, for megabytes are copied."""
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
    """A Sink that keeps the last `most` bytes. What comes in is progress."""

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
        """What is kept, in words; begins in the middle of a character at worst."""
        return plain_words(self._kept.decode(errors="replace")).strip()


class ThinkingAloud(OutputTail):
    """A Sink that also hands on what comes in, line by line, while somebody watches."""

    def __init__(self, report: Report, most: int) -> None:
        super().__init__(report, most)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._begun = ""  # a line

    def __call__(self, piece: bytes) -> bool:
        self._begun += self._decoder.decode(piece)
        line_end = max(self._begun.rfind(end) for end in "\n\r")  # progress bars know only the second
        self._hand_on(len(self._begun) if len(self._begun) > MAX_LINE else line_end + 1)
        return super().__call__(piece)

    def finish(self) -> None:
        """Hands on what has no end of line."""
        self._begun += self._decoder.decode(b"", final=True)
        self._hand_on(len(self._begun))

    def _hand_on(self, cut: int) -> None:
        lines, self._begun = self._begun[:cut], self._begun[cut:]
        if lines and self._report.thinking_wanted:
            self._report.thinking(plain_words(lines))
