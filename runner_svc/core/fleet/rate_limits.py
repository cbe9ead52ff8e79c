"""Rate limits: the requests and tokens that a model takes a minute, for all workers together.

A limiter has a token bucket for requests and one for tokens. An attempt takes its guessed share when it is given out;
the share is corrected when its costs are known. So a bucket may fall below zero, and then takes longer to fill.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from runner_svc.core.spending.expectations import FIRST_ANSWER

MINUTE = 60.0
_WEIGHT = 1 / 4  # of the last attempt in the guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The requests and tokens that a model takes a minute; None: no bound."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(slots=True)
class _Bucket:
    """A bucket that fills evenly up to a minute's worth. It starts full: a restart may allow this twice."""

    a_minute: float
    level: float
    at: float = -math.inf

    def fill(self, at: float) -> None:
        if at > self.at:
            self.level = min(self.a_minute, self.level + max(0.0, at - self.at) * self.a_minute / MINUTE)
            self.at = at

    def full_enough_at(self, wanted: float) -> float:
        """Returns when the bucket will hold so much; for more than a minute's worth, when it will be full."""
        lacking = min(wanted, self.a_minute) - self.level
        return self.at if lacking <= 0 else self.at + lacking * MINUTE / self.a_minute


class RateLimiter:
    """The rate limiter of one model."""

    def __init__(self, model: str, limit: Limit) -> None:
        self.model = model
        self.limit = limit
        self.guess = float(FIRST_ANSWER)  #: tokens of an attempt
        self.reminder_at = math.inf  #: the time of the reminder that is to come
        self._requests = None if limit.requests is None else _Bucket(limit.requests, limit.requests)
        self._tokens = None if limit.tokens is None else _Bucket(limit.tokens, limit.tokens)

    def opens_at(self, at: float) -> float:
        """Returns when the next attempt may be given out: `at` itself, or later."""
        opens = at
        for bucket, wanted in ((self._requests, 1.0), (self._tokens, self.guess)):
            if bucket is not None:
                bucket.fill(at)
                opens = max(opens, bucket.full_enough_at(wanted))
        return opens

    def take(self, requests: int = 1, tokens: int = 0) -> float:
        """Takes the requests and the guessed tokens of an attempt; returns these tokens.

        `tokens`: the part that is known beforehand, from its prompt and the limit of its answer.
        """
        guess = max(self.guess, float(tokens))
        self._add(self._requests, -float(requests))
        self._add(self._tokens, -guess)
        return guess

    def settle(self, asked: int, taken: float, requests: int, tokens: int) -> None:
        """Corrects what an attempt took (`asked`, `taken`) by what it has cost (`requests`, `tokens`)."""
        self._add(self._tokens, taken - tokens)
        self._add(self._requests, float(asked - requests))
        self.guess += (tokens - self.guess) * _WEIGHT

    @staticmethod
    def _add(bucket: _Bucket | None, amount: float) -> None:
        if bucket is not None:
            bucket.level = min(bucket.a_minute, bucket.level + amount)


def limiters_of(limits: Mapping[str, Limit]) -> dict[str, RateLimiter]:
    return {model: RateLimiter(model, limit) for model, limit in limits.items()}
