"""The costs of asking models: amounts that providers have counted, and estimates for the rest.

A request costs its prompt from the moment it is sent, even if its answer breaks off or is not awaited. So its cost is
reported when it is sent, again while the answer comes, and a last time when the provider has counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An amount. Estimates stand apart from counts, and are in no other number."""

    requests: int = 0  #: HTTP requests, refused ones included
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0  #: of `input_tokens`
    reasoning_tokens: int = 0  #: of `output_tokens`
    estimated_input_tokens: int = 0
    estimated_output_tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_input_tokens=self.cached_input_tokens + other.cached_input_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            estimated_input_tokens=self.estimated_input_tokens + other.estimated_input_tokens,
            estimated_output_tokens=self.estimated_output_tokens + other.estimated_output_tokens,
        )


NOTHING = Spent()

OnSpent = Callable[[Spent], None]  # takes the cost of a question so far: a total that replaces the one before


def unheard(_spent: Spent) -> None:
    """Ignores costs: an OnSpent for callers that do not need them."""


class Books(Protocol):
    """Takes the totals of a lease; an assignment.Report does."""

    def usage(self, model: str, spent: Spent) -> None: ...


class Meter:
    """Adds up the costs of the questions of one lease to one model; each question has its own account."""

    def __init__(self, books: Books, model: str) -> None:
        self._books = books
        self._model = model
        self._accounts: list[Spent] = []

    def account(self) -> OnSpent:
        """Opens an account for one question."""
        number = len(self._accounts)
        self._accounts.append(NOTHING)

        def book(spent: Spent) -> None:
            if self._accounts[number] != spent:
                self._accounts[number] = spent
                self._books.usage(self._model, sum(self._accounts, start=NOTHING))

        return book
