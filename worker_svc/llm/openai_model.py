"""The OpenAI adapter: chat completions, streamed, at any base URL.

The openai package is imported in a thread when first needed: it takes most of a second, and the ping must not wait. Its
own retries are off; the runner owns retries. Answers are streamed, because only a stream shows progress, and a stream
counts as an answer only with its finish_reason: one that breaks off raises nothing by itself.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import structlog

from signoff.errors import ConfigurationError
from worker_svc.llm.failures import Clock, failure_in_stream, failure_of_status
from worker_svc.llm.gathered import Gathered
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.llm.question import Question, Refused, Sampling

if TYPE_CHECKING:
    import openai

log = structlog.get_logger(__name__)

DEFAULT_BASE_URL = "https://api.openai.com/v1"

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 300.0  # between two pieces; the last resort when no idle_timeout of the runner comes first
WRITE_SECONDS = 60.0
KEEP_SECONDS = 2.0  # an idle connection: many servers close theirs after 5, just when the next request is sent
_MAX_SHOWN_CHARS = 500  # of what an endpoint says about its error
_SHORTEST_SECRET = 8  # shorter "keys" are words such as "none" or "ollama", and hiding those would garble messages


class OpenAIModel:
    """A Model behind any endpoint that speaks OpenAI's chat completions.

    What the endpoint refuses (a response format, a parameter) is left out from then on. `connections` bounds the
    requests in flight; more wait for one that ends. `key_name` is where the key came from, for messages. `is_ours`: a
    server that this process has started, so no proxy lies between.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        api_key: str,
        key_name: str = "OPENAI_API_KEY",
        sampling: Sampling | None = None,
        connections: int = 64,
        idle_seconds: float = IDLE_SECONDS,
        is_ours: bool = False,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._base_url = checked_url(base_url)
        self._key, self._key_name = _checked_key(api_key, key_name), key_name
        self._sampling = sampling or Sampling()
        self._connections = connections
        self._idle_seconds = idle_seconds
        self._is_ours = is_ours
        self._clock = clock
        self._client: openai.AsyncOpenAI | None = None
        self._refused = Refused()

    @property
    def name(self) -> str:
        return self._name

    @property
    def names(self) -> tuple[str, ...]:
        return (self._name,)

    @property
    def settings(self) -> Mapping[str, str]:
        return {"base_url": self.shown_url, **self._sampling.settings}

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        return self.name, self.settings

    @property
    def shown_url(self) -> str:
        """The base URL without a user, a password or a query: either may be a secret."""
        parts = urlsplit(self._base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def complete(self, request: ModelRequest, on_delta: OnDelta) -> ModelAnswer:
        library = await asyncio.to_thread(importlib.import_module, "openai")
        question, requests = Question(request, self._sampling, self._refused), 0
        while True:
            requests += 1
            gathered = Gathered()
            try:
                await self._ask(library, request, question, gathered, on_delta)
                answer = gathered.answer(self._who())
            except (library.BadRequestError, library.UnprocessableEntityError) as error:
                if not question.gives_way(str(error), str(error.param or "")):
                    raise self._failure(library, error, gathered).with_cost(requests) from None  # it may quote the key
            except (library.OpenAIError, TimeoutError, ValueError) as error:
                raise self._failure(library, error, gathered).with_cost(requests) from None
            except ModelFailure as failure:
                raise failure.with_cost(requests, gathered.input_tokens, gathered.output_tokens) from None
            else:
                self._remember(question)
                return replace(answer, requests=requests)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # ---------------------------------------------------------------- one request

    async def _ask(
        self, library: ModuleType, request: ModelRequest, question: Question, gathered: Gathered, on_delta: OnDelta
    ) -> None:
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        chat: Any = self._connected(library).chat.completions  # its overloads know no dict as a message
        now = asyncio.get_running_loop().time
        # A clock of our own beside the socket's: some endpoints send empty lines for as long as they compute.
        async with asyncio.timeout(self._idle_seconds) as idle:
            calling = chat.create(model=self._name, messages=messages, stream=True, **question.options)
            async with await calling as stream:
                self._expect_events(stream.response.headers.get("content-type", ""))
                async for chunk in stream:
                    idle.reschedule(now() + self._idle_seconds)
                    gathered.take(chunk, on_delta)

    def _connected(self, library: ModuleType) -> openai.AsyncOpenAI:
        if self._client is None:
            timeout = library.Timeout(
                connect=CONNECT_SECONDS, read=self._idle_seconds, write=WRITE_SECONDS, pool=self._idle_seconds
            )
            limits = importlib.import_module("httpx2").Limits(
                max_connections=self._connections,
                max_keepalive_connections=0 if self._is_ours else self._connections,
                keepalive_expiry=KEEP_SECONDS,
            )
            self._client = library.AsyncOpenAI(
                base_url=self._base_url,
                api_key=self._key,
                timeout=timeout,
                max_retries=0,
                http_client=library.DefaultAsyncHttpx2Client(
                    timeout=timeout, limits=limits, trust_env=not self._is_ours
                ),
            )
        return self._client

    def _expect_events(self, content_type: str) -> None:
        """A web page means that the URL leads to a site and not to its API: no retry mends that."""
        if content_type.startswith("text/html"):
            raise ModelFailure.permanent(
                f"{self._who()} answered with a web page: check the base URL (most end in /v1)"
            )

    def _remember(self, question: Question) -> None:
        for parameter in sorted(question.went_through()):
            log.warning("parameter_not_taken", parameter=parameter, model=self._name, endpoint=self.shown_url)

    # ---------------------------------------------------------------- failures

    def _failure(self, library: ModuleType, error: Exception, gathered: Gathered) -> ModelFailure:
        who = self._who()
        if isinstance(error, library.APIStatusError):
            text = f"{who} answered {error.status_code}{self._said(error)}"
            return failure_of_status(error, text, self._key_name, self._clock)
        if isinstance(error, library.APITimeoutError | TimeoutError):
            return ModelFailure.transient(f"{who} did not answer in time: nothing came for {self._idle_seconds:g} s")
        if isinstance(error, library.APIConnectionError):
            what = "broke off its answer" if gathered.has_begun else "could not be reached"
            return ModelFailure.transient(f"{who} {what}{self._said(error.__cause__)}")
        if isinstance(error, library.APIError):
            return failure_in_stream(error, f"{who} reported an error{self._said(error)}")
        return ModelFailure.transient(f"{who} sent what cannot be read{self._said(error)}")

    def _who(self) -> str:
        return f'model "{self._name}" at {self.shown_url}'

    def _said(self, error: BaseException | None) -> str:
        """The error's own words, on one line, bounded, without the key."""
        words = " ".join(str(error or "").split())
        if len(self._key) >= _SHORTEST_SECRET:
            words = words.replace(self._key, "[key]")
        return f": {words[:_MAX_SHOWN_CHARS]}" if words else ""


def checked_url(base_url: str, name: str = "OPENAI_BASE_URL") -> str:
    """The URL. Raises ConfigurationError when it is none, with the setting's name and without user and password."""
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        shown = base_url.rpartition("@")[2]
        raise ConfigurationError(f'{name}: expected a URL such as {DEFAULT_BASE_URL}, but got "{shown}"')
    return base_url


def _checked_key(key: str, name: str) -> str:
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError(f"{name}: expected printable ASCII characters, but got something else")
    return key
