"""The outcomes of messages that peers have sent: their counts, and those that no input from outside may cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import grpc
import grpc.aio

PATIENCE = 30.0  # seconds until an answer that does not come is a failure
OURS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS)
OF_THE_CLIENT = "Internal error from Core"  # of gRPC's client: it wrote as the stream was being ended


class Failed(AssertionError):
    """An outcome that no input from outside may cause."""


@dataclass(slots=True)
class Counts:
    """Counts of what was sent, and of the outcomes."""

    frames: int = 0
    requests: int = 0
    uploads: int = 0  #: streams of files and of inputs
    sessions: int = 0
    welcomed: int = 0
    assigned: int = 0
    looks: int = 0
    codes: Counter[str] = field(default_factory=Counter)  #: with which streams and requests ended
    kinds: Counter[str] = field(default_factory=Counter)  #: of messages that were sent
    durable: int = 0  #: results of drawn workers that the runner acknowledged
    brought: int = 0  #: files of drawn workers that the runner took
    named: int = 0  #: results with files among those that it acknowledged
    read: int = 0  #: streams of files that were read and compared

    @property
    def inputs(self) -> int:
        return self.frames + self.requests + self.uploads

    def ended(self, code: grpc.StatusCode, what: str, details: str | None) -> None:
        """Counts an end. Raises Failed when it says that the runner has a fault."""
        self.codes[code.name] += 1
        if code in OURS:
            raise Failed(f"expected {what} to be answered, but got {code}: {details}")

    def __str__(self) -> str:
        ends = ", ".join(f"{count:,} {code}" for code, count in self.codes.most_common())
        return (
            f"{self.frames:,} frames in {self.sessions:,} sessions ({self.welcomed:,} welcomed, {self.assigned:,} "
            f"assignments, {self.durable:,} results kept, {self.named:,} of them with files), {self.uploads:,} uploads "
            f"({self.brought:,} files taken) and {self.requests:,} requests ({self.read:,} reads of files compared); "
            f"{self.looks} looks; {ends}"
        )
