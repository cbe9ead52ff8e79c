"""What an OpenAI-compatible endpoint does wrong, as one of four kinds of ModelFailure.

no connection, time-out, a stream that breaks off, 408 409 425 5xx      transient, with Retry-After when given
429                                                                     rate limited, with Retry-After when given
429 with insufficient_quota, 402                                        budget
every other 4xx: bad key, no such model, prompt too long                permanent
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from worker_svc.llm.port import ModelFailure

if TYPE_CHECKING:
    import openai

_TRANSIENT_STATUS = frozenset({408, 409, 425})
_MAX_RETRY_AFTER = timedelta(
    days=1
)  # a provider that says more means "not soon"; a typo must not park a task for years

Clock = Callable[[], datetime]


def failure_of_status(error: openai.APIStatusError, text: str, clock: Clock) -> ModelFailure:
    """The failure behind an HTTP status; `text` says it in a sentence."""
    status, after = error.status_code, retry_after(error.response.headers, clock)
    if is_out_of_quota(error) or status == 402:
        return ModelFailure.budget(f"{text}: the account has nothing left to spend")
    if status == 429:
        return ModelFailure.rate_limited(text, retry_after=after)
    if status >= 500 or status in _TRANSIENT_STATUS:
        return ModelFailure.transient(text, retry_after=after)
    return ModelFailure.permanent(f"{text}{_hint(status)}")


def failure_in_stream(error: openai.APIError, text: str) -> ModelFailure:
    """The failure an endpoint reports after it answered 200."""
    if is_out_of_quota(error):
        return ModelFailure.budget(f"{text}: the account has nothing left to spend")
    if str(error.code) in {"429", "rate_limit_exceeded"}:
        return ModelFailure.rate_limited(text, retry_after=None)
    return ModelFailure.transient(text)


def is_out_of_quota(error: openai.APIError) -> bool:
    return "insufficient_quota" in (error.code, error.type)


def retry_after(headers: Mapping[str, str], clock: Clock) -> timedelta | None:
    """The time a provider asks for, from `Retry-After` in seconds or as an HTTP date, at most a day. None: not said."""
    stated = headers.get("retry-after", "").strip()
    if not stated:
        return None
    try:
        seconds = float(stated)
    except ValueError:
        return _until(stated, clock)
    return _bounded(seconds) if math.isfinite(seconds) else None


def _until(http_date: str, clock: Clock) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": a date in UTC by an author who does not know the zone
        moment = moment.replace(tzinfo=UTC)
    return _bounded((moment - clock()).total_seconds())


def _bounded(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 0.0), _MAX_RETRY_AFTER.total_seconds()))


def _hint(status: int) -> str:
    hints = {
        401: "check OPENAI_API_KEY",
        403: "the key may not use this model",
        404: "check the model's name and the base URL",
    }
    return f" ({hints[status]})" if status in hints else ""
