"""Endpoints of models that misbehave, each in one way, and then answer honestly.

Each attempt ends in time as a typed failure that says what was wrong, or with the honest part of the answer; the event
loop is never held for long, memory is bounded, no key gets out, and the next question is answered.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from signoff.v1 import execution_pb2
from tests.support.longest_turn import longest_turns
from tests.support.servers.model_server import without_proxies
from tests.support.work.givens import Heard, task, to_execute
from worker_svc.assignment import CandidateResult, FailureResult, Result
from worker_svc.executor import Executor
from worker_svc.llm.openai.bounds import Bounds
from worker_svc.llm.openai.model import OpenAIModel

KEY = "sk-very-secret-0123456789"
WITHIN = 30.0  # seconds for each; most take a fraction of one
LONGEST_TURN = 0.5  # seconds of CPU: catches the gross; the collector alone takes a quarter, in a process of many tests
MORE_MEMORY = 200 * 1024  # KiB
BOUNDS = Bounds(chars=100_000, blanks=5_000, events=20_000, event_bytes=1024**2, body_bytes=8 * 1024**2, seconds=15.0)
IDLE, SILENT = 5.0, 0.5  # seconds between two pieces: of who sends much, and of who sends nothing

TRANSIENT, PERMANENT = execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT
TOO_SMALL = execution_pb2.FAILURE_KIND_TOO_SMALL
OUTAGE = execution_pb2.FAILURE_KIND_OUTAGE

Write = Callable[[bytes], Awaitable[None]]
Rogue = Callable[[Write], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


HONEST = event({"content": "Mars"}) + event(finish="stop") + b"data: [DONE]\n\n"


@asynccontextmanager
async def endpoint(rogue: Rogue) -> AsyncIterator[str]:
    """Yields the base URL of a server that is rogue to the first question, and honest to all others."""
    numbers, tasks = count(), set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            await reader.readuntil(b"\r\n\r\n")
            await (rogue(write) if next(numbers) == 0 else write(HEAD + HONEST))
            writer.write_eof()
        except (ConnectionError, OSError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close() if not writer.transport.get_write_buffer_size() else writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/v1"
    finally:
        server.close()
        for serving in tasks:
            serving.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def forever(piece: bytes, *, head: bytes = HEAD, pause: float = 0.0) -> Rogue:
    async def rogue(write: Write) -> None:
        await write(head)
        while True:
            await write(piece)
            await asyncio.sleep(pause)

    return rogue


def once(*pieces: bytes, stays: bool = False) -> Rogue:
    async def rogue(write: Write) -> None:
        for piece in pieces:
            await write(piece)
        if stays:
            await asyncio.Event().wait()

    return rogue


def chunked(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def status(line: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {line}", *headers, "Connection: close", "", "")).encode()


CHUNKED = status("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
BOMB = gzip.compress(b"x" * 50_000_000)
KEY_IN_UNICODE = "".join(f"\\u{ord(character):04x}" for character in KEY).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way to misbehave, and the texts of the failure; "|" separates alternatives."""

    rogue: Rogue
    says: str
    kind: execution_pb2.FailureKind.ValueType = TRANSIENT
    seconds: float = BOUNDS.seconds

    @property
    def idle(self) -> float:
        return SILENT if not self.says or self.says.startswith("nothing came") else IDLE


CASES = {
    "text without end": Case(
        rogue=forever(event({"content": "blah " * 99}) * 9), says="more than 100000 characters of text"
    ),
    "thinking without end": Case(
        rogue=forever(event({"reasoning_content": "hmm " * 99}) * 9), says="more than 100000 characters of thinking"
    ),
    "thinking by another name": Case(
        rogue=forever(event({"reasoning": "hmm " * 500})), says="more than 100000 characters of thinking"
    ),
    "white space without end": Case(rogue=forever(event({"content": " \n\t"}) * 50), says="nothing but white space"),
    "white space in thinking": Case(rogue=forever(event({"reasoning": "\n"}) * 50), says="nothing but white space"),
    "empty chunks without end": Case(rogue=forever(event() * 50), says="more than 20000 events|nothing came"),
    "empty chunks, slowly": Case(rogue=forever(event(), pause=0.05), says="nothing came for 0.5 s"),
    "chunks without choices": Case(rogue=forever(b'data: {"choices": []}\n\n', pause=0.05), says="nothing came"),
    "comments, slowly": Case(
        kind=OUTAGE, rogue=forever(b": still here\n\n", pause=0.05), says="nothing came for 0.5 s"
    ),
    "comments, fast": Case(rogue=forever(b": still here\n" * 1000), says="sent more than 8388608 bytes|nothing came"),
    "empty lines": Case(rogue=forever(b"\n" * 10_000), says="more than 20000 events|nothing came"),
    "a line without end": Case(rogue=forever(b"x" * 65_536), says="an event of more than 1048576 bytes"),
    "a line of data without end": Case(
        rogue=forever(b"x" * 65_536, head=HEAD + b'data: {"a": "'), says="an event of more than 1048576 bytes"
    ),
    "an event of lines without end": Case(
        rogue=forever(b"data: 1\n" * 5_000), says="an event of more than 1048576 bytes"
    ),
    "names of fields without end": Case(
        rogue=forever(b"id: 1\r\n" * 9_000), says="sent more than 8388608 bytes|nothing came"
    ),
    "a letter now and then": Case(
        rogue=forever(event({"content": "a"}), pause=0.1), says="had not ended its answer after 2", seconds=2.0
    ),
    "tools without end": Case(
        rogue=forever(event({"tool_calls": [{"function": {"name": "x" * 2_000}}]}) * 9),
        says="sent more than 8388608 bytes",
    ),
    "a refusal without end": Case(
        rogue=forever(event({"refusal": "no " * 999}) * 9), says="sent more than 8388608 bytes"
    ),
    "tiny chunks of a body": Case(kind=OUTAGE, rogue=forever(chunked(b":") * 3000, head=CHUNKED), says="nothing came"),
    "a chunk that never ends": Case(
        rogue=forever(b"x" * 65_536, head=CHUNKED + b"FFFFFFFFFF\r\n"), says="an event of more than"
    ),
    "headers without end": Case(
        kind=OUTAGE, rogue=forever(b"X-More: " + b"y" * 500 + b"\r\n", head=b"HTTP/1.1 200 OK\r\n"), says=""
    ),
    "headers, slowly": Case(
        kind=OUTAGE,
        rogue=forever(b"X-More: y\r\n", head=b"HTTP/1.1 200 OK\r\n", pause=0.05),
        says="nothing came for 0.5 s",
    ),
    "continue without end": Case(kind=OUTAGE, rogue=forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, head=b""), says=""),
    "an error without end": Case(
        kind=OUTAGE,
        rogue=forever(b"x" * 65_536, head=status("500 Oops", "Content-Type: text/plain")),
        says="answered 500",
    ),
    "an error without end, in JSON": Case(
        rogue=forever(b"[" * 65_536, head=status("401 No", "Content-Type: application/json")),
        says="answered 401",
        kind=PERMANENT,
    ),
    "a packed answer": Case(
        rogue=once(status("200 OK", "Content-Type: text/event-stream", "Content-Encoding: gzip"), BOMB),
        says='in the encoding "gzip"',
    ),
    "a packed error": Case(
        kind=OUTAGE,
        rogue=once(status("503 Busy", "Content-Type: application/json", "Content-Encoding: gzip"), BOMB),
        says="answered 503",
    ),
    "redirects without end": Case(
        rogue=once(status("307 Go", "Location: /v1/chat/completions")),
        says="",
    ),
    "silence": Case(kind=OUTAGE, rogue=once(stays=True), says="nothing came for 0.5 s"),
    "silence after the head": Case(kind=OUTAGE, rogue=once(HEAD, stays=True), says="nothing came for 0.5 s"),
    "an end at once": Case(kind=OUTAGE, rogue=once(), says="could not be reached"),
    "what is no HTTP": Case(kind=OUTAGE, rogue=once(b"\x00\xffSSH-2.0-OpenSSH\r\n" * 100), says="could not be reached"),
    "a length below zero": Case(
        kind=OUTAGE, rogue=once(status("200 OK", "Content-Length: -5")), says="could not be reached"
    ),
    "no content": Case(rogue=once(status("204 No Content")), says="without a finish_reason"),
    "an event that is nested deeply": Case(
        rogue=once(HEAD, b"data: " + b"[" * 900_000 + b"\n\n"), says="cannot be read"
    ),
    "an event with many choices": Case(
        rogue=once(HEAD, b'data: {"choices": [' + b"{}," * 300_000 + b"{}]}\n\n", event(finish="length")),
        says="limit of output tokens",
        kind=TOO_SMALL,
    ),
    "a number without end": Case(rogue=once(HEAD, b"data: " + b"1" * 900_000 + b"\n\n"), says="cannot be read"),
    "NaN": Case(rogue=once(HEAD, b'data: {"choices": NaN}\n\n'), says="cannot be read"),
    "usage that no model has": Case(
        rogue=once(HEAD, event(usage={"prompt_tokens": 10**30, "completion_tokens": -1}, finish="length")),
        says="limit of output tokens",
        kind=TOO_SMALL,
    ),
    "half a character": Case(
        rogue=once(HEAD, b'data: {"choices": [{"delta": {"content": "\\ud83d"}, "finish_reason": "stop"}]}\n\n'),
        says="broken text",
    ),
    "an error that is a list": Case(
        kind=OUTAGE, rogue=once(HEAD, b'data: {"error": [1, 2]}\n\n'), says="reported an error"
    ),
    "an error of megabytes": Case(
        kind=OUTAGE,
        rogue=once(HEAD, b'data: {"error": {"message": "' + b"no " * 300_000 + b'", "code": []}}\n\n'),
        says="no no no",
    ),
    "an error of megabytes, in one JSON, to be searched": Case(
        kind=OUTAGE,
        rogue=once(
            status("200 OK", "Content-Type: application/json"),
            b'{"error": {"message": "' + b"%41" * 2_500_000 + b'"}}',
        ),
        says="reported an error: %41%41",
    ),
    "the key, escaped, in an error": Case(
        rogue=once(
            status("400 No", "Content-Type: application/json"), b'{"error": {"message": "' + KEY_IN_UNICODE + b'"}}'
        ),
        says="[secret]",
        kind=PERMANENT,
    ),
    "the key in the name of a tool": Case(
        rogue=once(HEAD, event({"tool_calls": [{"function": {"name": KEY}}]}), event(finish="stop")), says="[secret]"
    ),
    "the key in a refusal, in two pieces": Case(
        rogue=once(HEAD, event({"refusal": KEY[:9]}), event({"refusal": KEY[9:]}), event(finish="stop")),
        says="[secret]",
        kind=PERMANENT,
    ),
    "the key in hex, as the reason of the status": Case(
        rogue=once(
            status(f"418 {KEY.encode().hex()}", "Content-Type: text/plain"), KEY.encode().hex().upper().encode()
        ),
        says="answered 418",
        kind=PERMANENT,
    ),
}

WHOLE = {
    "no end after the finish_reason": once(HEAD, event({"content": "Venus"}), event(finish="stop"), stays=True),
    "chunks after the finish_reason": forever(event(), head=HEAD + event({"content": "Venus"}) + event(finish="stop")),
    "no end after [DONE]": once(
        HEAD, event({"content": "Venus"}), event(finish="stop"), b"data: [DONE]\n\n", stays=True
    ),
    "bytes after [DONE]": forever(
        b"x" * 65_536, head=HEAD + event({"content": "Venus"}) + event(finish="stop") + b"data: [DONE]\n\n"
    ),
    "usage without end": forever(
        event(usage={"prompt_tokens": 3, "completion_tokens": 2}) * 50,
        head=HEAD + event({"content": "Venus"}) + event(finish="stop"),
    ),
    "ends of lines of all kinds": once(
        HEAD,
        (event({"content": "Ve"}) + event({"content": "nus"})).replace(b"\n", b"\r"),
        event(finish="stop").replace(b"\n", b"\r\n"),
        b": bye\n\n",
    ),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    monkeypatch.setattr("worker_svc.llm.openai.bounds.AFTER_FINISH", 0.3)


async def asked(rogue: Rogue, idle: float = IDLE, seconds: float = BOUNDS.seconds) -> tuple[Result, Result, Heard]:
    """Returns the outcome of the rogue answer, and of the honest one after it."""
    bounds = replace(BOUNDS, seconds=seconds)
    async with endpoint(rogue) as base_url:
        model = OpenAIModel("planet-7b", base_url=base_url, api_key=KEY, idle_seconds=idle, bounds=bounds)
        executor, report = Executor(model), Heard()
        try:
            async with asyncio.timeout(WITHIN):
                first = await executor(to_execute(task("Markdown")), report)
                return first, await executor(to_execute(task("Markdown")), Heard()), report
        finally:
            await executor.close()


@pytest.mark.parametrize("name", CASES)
async def test_an_endpoint_that_misbehaves_costs_one_attempt_and_nothing_else(name: str) -> None:
    case, memory = CASES[name], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with longest_turns() as turns:
        failed, honest, report = await asked(case.rogue, case.idle, case.seconds)
    if name == "redirects without end":
        assert isinstance(failed, CandidateResult)  # the second answer is the honest one
    else:
        assert isinstance(failed, FailureResult), failed
        assert (failed.kind, any(says in failed.message for says in case.says.split("|"))) == (case.kind, True), failed
        assert len(failed.message) < 2_000
    assert isinstance(honest, CandidateResult)
    assert honest.content == b"Mars"
    for written in (KEY, KEY.encode().hex(), KEY_IN_UNICODE.decode()):
        assert written not in repr((failed, report)).lower()
    assert turns.longest < LONGEST_TURN, turns.story()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MORE_MEMORY


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_that_is_whole_counts_whatever_comes_after_it(name: str) -> None:
    made, honest, _ = await asked(WHOLE[name])
    assert isinstance(made, CandidateResult), made
    assert isinstance(honest, CandidateResult)
    assert (made.content, honest.content) == (b"Venus", b"Mars")
