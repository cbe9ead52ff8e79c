"""The failed attempts of a task: a line about each for the next attempt, and a fingerprint of the last failure.

A worker whose code does the same each time also reports a gist: what failed, and where. The fingerprint is made of the
gist, the inputs and the checkpoint of the attempt. The same fingerprint twice in a row means that a third attempt would
end no better.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from runner_svc.core.model.values import FailureKind

#: Lines that are kept of a task, and characters of each: a hundred thousand tasks that all fail take 300 MB at most.
MOST_LINES = 10
MOST_CHARS = 300

_NO_REASON = "no reason was given"


@dataclass(frozen=True, slots=True)
class FailedAttempts:
    """A line for each attempt that failed or was rejected, the oldest first."""

    lines: tuple[str, ...] = ()
    dropped: int = 0  #: lines before those

    def and_one(self, attempt: int, reason: str) -> FailedAttempts:
        """Returns them with one more; beyond MOST_LINES the oldest line is dropped."""
        lines = (*self.lines, _line(attempt, reason))
        return FailedAttempts(lines[-MOST_LINES:], self.dropped + len(lines) - len(lines[-MOST_LINES:]))

    @property
    def before_the_last(self) -> tuple[str, ...]:
        """Returns the lines of all but the last attempt. The first of them says how many are left out."""
        lines = self.lines[:-1]
        if not self.dropped:
            return lines
        attempts = "1 earlier attempt is" if self.dropped == 1 else f"{self.dropped} earlier attempts are"
        return (f"({attempts} left out)", *lines)


NONE_FAILED = FailedAttempts()


def _line(attempt: int, reason: str) -> str:
    line = f"attempt {attempt}: {' '.join(reason.split()) or _NO_REASON}"
    return line if len(line) <= MOST_CHARS else f"{line[: MOST_CHARS - 1]}…"


def fingerprint_of(kind: FailureKind, gist: str, input_digest: str, checkpoint: str) -> str:
    """Returns the fingerprint that failures with the same gist, inputs and checkpoint share; empty without a gist."""
    if not gist:
        return ""
    parts = (str(int(kind)), gist, input_digest, checkpoint)
    return hashlib.sha256("\x00".join(parts).encode(errors="backslashreplace")).hexdigest()[:32]
