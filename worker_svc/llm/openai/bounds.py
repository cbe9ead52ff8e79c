"""Bounds for an answer: whatever an endpoint sends, a worker's time and memory stay bounded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

MIB = 1024 * 1024
IDLE_SECONDS = 300.0  # the last resort, when the runner states no shorter idle_timeout
AFTER_FINISH = 10.0  # seconds after the finish_reason, for the count of tokens and the end
SOONER = 0.8  # of the runner's idle_timeout

#: Far above a usual token, for long words, runs of white space, and endpoints that send each letter by itself.
CHARS_PER_TOKEN, EVENTS_PER_TOKEN = 32, 16
LEAST_CHARS, LEAST_EVENTS = 64 * 1024, 10_000

MAX_SHOWN_CHARS = 500  # of an endpoint's words, in a message
ERROR_BYTES = 64 * 1024  # of the body of a refusal, and characters of an error in a stream: the first words say why
REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of one answer."""

    chars: int = 16 * MIB  #: of the text, and of the thinking
    blanks: int = 50_000  #: characters of white space in a row: some models that run wild write nothing else
    events: int = 4_000_000
    event_bytes: int = MIB  #: of one event, which is read as JSON in one go
    body_bytes: int = 1024 * MIB
    seconds: float = 6 * 3600.0  #: from the question to the end of the answer
    idle: float = IDLE_SECONDS  #: between two pieces, and before the first

    def within(self, max_tokens: int, idle_timeout: float = 0.0) -> Bounds:
        """Returns the bounds of an answer of at most so many tokens.

        `idle_timeout`: seconds without progress after which the runner ends the lease (0: not stated). The worker is
        to report a silent model before that, for it can say more than the runner.
        """
        return replace(
            self,
            # guard: a model that says nothing is away before the runner gives up -> idle=self.idle,
            idle=min(self.idle, SOONER * idle_timeout) if idle_timeout else self.idle,
            chars=min(self.chars, max(LEAST_CHARS, CHARS_PER_TOKEN * max_tokens)),
            events=min(self.events, max(LEAST_EVENTS, EVENTS_PER_TOKEN * max_tokens)),
        )


class TooMuch(Exception):
    """An answer exceeds a bound; the text says which, and follows the name of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerClock:
    """The deadlines of an answer, on the event loop's clock."""

    idle: float
    seconds: float
    deadline: float

    @classmethod
    def begun(cls, bounds: Bounds) -> AnswerClock:
        deadline = asyncio.get_running_loop().time() + bounds.seconds
        return cls(idle=bounds.idle, seconds=bounds.seconds, deadline=deadline)

    def next_word(self, *, is_finished: bool = False) -> float:
        """Returns the time by which the next piece must have come."""
        seconds = min(self.idle, AFTER_FINISH) if is_finished else self.idle
        return min(asyncio.get_running_loop().time() + seconds, self.deadline)

    def expect_time_left(self) -> None:
        """Raises TooMuch when the deadline of the whole answer has passed."""
        if asyncio.get_running_loop().time() >= self.deadline:
            raise TooMuch(f"had not ended its answer after {self.seconds:g} s")
