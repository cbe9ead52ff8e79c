"""How much of an answer is read: whatever an endpoint sends, a worker's time and memory are bounded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

MIB = 1024 * 1024
IDLE_SECONDS = 300.0  # the last resort when no idle_timeout of the runner comes first
AFTER_FINISH = 10.0  # seconds after the finish_reason, for the count of tokens and the end
SOONER = 0.8  # of the runner's idle_timeout

#: Far above what a token is: words of long tokens, white space in runs, an endpoint that sends each letter by itself.
CHARS_PER_TOKEN, EVENTS_PER_TOKEN = 32, 16
LEAST_CHARS, LEAST_EVENTS = 64 * 1024, 10_000

ERROR_BYTES = 64 * 1024  # of the body of a refusal: its first words say why
REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most that one answer may be."""

    chars: int = 16 * MIB  #: of the text, of the thinking, each
    blanks: int = 50_000  #: characters of white space in a row: models that run wild write nothing else
    events: int = 4_000_000
    event_bytes: int = MIB  #: of one event, which is read as JSON in one go
    body_bytes: int = 1024 * MIB
    seconds: float = 6 * 3600.0  #: from the question to the end of the answer
    idle: float = IDLE_SECONDS  #: between two pieces, and before the first

    def within(self, max_tokens: int, idle_timeout: float = 0.0) -> Bounds:
        """The bounds of an answer that was asked to have at most so many tokens.

        `idle_timeout`, in seconds, is after how long the runner takes the work away (0: not said): whoever asks is to
        say before that, and better than the runner can, that the model is silent.
        """
        return replace(
            self,
            # guard: a model that says nothing is away before the runner gives up -> idle=self.idle,
            idle=min(self.idle, SOONER * idle_timeout) if idle_timeout else self.idle,
            chars=min(self.chars, max(LEAST_CHARS, CHARS_PER_TOKEN * max_tokens)),
            events=min(self.events, max(LEAST_EVENTS, EVENTS_PER_TOKEN * max_tokens)),
        )


class TooMuch(Exception):
    """An answer passed a bound; the text says which, to follow the name of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerClock:
    """How long an answer is waited for; all on the event loop's clock."""

    idle: float
    seconds: float
    deadline: float

    @classmethod
    def begun(cls, bounds: Bounds) -> AnswerClock:
        deadline = asyncio.get_running_loop().time() + bounds.seconds
        return cls(idle=bounds.idle, seconds=bounds.seconds, deadline=deadline)

    def next_word(self, *, is_finished: bool = False) -> float:
        """When the next piece must have come."""
        patience = min(self.idle, AFTER_FINISH) if is_finished else self.idle
        return min(asyncio.get_running_loop().time() + patience, self.deadline)

    def expect_time_left(self) -> None:
        """Raises TooMuch when it was not the next piece that was missing, but the end."""
        if asyncio.get_running_loop().time() >= self.deadline:
            raise TooMuch(f"had not ended its answer after {self.seconds:g} s")
