"""A model server that keeps the true bill: the tokens that a provider charges, even when it reports others.

    async with BillingServer({"plain": always(Answer(text=PROSE))}) as server:
        ...
        server.bill("plain").output   # tokens

A prompt is billed when it was read and is answered with 200. A token of the answer, reasoning or text, is billed when
it was written to the socket, even if the client has hung up. A refused request costs nothing. Each model has a script,
a bill and a valve of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from tests.support.servers.model_server import NONCE, ModelServer, Recorded, Reply, chunk_of, nonce_in
from tests.support.servers.tokens import tokens_of

_AROUND_MESSAGE, _AROUND_PROMPT = 4, 3  # tokens of a template


@dataclass(slots=True, kw_only=True)
class Bill:
    """Tokens that a provider charges for."""

    requests: int = 0
    prompt: int = 0
    cached: int = 0  #: of `prompt`
    output: int = 0
    reasoning: int = 0  #: of `output`

    def __add__(self, other: Bill) -> Bill:
        return Bill(
            requests=self.requests + other.requests,
            prompt=self.prompt + other.prompt,
            cached=self.cached + other.cached,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
        )


@dataclass(slots=True, kw_only=True)
class Line(Bill):
    """The cost of one request so far."""

    model: str
    is_open: bool = True
    broke: bool = False  #: it was cut off, or the client has hung up


Report = Callable[[Line], Mapping[str, Any] | None]  # returns the `usage` of an answer; None: it has none


def exactly(line: Line) -> Mapping[str, Any]:
    """Reports all of the bill."""
    return {
        "prompt_tokens": line.prompt,
        "completion_tokens": line.output,
        "total_tokens": line.prompt + line.output,
        "prompt_tokens_details": {"cached_tokens": line.cached},
        "completion_tokens_details": {"reasoning_tokens": line.reasoning},
    }


def thought_in_total_only(line: Line) -> Mapping[str, Any]:
    """Reports parts that do not add up to the total."""
    said = line.output - line.reasoning
    return {"prompt_tokens": line.prompt, "completion_tokens": said, "total_tokens": line.prompt + line.output}


def without_thought(line: Line) -> Mapping[str, Any]:
    """Reports less than was billed: none of the reasoning."""
    said = line.output - line.reasoning
    return {"prompt_tokens": line.prompt, "completion_tokens": said, "total_tokens": line.prompt + said}


def nothing(_: Line) -> None:
    """Reports nothing: the endpoint counts no tokens."""


class Valve:
    """A valve that holds streams back after a number of tokens until it is turned; None: nothing is held."""

    def __init__(self) -> None:
        self._most: int | None = None
        self._changed = asyncio.Condition()
        self._waiting = 0

    async def turn(self, most: int | None) -> None:
        """Lets each stream have so many tokens."""
        async with self._changed:
            self._most = most
            self._changed.notify_all()

    async def passes(self, tokens: int) -> None:
        """Returns when a stream may have so many."""
        async with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                await self._changed.wait_for(lambda: self._most is None or tokens <= self._most)
            finally:
                self._waiting -= 1

    async def holds(self, streams: int = 1) -> None:
        """Returns when so many streams have written all they may and wait here."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting >= streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A model's answer to one request, with the faults on its way."""

    text: str
    thought: str = ""  #: reasoning that is streamed before the text
    hidden: int = 0  #: tokens of reasoning that are never streamed
    cached: int = 0  #: tokens of the prompt that are read from a cache
    report: Report = exactly
    reports_after: int | None = None  #: pieces, after which the counts so far are reported once more
    cut_after: int | None = None  #: pieces, after which the connection breaks
    silent_after: int | None = None  #: pieces, after which nothing more comes
    held: bool = False  #: by the valve of the model
    pause: float = 0.0  #: seconds before each piece: a slow model
    tokens_a_piece: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as a script sees it."""

    request: Recorded
    number: int  #: 1 for the first of its kind: of a model's executors, or of its judges
    is_judge: bool
    nonce: str

    @property
    def prompt(self) -> str:
        return str(self.request.body["messages"][-1]["content"])


Script = Callable[[Asked], Answer | Reply]


def always(answer: Answer) -> Script:
    return lambda _: answer


def tokens_of_prompt(body: Mapping[str, Any]) -> int:
    """Returns the tokens that a provider counts for a request: messages, the template around them, and the schema."""
    messages = [str(message["content"]) for message in body["messages"]]
    form = body.get("response_format")
    schema = len(tokens_of(json.dumps(form))) if form else 0
    return sum(len(tokens_of(content)) + _AROUND_MESSAGE for content in messages) + _AROUND_PROMPT + schema


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a stream, and its tokens on the bill."""

    content: bytes
    tokens: int = 0
    thought: int = 0


class _Billed:
    """Puts an answer on the bill while it is written to the socket."""

    def __init__(self, answer: Answer, line: Line, valve: Valve, changed: Callable[[], None]) -> None:
        self._answer, self._line, self._valve, self._changed = answer, line, valve, changed
        self.pieces = list(_pieces_of(answer, line))[: answer.cut_after]
        self._written = 0

    async def before(self, number: int) -> None:
        if self._answer.silent_after is not None and number >= self._answer.silent_after:
            await asyncio.Event().wait()
        if self._answer.held and self.pieces[number].tokens:
            await self._valve.passes(self._written + self.pieces[number].tokens)
        await asyncio.sleep(self._answer.pause)

    def after(self, number: int) -> None:
        piece = self.pieces[number]
        self._line.output += piece.tokens
        self._line.reasoning += piece.thought
        self._written += piece.tokens
        self._changed()

    def ended(self, *, hung_up: bool) -> None:
        self._line.is_open = False
        self._line.broke = hung_up or self._answer.cut_after is not None
        self._changed()


def _pieces_of(answer: Answer, line: Line) -> Iterator[_Piece]:
    """Yields the whole stream, before it is cut."""
    so_far = replace(line)
    first = _Piece(_event(chunk_of({"role": "assistant", "content": ""})), answer.hidden, answer.hidden)
    for number, piece in enumerate((first, *_said(answer)), start=0):
        yield piece
        so_far.output, so_far.reasoning = so_far.output + piece.tokens, so_far.reasoning + piece.thought
        if number == answer.reports_after:
            yield _usage(answer.report(so_far))
    yield _Piece(_event(chunk_of({}, "stop")))
    yield _usage(answer.report(so_far))
    yield _Piece(b"data: [DONE]\n\n")


def _said(answer: Answer) -> Iterator[_Piece]:
    for key, text in (("reasoning_content", answer.thought), ("content", answer.text)):
        tokens = tokens_of(text)
        for at in range(0, len(tokens), answer.tokens_a_piece):
            part = tokens[at : at + answer.tokens_a_piece]
            thought = len(part) if key == "reasoning_content" else 0
            yield _Piece(_event(chunk_of({key: "".join(part)})), len(part), thought)


def _usage(counts: Mapping[str, Any] | None) -> _Piece:
    return _Piece(_event({**chunk_of({}), "choices": [], "usage": counts}) if counts else b": not counted\n\n")


def _event(chunk: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


class BillingServer:
    """A server that answers requests by the script of their model."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._scripts = dict(scripts)
        self._server = ModelServer(self._reply)
        self._asked = Counter[tuple[str, bool]]()
        self._valves: dict[str, Valve] = {}
        self._watching: set[asyncio.Event] = set()
        self.lines: list[Line] = []
        self.requests = Counter[str]()  #: by model, refused ones too

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        return self._server.base_url

    def script(self, model: str, script: Script) -> None:
        """Changes the answers to the next requests to a model."""
        self._scripts[model] = script

    def valve(self, model: str) -> Valve:
        return self._valves.setdefault(model, Valve())

    def lines_of(self, model: str) -> list[Line]:
        return [line for line in self.lines if line.model == model]

    def bill(self, model: str) -> Bill:
        return sum(self.lines_of(model), start=Bill())

    async def until(self, holds: Callable[[Sequence[Line]], bool], within: float = 60.0) -> None:
        """Returns when the bill fulfils a condition."""
        changed = asyncio.Event()
        self._watching.add(changed)
        try:
            async with asyncio.timeout(within):
                while not holds(self.lines):
                    changed.clear()
                    await changed.wait()
        finally:
            self._watching.discard(changed)

    def _has_changed(self) -> None:
        for changed in self._watching:
            changed.set()

    def _reply(self, request: Recorded) -> Reply:
        model, prompt = request.body["model"], str(request.body["messages"][-1]["content"])
        is_judge = "# Criteria" in prompt
        self._asked[model, is_judge] += 1
        self.requests[model] += 1
        asked = Asked(request=request, number=self._asked[model, is_judge], is_judge=is_judge, nonce=nonce_in(prompt))
        answer = self._scripts[model](asked)
        if isinstance(answer, Reply):
            return answer
        return self._billed(replace(answer, text=answer.text.replace(NONCE, asked.nonce)), request)

    def _billed(self, answer: Answer, request: Recorded) -> Reply:
        model = request.body["model"]
        line = Line(model=model, requests=1, prompt=tokens_of_prompt(request.body), cached=answer.cached)
        self.lines.append(line)
        billed = _Billed(answer, line, self.valve(model), self._has_changed)
        return Reply(
            headers={"Content-Type": "text/event-stream"},
            pieces=[piece.content for piece in billed.pieces],
            aborts=answer.cut_after is not None,
            writing=billed,
        )
