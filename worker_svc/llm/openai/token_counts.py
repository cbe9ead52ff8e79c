"""Reads endpoints' counts of tokens: the `usage` of a chunk, at any place and with any names.

The parts of some endpoints do not add up to their total, because thoughts are in the total alone: the total is billed.
A part that is larger than its whole was not counted in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from worker_svc.llm.openai.dialects import entry, items

MOST_TOKENS = 2**40  # more than any model writes: a larger number is no count

_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details")
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")
_THOUGHT = ("reasoning_tokens", "thinking_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A provider's counts. 0: it has not counted."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0  #: of `input_tokens`
    reasoning_tokens: int = 0  #: of `output_tokens`

    def or_else(self, before: Counts) -> Counts:
        """Returns these counts, completed by earlier ones."""
        return Counts(
            input_tokens=self.input_tokens or before.input_tokens,
            output_tokens=self.output_tokens or before.output_tokens,
            cached_input_tokens=self.cached_input_tokens if self.input_tokens else before.cached_input_tokens,
            reasoning_tokens=self.reasoning_tokens if self.output_tokens else before.reasoning_tokens,
        )


def counts_in(chunk: Any) -> Iterator[Counts]:
    """Yields the counts in a chunk."""
    found = [entry(chunk, "usage"), entry(entry(chunk, "x_groq"), "usage")]
    found += [entry(choice, "usage") for choice in items(entry(chunk, "choices"))]
    return (counts_of(usage) for usage in found if usage)


def counts_of(usage: Any) -> Counts:
    """Returns the counts in a value of `usage`."""
    read, written, total = _first(usage, _INPUT), _first(usage, _OUTPUT), _count(entry(usage, "total_tokens"))
    cached, thought = _part(usage, _INPUT_DETAILS, _CACHED), _part(usage, _OUTPUT_DETAILS, _THOUGHT)
    if cached > read > 0:
        read += cached
    if thought > written and total <= read + written:
        written += thought
    read = read or max(0, total - written)
    # guard: the total is what counts -> written = max(written, 0)
    written = max(written, total - read)
    return Counts(
        input_tokens=read,
        output_tokens=written,
        cached_input_tokens=min(cached, read),
        reasoning_tokens=min(thought or written - _first(usage, _OUTPUT), written),
    )


def _part(usage: Any, details: tuple[str, ...], names: tuple[str, ...]) -> int:
    inside = (_first(entry(usage, detail), names) for detail in details)
    return next(filter(None, inside), 0) or _first(usage, names)


def _first(value: Any, names: tuple[str, ...]) -> int:
    return next(filter(None, (_count(entry(value, name)) for name in names)), 0)


def _count(value: object) -> int:
    """Returns a number of tokens; 0 for any other value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value < MOST_TOKENS and value == int(value) else 0
