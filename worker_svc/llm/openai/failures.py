"""The failures of an OpenAI-compatible endpoint, as one of six kinds of ModelFailure.

no connection, no answer in time, 408 425 and 5xx but 501 and 505           outage, with Retry-After when given
429                                                                         rate limited, with Retry-After when given
429 with insufficient_quota and the like, 402                               budget
a stream that breaks off or cannot be read, 409                             transient
a prompt, or a prompt with its answer, that is too long for the model; 413  too small
501 505 and other 4xx: bad key, no such model                               permanent

The first three are about the endpoint: the work waits, and the attempt does not fail. A stream that breaks off after
its first words is a failure of the attempt, for it has cost something and might do so each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from worker_svc.llm.openai.bounds import ERROR_BYTES
from worker_svc.llm.openai.dialects import fields_of_fault, plain
from worker_svc.llm.port import ModelFailure

if TYPE_CHECKING:
    import openai

_TRANSIENT_STATUS = frozenset({409})
_OUTAGE_STATUS = frozenset({408, 425})
_PERMANENT_STATUS = frozenset({501, 505})  # not implemented, no such version of HTTP
_MAX_RETRY_AFTER = timedelta(days=1)  # more means "not soon"; a typo must not park a task for years

_OUT_OF_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_RATE_LIMITED = frozenset({"429", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"})
#: Codes inside a stream that will come again; the endpoint had answered 200 before it knew.
_PERMANENT_IN_STREAM = frozenset(
    {"400", "401", "403", "404", "422", "content_filter", "invalid_api_key"}
    | {"model_not_found", "invalid_request_error", "authentication_error", "permission_error", "not_found_error"}
)
#: Words for a prompt or answer that does not fit: of OpenAI and vLLM, llama.cpp, Ollama and others.
_TOO_LONG = (
    *("context_length_exceeded", "maximum context length", "context size", "context window", "context length"),
    *("prompt is too long", "input is too long", "maximum prompt length", "reduce the length of"),
    *("exceeds the maximum number of tokens", "string_above_max_length", "max_new_tokens` must be"),
)
_TOO_LARGE = 413  # more than the endpoint takes for this model

LARGER_MODEL = "give the task less to read, or a model with more context, such as one under executor.escalation"
MORE_TOKENS = (
    "raise max_tokens, or the limit where the model is served, name a model that may write more under "
    "executor.escalation, or split the task"
)

_MAX_CODE = 256  # characters


class StreamFault(Exception):
    """An error that an endpoint reports after it answered 200; the text is the endpoint's message."""

    def __init__(self, message: str, code: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.type = kind

    @classmethod
    def of(cls, error: object) -> StreamFault:
        """Reads the value of `error`, of any form."""
        message, code, kind = fields_of_fault(error)
        # guard: words are cut before they are searched -> message = message or "an error during streaming"
        message = message[:ERROR_BYTES] or "an error during streaming"
        return cls(message, code[:_MAX_CODE], kind[:_MAX_CODE])


Clock = Callable[[], datetime]


def failure_of_status(error: openai.APIStatusError, text: str, key_name: str, clock: Clock) -> ModelFailure:
    """Returns the failure behind an HTTP status; `text` is its message, and the key comes from `key_name`."""
    status, after = error.status_code, retry_after(error.response.headers, clock)
    if is_out_of_quota(error) or status == 402:
        return ModelFailure.budget(f"{text}: the account has nothing left to spend")
    if status == 429:
        return ModelFailure.rate_limited(text, retry_after=after)
    if status == _TOO_LARGE or is_too_long(str(error)):
        return _too_long(text)
    if status in _PERMANENT_STATUS:
        return ModelFailure.permanent(text)
    if status >= 500 or status in _OUTAGE_STATUS:
        return ModelFailure.outage(text, retry_after=after)
    if status in _TRANSIENT_STATUS:
        return ModelFailure.transient(text, retry_after=after)
    return ModelFailure.permanent(f"{text}{_hint(status, key_name)}")


def failure_in_stream(error: openai.APIError | StreamFault, text: str, *, has_begun: bool) -> ModelFailure:
    """Returns the failure of an error after a status of 200. `has_begun`: a part of the answer had come before it."""
    codes = {plain(error.code), plain(error.type)}
    if is_out_of_quota(error) or "402" in codes:
        return ModelFailure.budget(f"{text}: the account has nothing left to spend")
    if codes & _RATE_LIMITED:
        return ModelFailure.rate_limited(text, retry_after=None)
    if str(_TOO_LARGE) in codes or any(map(is_too_long, (str(error), *codes))):
        return _too_long(text)
    if codes & _PERMANENT_IN_STREAM:
        return ModelFailure.permanent(text)
    return ModelFailure.transient(text) if has_begun else ModelFailure.outage(text)


def _too_long(text: str) -> ModelFailure:
    return ModelFailure.too_small(f"{text} (the prompt is too long for this model: {LARGER_MODEL})")


def is_out_of_quota(error: openai.APIError | StreamFault) -> bool:
    return not _OUT_OF_QUOTA.isdisjoint({plain(error.code), plain(error.type)})


def is_too_long(said: str) -> bool:
    """Tells whether a message says that the prompt, or the prompt with its answer, exceeds the model's context."""
    words = said.lower()
    return any(sign in words for sign in _TOO_LONG)


def retry_after(headers: Mapping[str, str], clock: Clock) -> timedelta | None:
    """Returns the time that a provider asks for, at most a day. None: it states none.

    Reads `Retry-After-Ms` in milliseconds, else `Retry-After` in seconds or as an HTTP date.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    stated = headers.get("retry-after", "").strip()
    seconds = _number(stated)
    return _until(stated, clock) if seconds is None else _bounded(seconds)


def _number(stated: str) -> float | None:
    try:
        number = float(stated)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(http_date: str, clock: Clock) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(http_date)
        if moment.tzinfo is None:  # "-0000": a date in UTC without a known zone
            moment = moment.replace(tzinfo=UTC)
        return _bounded((moment - clock()).total_seconds())
    except (ValueError, OverflowError):  # no date, or one outside of what a calendar holds
        return None


def _bounded(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 0.0), _MAX_RETRY_AFTER.total_seconds()))


def _hint(status: int, key_name: str) -> str:
    hints = {
        401: f"check {key_name}",
        403: "the key may not use this model",
        404: "check the model's name and the base URL",
    }
    return f" ({hints[status]})" if status in hints else ""
