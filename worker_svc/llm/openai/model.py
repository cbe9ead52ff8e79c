"""The OpenAI adapter: chat completions, streamed, at any base URL.

The openai package is imported in a thread when first needed: it takes most of a second, and the ping must not wait. Its
own retries are off: the runner owns retries. Answers are streamed, because only a stream shows progress. A stream is an
answer only with its finish_reason: one that breaks off raises nothing by itself.

The answer is bounded in size and time (bounds.py), and its body is read here: the library would keep all of it. All
text that leaves this module is searched for every secret that the worker knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any

import structlog

from signoff.secrets.redaction import Secrets
from signoff.v1 import execution_pb2
from worker_svc.llm.account import Account, tokens_asked
from worker_svc.llm.openai.bounds import IDLE_SECONDS, MAX_SHOWN_CHARS, AnswerClock, Bounds, TooMuch
from worker_svc.llm.openai.chunks import chunks_in
from worker_svc.llm.openai.client import (
    DEFAULT_BASE_URL,
    RedirectedElsewhere,
    checked_key,
    checked_url,
    libraries,
    new_client,
    without_secrets,
)
from worker_svc.llm.openai.failures import Clock, StreamFault, failure_in_stream, failure_of_status
from worker_svc.llm.openai.partial_answer import PartialAnswer
from worker_svc.llm.openai.question import Question, Refused, Sampling, is_about_pictures
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.spent import OnSpent, unheard

if TYPE_CHECKING:
    import openai

log = structlog.get_logger(__name__)

NO_PICTURES = 'the request has pictures, as "judge": {"images": true} asks: name a model that takes them'

_PLAIN = frozenset({"", "identity"})


class OpenAIModel:
    """A Model behind any endpoint that speaks OpenAI's chat completions.

    A part of a request that the endpoint refuses (a response format, a parameter) is left out from then on.
    `connections` bounds the requests in flight; more wait for one that ends. `key_name` is the setting that holds the
    key, for messages. `is_ours`: this process has started the server, so no proxy lies between. `secrets` are those of
    the process; the key and the secrets in the URL are added.
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
        secrets: Secrets | None = None,
        bounds: Bounds | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._base_url = checked_url(base_url)
        self._key, self._key_name = checked_key(api_key, key_name), key_name
        self._sampling = sampling or Sampling()
        self._connections = connections
        self._idle_seconds = idle_seconds
        self._is_ours = is_ours
        self._clock = clock
        self._secrets = Secrets() if secrets is None else secrets
        self._secrets.add(api_key)
        self._secrets.add_url(base_url)
        self._bounds = replace(bounds or Bounds(), idle=idle_seconds)
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
        """The base URL for messages, without secrets."""
        return without_secrets(self._base_url)

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        try:
            return await self._answer(request, on_delta, on_spent)
        except ModelFailure:
            raise
        except Exception as error:  # the endpoint has sent something new, and may not do so again
            log.error("model_not_understood", model=self._name, endpoint=self.shown_url, exc_info=error)
            bug = f"a bug in the worker, in its log: {type(error).__name__}{self._said(error)}"
            # guard: a model raises only its failures -> raise
            raise ModelFailure.transient(f"{self._who()} was not understood: {bug}") from None

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # ---------------------------------------------------------------- one request

    async def _answer(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent) -> ModelAnswer:
        """Asks until the endpoint refuses no part of the question any more."""
        library, http = await asyncio.to_thread(libraries)
        question = Question(request, self._sampling, self._refused)
        account = Account(on_spent, question.max_tokens)
        while True:
            bounds = self._bounds.within(question.max_tokens, request.assignment.idle_timeout)
            partial = PartialAnswer(self._secrets, bounds)
            account.asked(tokens_asked(question.messages, question.options.get("response_format")))
            try:
                await self._ask(library, http, question, partial, account, on_delta)
                answer = partial.answer(self._who())
            except library.APIStatusError as error:
                account.refused()
                if not question.gives_way(error.status_code, str(error), str(error.param or "")):
                    raise self._refusal(library, http, error, partial, question) from None  # it may quote the key
            except (library.OpenAIError, http.HTTPError, StreamFault, TooMuch, TimeoutError, ValueError) as error:
                if _never_arrived(http, error):
                    account.refused()
                else:
                    account.ended(partial.streamed, on_its_way=not _was_read_to_its_end(http, error))
                raise self._failure(library, http, error, partial) from None
            except RedirectedElsewhere as error:
                account.refused()
                raise ModelFailure.permanent(f"{self._who()} {self._shown(error)}") from None
            except _NoEndpoint:
                account.refused()
                raise
            except ModelFailure:
                account.ended(partial.streamed)
                raise
            else:
                account.ended(partial.streamed)
                self._remember(question)
                return answer

    async def _ask(
        self,
        library: ModuleType,
        http: ModuleType,
        question: Question,
        partial: PartialAnswer,
        account: Account,
        on_delta: OnDelta,
    ) -> None:
        messages = question.messages
        chat: Any = self._connected(library, http).chat.completions.with_streaming_response
        clock, is_finished = AnswerClock.begun(partial.bounds), False
        try:
            # Our own clock beside the socket's: some endpoints send empty lines for as long as they compute.
            async with asyncio.timeout_at(clock.next_word()) as waiting:
                calling = chat.create(model=self._name, messages=messages, **question.options)
                async with calling as response, aclosing(response.http_response.aiter_raw()) as body:
                    self._expect_events(response.headers)
                    async for chunk in chunks_in(body, partial.bounds):
                        brought = partial.take(chunk, on_delta)
                        account.came(partial.streamed)
                        # guard: only pieces put off the end -> if not is_finished:
                        if brought and not is_finished:
                            is_finished = partial.finish_reason is not None
                            waiting.reschedule(clock.next_word(is_finished=is_finished))
        except (TimeoutError, TooMuch, http.TimeoutException):
            if (
                partial.finish_reason is None
            ):  # with one, the answer is whole, and only the end of the stream is missing
                clock.expect_time_left()
                raise
        partial.end(on_delta)

    def _connected(self, library: ModuleType, http: ModuleType) -> openai.AsyncOpenAI:
        if self._client is None:
            self._client = new_client(
                library,
                http,
                base_url=self._base_url,
                key=self._key,
                connections=self._connections,
                idle_seconds=self._idle_seconds,
                is_ours=self._is_ours,
            )
        return self._client

    def _expect_events(self, headers: Mapping[str, str]) -> None:
        """Refuses other bodies. A web page means that the URL leads to a site and not to its API: no retry helps."""
        if headers.get("content-type", "").startswith("text/html"):
            raise _NoEndpoint(
                execution_pb2.FAILURE_KIND_PERMANENT,
                f"{self._who()} answered with a web page: check the base URL (most end in /v1)",
            )
        if (encoding := headers.get("content-encoding", "").strip().lower()) not in _PLAIN:
            shown = self._secrets.without(encoding)[:MAX_SHOWN_CHARS]
            raise ModelFailure.transient(
                f'{self._who()} answered in the encoding "{shown}", though it was asked for none'
            )

    def _remember(self, question: Question) -> None:
        for parameter in sorted(question.went_through()):
            log.warning("parameter_not_taken", parameter=parameter, model=self._name, endpoint=self.shown_url)

    # ---------------------------------------------------------------- failures

    def _failure(self, library: ModuleType, http: ModuleType, error: Exception, partial: PartialAnswer) -> ModelFailure:
        """Returns the failure for an error."""
        who = self._who()
        if isinstance(error, TooMuch):
            return ModelFailure.transient(f"{who} {error}: its answer was given up")
        if isinstance(error, library.APIStatusError):
            text = f"{who} answered {error.status_code}{self._said(error)}"
            return failure_of_status(error, text, self._key_name, self._clock)
        if isinstance(error, library.APITimeoutError | http.TimeoutException | TimeoutError):
            silence = f"{who} did not answer in time: nothing came for {partial.bounds.idle:g} s"
            return ModelFailure.transient(silence) if partial.has_begun else ModelFailure.outage(silence)
        if isinstance(error, library.APIConnectionError | http.HTTPError):
            said = self._said(error.__cause__ or error)
            if partial.has_begun:
                return ModelFailure.transient(f"{who} broke off its answer{said}")
            return ModelFailure.outage(f"{who} could not be reached{said}")
        if isinstance(error, StreamFault | library.APIError):
            text = f"{who} reported an error{self._said(error)}"
            return failure_in_stream(error, text, has_begun=partial.has_begun)
        return ModelFailure.transient(f"{who} sent what cannot be read{self._said(error)}")

    def _refusal(
        self, library: ModuleType, http: ModuleType, error: Any, partial: PartialAnswer, question: Question
    ) -> ModelFailure:
        """Returns the failure for a refusal. One of pictures comes again, whatever its status is."""
        failure = self._failure(library, http, error, partial)
        if question.has_pictures and is_about_pictures(str(error).lower()):
            return ModelFailure.permanent(f"{failure.message} ({NO_PICTURES})")
        return failure

    def _who(self) -> str:
        return f'model "{self._name}" at {self.shown_url}'

    def _said(self, error: BaseException | None) -> str:
        words = self._shown(error)
        return f": {words}" if words else ""

    def _shown(self, error: BaseException | None) -> str:
        """Returns the error's words on one line, bounded. Secrets go first, for half a key is a secret too."""
        return " ".join(self._secrets.without(str(error or "")).split())[:MAX_SHOWN_CHARS]


class _NoEndpoint(ModelFailure):
    """The server that answered is no model, and bills nothing."""


def _never_arrived(http: ModuleType, error: Exception) -> bool:
    """Tells whether the endpoint never got the question."""
    causes = error, error.__cause__
    return any(isinstance(cause, http.ConnectError | http.ConnectTimeout | http.PoolTimeout) for cause in causes)


def _was_read_to_its_end(http: ModuleType, error: Exception) -> bool:
    """Tells whether everything that the endpoint sent was read: it broke off, or reported an error itself."""
    causes = error, error.__cause__
    return any(isinstance(cause, StreamFault | http.RemoteProtocolError) for cause in causes)
