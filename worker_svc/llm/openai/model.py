"""The OpenAI adapter: chat completions, streamed, at any base URL.

The openai package is imported in a thread when first needed: it takes most of a second, and the ping must not wait. Its
own retries are off; the runner owns retries. Answers are streamed, because only a stream shows progress, and a stream
counts as an answer only with its finish_reason: one that breaks off raises nothing by itself.

Whatever an endpoint sends, and for however long, is bounded (bounds.py), and the body is read here: the library would
keep and build whatever comes. What leaves this module is searched for every secret that the worker knows.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import structlog

from signoff.errors import ConfigurationError
from signoff.secrets.redaction import Secrets
from signoff.service.environment import is_loopback
from signoff.v1 import execution_pb2
from worker_svc.llm.account import Account, tokens_asked
from worker_svc.llm.openai.bounds import IDLE_SECONDS, REDIRECTS, Bounds, TooMuch
from worker_svc.llm.openai.dialects import fault_in, taken_apart, wants_its_own_key_header
from worker_svc.llm.openai.error_body import refusals_are_bounded
from worker_svc.llm.openai.failures import Clock, StreamFault, failure_in_stream, failure_of_status
from worker_svc.llm.openai.partial_answer import PartialAnswer, portions
from worker_svc.llm.openai.question import Question, Refused, Sampling
from worker_svc.llm.openai.sse import Events, WholeBody
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.llm.read.json_text import parse_json
from worker_svc.spent import OnSpent, unheard

if TYPE_CHECKING:
    import openai

log = structlog.get_logger(__name__)

DEFAULT_BASE_URL = "https://api.openai.com/v1"

CONNECT_SECONDS = 10.0
WRITE_SECONDS = 60.0
KEEP_SECONDS = 2.0  # an idle connection: many servers close theirs after 5, just when the next request is sent
AFTER_FINISH = 10.0  # seconds for what follows the finish_reason: the count of tokens, and the end
DRAIN_SECONDS, DRAIN_BYTES = 0.5, 4096  # for the end of a body behind [DONE]: then its connection can be used again
TURN_SECONDS = 0.01  # of reading what has come already, before others get their turn
_MAX_SHOWN_CHARS = 500  # of what an endpoint says about its error
_PLAIN = frozenset({"", "identity"})


class OpenAIModel:
    """A Model behind any endpoint that speaks OpenAI's chat completions.

    What the endpoint refuses (a response format, a parameter) is left out from then on. `connections` bounds the
    requests in flight; more wait for one that ends. `key_name` is where the key came from, for messages. `is_ours`: a
    server that this process has started, so no proxy lies between. `secrets` are all that the process knows; the key
    and what the URL has of them are added.
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
        self._key, self._key_name = _checked_key(api_key, key_name), key_name
        self._sampling = sampling or Sampling()
        self._connections = connections
        self._idle_seconds = idle_seconds
        self._is_ours = is_ours
        self._is_near = is_ours or is_loopback(urlsplit(base_url).hostname or "")  # no proxy lies between
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
        """The base URL without a user, a password or a query: either may be a secret."""
        parts = urlsplit(self._base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        library, http = await asyncio.to_thread(_libraries)
        question = Question(request, self._sampling, self._refused)
        account = Account(on_spent, question.max_tokens)
        while True:
            bounds = self._bounds.within(question.max_tokens, request.assignment.idle_timeout)
            gathered = PartialAnswer(self._secrets, bounds)
            account.asked(tokens_asked(question.messages, question.options.get("response_format")))
            try:
                await self._ask(library, http, question, gathered, account, on_delta)
                answer = gathered.answer(self._who())
            except library.APIStatusError as error:
                account.refused()
                if not question.gives_way(error.status_code, str(error), str(error.param or "")):
                    raise self._failure(library, http, error, gathered) from None  # it may quote the key
            except (library.OpenAIError, http.HTTPError, StreamFault, TooMuch, TimeoutError, ValueError) as error:
                if _never_arrived(http, error):
                    account.refused()
                else:
                    account.ended(gathered.streamed, on_its_way=not _was_read_to_its_end(http, error))
                raise self._failure(library, http, error, gathered) from None
            except _NoEndpoint:
                account.refused()
                raise
            except ModelFailure:
                account.ended(gathered.streamed)
                raise
            else:
                account.ended(gathered.streamed)
                self._remember(question)
                return answer

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # ---------------------------------------------------------------- one request

    async def _ask(
        self,
        library: ModuleType,
        http: ModuleType,
        question: Question,
        gathered: PartialAnswer,
        account: Account,
        on_delta: OnDelta,
    ) -> None:
        messages = question.messages
        chat: Any = self._connected(library, http).chat.completions.with_streaming_response
        clock, is_finished = _Clock.begun(gathered.bounds), False
        try:
            # A clock of our own beside the socket's: some endpoints send empty lines for as long as they compute.
            async with asyncio.timeout_at(clock.next_word()) as waiting:
                calling = chat.create(model=self._name, messages=messages, **question.options)
                async with calling as response, aclosing(response.http_response.aiter_raw()) as body:
                    self._expect_events(response.headers)
                    async for chunk in _chunks_in(body, gathered.bounds):
                        brought = gathered.take(chunk, on_delta)
                        account.came(gathered.streamed)
                        # guard: only pieces put off the end -> if not is_finished:
                        if brought and not is_finished:
                            is_finished = gathered.finish_reason is not None
                            waiting.reschedule(clock.next_word(is_finished=is_finished))
        except (TimeoutError, TooMuch, http.TimeoutException):
            if gathered.finish_reason is None:  # with one, the answer is whole, and what should follow is missing
                clock.expect_time_left()
                raise
        gathered.end(on_delta)

    def _connected(self, library: ModuleType, http: ModuleType) -> openai.AsyncOpenAI:
        if self._client is None:
            timeout = library.Timeout(
                connect=CONNECT_SECONDS, read=self._idle_seconds, write=WRITE_SECONDS, pool=self._idle_seconds
            )
            limits = http.Limits(
                max_connections=self._connections,
                max_keepalive_connections=0 if self._is_ours else self._connections,
                keepalive_expiry=KEEP_SECONDS,
            )
            url, parameters = taken_apart(self._base_url)
            self._client = library.AsyncOpenAI(
                base_url=url,
                default_query=parameters,
                default_headers={"api-key": self._key} if wants_its_own_key_header(url) else None,
                api_key=self._key,
                timeout=timeout,
                max_retries=0,
                http_client=library.DefaultAsyncHttpx2Client(
                    timeout=timeout,
                    limits=limits,
                    trust_env=not self._is_near,
                    headers={"Accept-Encoding": "identity"},  # a few bytes may stand for gigabytes otherwise
                    max_redirects=REDIRECTS,
                    event_hooks={"response": [refusals_are_bounded]},
                ),
            )
        return self._client

    def _expect_events(self, headers: Mapping[str, str]) -> None:
        """A web page means that the URL leads to a site and not to its API: no retry mends that."""
        if headers.get("content-type", "").startswith("text/html"):
            raise _NoEndpoint(
                execution_pb2.FAILURE_KIND_PERMANENT,
                f"{self._who()} answered with a web page: check the base URL (most end in /v1)",
            )
        if (encoding := headers.get("content-encoding", "").strip().lower()) not in _PLAIN:
            shown = self._secrets.without(encoding)[:_MAX_SHOWN_CHARS]
            raise ModelFailure.transient(
                f'{self._who()} answered in the encoding "{shown}", though it was asked for none'
            )

    def _remember(self, question: Question) -> None:
        for parameter in sorted(question.went_through()):
            log.warning("parameter_not_taken", parameter=parameter, model=self._name, endpoint=self.shown_url)

    # ---------------------------------------------------------------- failures

    def _failure(
        self, library: ModuleType, http: ModuleType, error: Exception, gathered: PartialAnswer
    ) -> ModelFailure:
        """What went wrong."""
        who = self._who()
        if isinstance(error, TooMuch):
            return ModelFailure.transient(f"{who} {error}: its answer was given up")
        if isinstance(error, library.APIStatusError):
            text = f"{who} answered {error.status_code}{self._said(error)}"
            return failure_of_status(error, text, self._key_name, self._clock)
        if isinstance(error, library.APITimeoutError | http.TimeoutException | TimeoutError):
            silence = f"{who} did not answer in time: nothing came for {gathered.bounds.idle:g} s"
            return ModelFailure.transient(silence) if gathered.has_begun else ModelFailure.outage(silence)
        if isinstance(error, library.APIConnectionError | http.HTTPError):
            said = self._said(error.__cause__ or error)
            if gathered.has_begun:
                return ModelFailure.transient(f"{who} broke off its answer{said}")
            return ModelFailure.outage(f"{who} could not be reached{said}")
        if isinstance(error, StreamFault | library.APIError):
            text = f"{who} reported an error{self._said(error)}"
            return failure_in_stream(error, text, has_begun=gathered.has_begun)
        return ModelFailure.transient(f"{who} sent what cannot be read{self._said(error)}")

    def _who(self) -> str:
        return f'model "{self._name}" at {self.shown_url}'

    def _said(self, error: BaseException | None) -> str:
        """The error's own words, on one line, bounded, without secrets: these first, for half a key is a secret too."""
        words = " ".join(self._secrets.without(str(error or "")).split())
        return f": {words[:_MAX_SHOWN_CHARS]}" if words else ""


class _NoEndpoint(ModelFailure):
    """What answered is no model, and bills nothing."""


def _never_arrived(http: ModuleType, error: Exception) -> bool:
    """Whether the endpoint has not even got the question."""
    causes = error, error.__cause__
    return any(isinstance(cause, http.ConnectError | http.ConnectTimeout | http.PoolTimeout) for cause in causes)


def _was_read_to_its_end(http: ModuleType, error: Exception) -> bool:
    """Whether all that the endpoint sent was read: it broke off, or said itself that something went wrong."""
    causes = error, error.__cause__
    return any(isinstance(cause, StreamFault | http.RemoteProtocolError) for cause in causes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """How long an answer is waited for; all on the event loop's clock."""

    idle: float
    seconds: float
    deadline: float

    @classmethod
    def begun(cls, bounds: Bounds) -> _Clock:
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


async def _chunks_in(body: AsyncIterator[bytes], bounds: Bounds) -> AsyncGenerator[Any, None]:
    """The chunks in a body. Raises StreamFault for one that tells of an error, ValueError and TooMuch."""
    events, now = Events(bounds), asyncio.get_running_loop().time
    turn = now()
    whole: WholeBody | None = None
    async for piece in body:
        if whole is None and piece.strip():
            whole = WholeBody.begun_by(piece, bounds)
        if whole is not None and whole.is_it:
            whole.add(piece)
            continue
        for data in events.feed(piece):
            if data.startswith(b"[DONE]"):
                await _drained(body)
                return
            for number, portion in enumerate(portions(_chunk_of(data))):
                if number:  # a large one: others get their turn
                    await asyncio.sleep(0)
                yield portion
        if now() - turn > TURN_SECONDS:  # what has come already never waits
            await asyncio.sleep(0)
            turn = now()
    ending = [whole.data] if whole is not None and whole.is_it else events.end()
    for data in ending:
        for portion in portions(_chunk_of(data)):
            yield portion
            await asyncio.sleep(0)


def _chunk_of(data: bytes) -> Any:
    chunk = parse_json(data)
    if (fault := fault_in(chunk)) is not None:
        raise StreamFault.of(fault)
    return chunk


async def _drained(body: AsyncIterator[bytes]) -> None:
    """Reads the end of a body, so that its connection can be used again; an endless one is left alone."""
    read = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for piece in body:
                read += len(piece)
                if read > DRAIN_BYTES:
                    return


def _libraries() -> tuple[ModuleType, ModuleType]:
    """The client, and the library below it."""
    return importlib.import_module("openai"), importlib.import_module("httpx2")


def checked_url(base_url: str, name: str = "OPENAI_BASE_URL") -> str:
    """The URL. Raises ConfigurationError when it is none, with the setting's name and without user and password."""
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        shown = base_url.rpartition("@")[2].partition("?")[0]
        raise ConfigurationError(f'{name}: expected a URL such as {DEFAULT_BASE_URL}, but got "{shown}"')
    return base_url


def _checked_key(key: str, name: str) -> str:
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError(f"{name}: expected printable ASCII characters, but got something else")
    return key
