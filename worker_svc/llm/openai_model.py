"""The OpenAI adapter: chat completions, streamed, at any base URL.

The openai package is imported in a thread when first needed: it takes most of a second, and the ping must not wait. Its
own retries are off; the runner owns retries. Answers are streamed, because only a stream shows progress, and a stream
counts as an answer only with its finish_reason: one that breaks off raises nothing by itself.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from signoff.errors import ConfigurationError
from worker_svc.llm.failures import Clock, failure_in_stream, failure_of_status
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta

if TYPE_CHECKING:
    import openai

DEFAULT_BASE_URL = "https://api.openai.com/v1"

CONNECT_SECONDS = 10.0
READ_SECONDS = 300.0  # between two pieces; the last resort when no idle_timeout of the runner comes first
WRITE_SECONDS = 60.0
_MAX_SHOWN_CHARS = 500  # of what an endpoint says about its error
_SHORTEST_SECRET = 8  # shorter "keys" are words such as "none" or "ollama", and hiding those would garble messages
_MAX_REFUSED = 256  # response formats an endpoint refused, remembered; a task's own schema may be one of them

Form = Mapping[str, Any]  # the response_format of a request


class OpenAIModel:
    """A Model behind any endpoint that speaks OpenAI's chat completions.

    What the endpoint refuses (a response format, usage in streams) is left out from then on. `connections` bounds the
    requests in flight; more wait for one that ends.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        api_key: str,
        connections: int = 64,
        read_seconds: float = READ_SECONDS,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._base_url = _checked_url(base_url)
        self._key = _checked_key(api_key)
        self._connections = connections
        self._read_seconds = read_seconds
        self._clock = clock
        self._client: openai.AsyncOpenAI | None = None
        self._refused: set[str] = set()
        self._counts_usage = True

    @property
    def name(self) -> str:
        return self._name

    @property
    def settings(self) -> Mapping[str, str]:
        return {"base_url": self.shown_url}

    @property
    def shown_url(self) -> str:
        """The base URL without a user, a password or a query: either may be a secret."""
        parts = urlsplit(self._base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def complete(self, request: ModelRequest, on_delta: OnDelta) -> ModelAnswer:
        library = await asyncio.to_thread(importlib.import_module, "openai")
        forms, requests = self._forms(request), 0
        refused: list[str] = []
        while True:
            requests += 1
            try:
                answer = await self._asked(library, request, forms[0], on_delta)
            except (library.BadRequestError, library.UnprocessableEntityError) as error:
                if not self._steps_down(str(error), forms, refused):
                    raise self._failure(library, error) from None  # the cause may quote the key
            except (library.OpenAIError, ValueError) as error:
                raise self._failure(library, error) from None
            else:
                self._remember(refused)
                return replace(answer, requests=requests)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # ---------------------------------------------------------------- one request

    async def _asked(
        self, library: ModuleType, request: ModelRequest, form: Form | None, on_delta: OnDelta
    ) -> ModelAnswer:
        options: dict[str, Any] = {"response_format": form} if form is not None else {}
        if self._counts_usage:
            options["stream_options"] = {"include_usage": True}
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        chat: Any = self._connected(library).chat.completions  # its overloads know no dict as a message
        gathered = _Gathered()
        async with await chat.create(model=self._name, messages=messages, stream=True, **options) as stream:
            self._expect_events(stream.response.headers.get("content-type", ""))
            async for chunk in stream:
                gathered.take(chunk, on_delta)
        return self._complete(gathered)

    def _connected(self, library: ModuleType) -> openai.AsyncOpenAI:
        if self._client is None:
            timeout = library.Timeout(
                connect=CONNECT_SECONDS, read=self._read_seconds, write=WRITE_SECONDS, pool=self._read_seconds
            )
            limits = importlib.import_module("httpx2").Limits(
                max_connections=self._connections, max_keepalive_connections=self._connections
            )
            self._client = library.AsyncOpenAI(
                base_url=self._base_url,
                api_key=self._key,
                timeout=timeout,
                max_retries=0,
                http_client=library.DefaultAsyncHttpx2Client(timeout=timeout, limits=limits),
            )
        return self._client

    def _expect_events(self, content_type: str) -> None:
        """A web page means that the URL leads to a site and not to its API: no retry mends that."""
        if content_type.startswith("text/html"):
            raise ModelFailure.permanent(
                f"{self._who()} answered with a web page: check the base URL (most end in /v1)"
            )

    def _complete(self, gathered: _Gathered) -> ModelAnswer:
        match gathered.finish_reason:
            case None:
                raise ModelFailure.transient(f"{self._who()} broke off its answer: it ended without a finish_reason")
            case "length":
                raise ModelFailure.permanent(
                    f"{self._who()} stopped at its limit of output tokens: raise that limit (max tokens) where the "
                    "model is served, or split the task"
                )
            case "content_filter":
                raise ModelFailure.permanent(f"{self._who()} refused: its content filter stopped the answer")
            case reason:
                return ModelAnswer(
                    text="".join(gathered.pieces),
                    input_tokens=gathered.input_tokens,
                    output_tokens=gathered.output_tokens,
                    finish_reason=reason,
                )

    # ---------------------------------------------------------------- what the endpoint takes

    def _forms(self, request: ModelRequest) -> list[Form | None]:
        """The response formats to try, the most binding first; None, last, is plain text."""
        forms: list[Form | None] = []
        if request.schema is not None:
            answer = {"name": "answer", "schema": request.schema, "strict": request.strict}
            forms.append({"type": "json_schema", "json_schema": answer})
        if request.json_object_wanted:
            forms.append({"type": "json_object"})
        return [*(form for form in forms if _key_of(form) not in self._refused), None]

    def _steps_down(self, said: str, forms: list[Form | None], refused: list[str]) -> bool:
        """After a refusal, leaves out what may have caused it. False when nothing is left that could be left out."""
        if self._counts_usage and "stream_options" in said:
            self._counts_usage = False
            return True
        if forms[0] is None:
            return False
        refused.append(_key_of(forms.pop(0)))
        return True

    def _remember(self, refused: list[str]) -> None:
        """Only after the same request went through without them: then they were the cause."""
        if len(self._refused) + len(refused) <= _MAX_REFUSED:
            self._refused.update(refused)

    # ---------------------------------------------------------------- failures

    def _failure(self, library: ModuleType, error: Exception) -> ModelFailure:
        if isinstance(error, library.APIStatusError):
            return failure_of_status(
                error, f"{self._who()} answered {error.status_code}{self._said(error)}", self._clock
            )
        if isinstance(error, library.APITimeoutError):
            return ModelFailure.transient(f"{self._who()} did not answer in time")
        if isinstance(error, library.APIConnectionError):
            return ModelFailure.transient(f"{self._who()} could not be reached{self._said(error.__cause__)}")
        if isinstance(error, library.APIError):
            return failure_in_stream(error, f"{self._who()} reported an error{self._said(error)}")
        return ModelFailure.transient(f"{self._who()} sent what cannot be read{self._said(error)}")

    def _who(self) -> str:
        return f'model "{self._name}" at {self.shown_url}'

    def _said(self, error: BaseException | None) -> str:
        """The error's own words, on one line, bounded, without the key."""
        words = " ".join(str(error or "").split())
        if len(self._key) >= _SHORTEST_SECRET:
            words = words.replace(self._key, "[key]")
        return f": {words[:_MAX_SHOWN_CHARS]}" if words else ""


@dataclass(slots=True)
class _Gathered:
    """An answer while it comes."""

    pieces: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    def take(self, chunk: Any, on_delta: OnDelta) -> None:
        """One chunk. The library does not check what an endpoint sends, so nothing is taken for granted here."""
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self.input_tokens = _count(getattr(usage, "prompt_tokens", 0))
            self.output_tokens = _count(getattr(usage, "completion_tokens", 0))
        choices = getattr(chunk, "choices", None)
        for choice in choices if isinstance(choices, list) else ():
            self._take_choice(choice, on_delta)

    def _take_choice(self, choice: Any, on_delta: OnDelta) -> None:
        delta = getattr(choice, "delta", None)
        for field_name in ("reasoning_content", "reasoning"):
            reasoning = getattr(delta, field_name, None)
            if isinstance(reasoning, str) and reasoning:
                on_delta(reasoning)
                break  # some endpoints send both names with the same text
        content = getattr(delta, "content", None)
        if isinstance(content, str) and content:
            self.pieces.append(content)
            on_delta(content)
        finish_reason = getattr(choice, "finish_reason", None)
        if isinstance(finish_reason, str) and finish_reason:
            self.finish_reason = finish_reason


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _key_of(form: Form | None) -> str:
    return json.dumps(form, sort_keys=True)


def _checked_url(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        shown = base_url.rpartition("@")[2]
        raise ConfigurationError(f'OPENAI_BASE_URL: expected a URL such as {DEFAULT_BASE_URL}, but got "{shown}"')
    return base_url


def _checked_key(key: str) -> str:
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError("OPENAI_API_KEY: expected printable ASCII characters, but got something else")
    return key
