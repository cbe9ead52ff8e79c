"""A scripted model server: an OpenAI-compatible endpoint on loopback that follows a test's script.

    async with ModelServer(status(500), streams("Hello", " world")) as server:
        ...  # the first request fails, the second and all later ones are answered

It speaks plain HTTP/1.1, one request a connection, and records each request and whether the client hung up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import pytest

_EVENTS = "text/event-stream"
NONCE = "<the nonce that was asked for>"  #: in an answer: is replaced by the nonce of the request
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def nonce_in(prompt: str) -> str:
    """Returns the nonce at the end of a judge's prompt."""
    return prompt.rpartition('"')[2]


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes proxies from the environment, so that requests to loopback stay on this machine."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)


@dataclass(slots=True, kw_only=True)
class Recorded:
    """A request, as it came, and whether its client hung up."""

    path: str
    headers: Mapping[str, str]  #: names in lower case
    body: dict[str, Any]
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)  #: the client closed before the answer was complete
    hung_up_at: float = 0.0  #: on the event loop's clock


class Writing(Protocol):
    """A listener that hears of the pieces of a reply, and may hold them back."""

    async def before(self, number: int) -> None:
        """Returns when the piece may be written."""

    def after(self, number: int) -> None:
        """Hears that the piece has been written to the socket."""

    def ended(self, *, hung_up: bool) -> None:
        """Hears that nothing more is written. `hung_up`: the client went before the last piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply of the server, with its faults."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    pause: float = 0.0  #: seconds before each piece but the first
    stalls: bool = False  #: after the last piece, waits until the client hangs up
    pings: bool = False  #: after the last piece, sends comments until the client hangs up
    aborts: bool = False  #: announces more than it sends, then closes
    mute: bool = False  #: sends nothing at all, and waits until the client hangs up
    writing: Writing | None = None


Script = Reply | Callable[[Recorded], Reply]  # the same answer always, or one that depends on the request


def streams(
    *texts: str,
    finish: str | None = "stop",
    usage: tuple[int, int] | None = (11, 7),
    reasoning: Mapping[str, str] | None = None,
) -> Reply:
    """Streams an answer. `reasoning` is a first delta of its own; `finish` None leaves the finish_reason out."""
    chunks = [chunk_of({"role": "assistant", "content": ""})]
    chunks += [chunk_of(dict(reasoning))] if reasoning else []
    chunks += [chunk_of({"content": text}) for text in texts]
    chunks += [chunk_of({}, finish)] if finish else []
    if usage:
        prompt, completion = usage
        counted = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        chunks.append({**chunk_of({}), "choices": [], "usage": counted})
    pieces = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Reply(headers={"Content-Type": _EVENTS}, pieces=[*pieces, b"data: [DONE]\n\n"])


def cut_off(*texts: str) -> Reply:
    """Streams an answer that ends in the middle, without finish_reason, [DONE] or an error."""
    whole = streams(*texts, finish=None, usage=None)
    return Reply(headers=whole.headers, pieces=whole.pieces[:-1])


def aborted(*texts: str) -> Reply:
    """Streams an answer whose connection breaks in the middle."""
    return Reply(headers={"Content-Type": _EVENTS}, pieces=cut_off(*texts).pieces, aborts=True)


def stalled(*texts: str) -> Reply:
    """Streams an answer that falls silent and stays open."""
    return Reply(headers={"Content-Type": _EVENTS}, pieces=cut_off(*texts).pieces, stalls=True)


def pinging(*texts: str) -> Reply:
    """Streams an answer, and then only signs of life."""
    return Reply(headers={"Content-Type": _EVENTS}, pieces=cut_off(*texts).pieces, pings=True)


def slow(*texts: str, pause: float) -> Reply:
    """Streams a whole answer with `pause` seconds between its pieces."""
    whole = streams(*texts)
    return Reply(headers=whole.headers, pieces=whole.pieces, pause=pause)


def calls_tool(name: str, *texts: str, finish: str = "tool_calls") -> Reply:
    """Streams an answer that calls a tool, after some text."""
    call = {"index": 0, "id": "call", "type": "function", "function": {"name": name, "arguments": "{}"}}
    said = [chunk_of({"content": text}) for text in texts]
    return events(*said, chunk_of({"tool_calls": [call]}), chunk_of({}, finish))


def refuses(text: str) -> Reply:
    """Streams a refusal in place of an answer."""
    return events(chunk_of({"refusal": text}), chunk_of({}, "stop"))


def malformed() -> Reply:
    """Streams text that is not JSON."""
    return Reply(headers={"Content-Type": _EVENTS}, pieces=[b'data: {"choices": [{"delta"\n\n', b"data: [DONE]\n\n"])


def events(*values: Any) -> Reply:
    """Streams any JSON values, sensible or not."""
    pieces = [f"data: {json.dumps(value)}\n\n".encode() for value in values]
    return Reply(headers={"Content-Type": _EVENTS}, pieces=[*pieces, b"data: [DONE]\n\n"])


def web_page() -> Reply:
    return Reply(headers={"Content-Type": "text/html; charset=utf-8"}, pieces=[b"<html>Welcome!</html>"])


def status(
    code: int, message: str = "as scripted", *, error_code: str = "", error: Any = None, **headers: str
) -> Reply:
    """Answers with an error. `Retry_After="7"` sets the header Retry-After; `error` replaces the whole body."""
    error = error or {"error": {"message": message, "type": "scripted", "code": error_code or None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=code, headers={"Content-Type": "application/json", **named}, pieces=[json.dumps(error).encode()]
    )


def refusing(parameter: str, value: str, then: Reply) -> Script:
    """Answers 400 to requests whose JSON of `parameter` contains `value`, and `then` to the others."""

    def reply(request: Recorded) -> Reply:
        stated = json.dumps(request.body.get(parameter)) if parameter in request.body else ""
        return status(400, f"unsupported parameter: {parameter}") if value in stated and stated else then

    return reply


def chunk_of(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """Returns a chunk with a delta."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [choice]}


class ModelServer:
    """The server. It uses its scripts in turn, and the last one for all further requests."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts) or [streams("ok")]
        self._server: asyncio.Server | None = None
        self._open = 0
        self.most_at_once = 0  #: connections
        self.requests: list[Recorded] = []
        self.base_url = ""

    def script(self, *scripts: Script) -> None:
        """Changes the answers to the next requests."""
        self._scripts = list(scripts)

    async def __aenter__(self) -> ModelServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.base_url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            request = await _read_request(reader)
            self.requests.append(request)
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            await _write_reply(script if isinstance(script, Reply) else script(request), request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone: the request, if there was one, says so
        finally:
            self._open -= 1
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Recorded:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Recorded(path=first.split()[1], headers=headers, body=json.loads(body or b"{}"))


async def _write_reply(
    reply: Reply, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    if reply.mute:
        await _until_gone(reader, writer, ping=None)
        return
    headers = {"Connection": "close", **reply.headers}
    if reply.aborts:
        headers["Content-Length"] = str(sum(map(len, reply.pieces)) + 1)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{head}\r\n".encode())
    nonce = nonce_in(str((request.body.get("messages") or [{}])[-1].get("content", "")))
    pieces = [piece.replace(NONCE.encode(), nonce.encode()) for piece in reply.pieces]
    if reply.writing is not None:
        await _write_pieces(pieces, reply.writing, request, reader, writer)
        return
    for number, piece in enumerate(pieces):
        await asyncio.sleep(reply.pause if number else 0)
        writer.write(piece)
        await writer.drain()
    if reply.stalls or reply.pings:
        await _until_gone(reader, writer, ping=0.01 if reply.pings else None)
        request.hung_up_at = asyncio.get_running_loop().time()
        request.hung_up.set()


async def _write_pieces(
    pieces: Sequence[bytes],
    writing: Writing,
    request: Recorded,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Writes each piece when the listener lets it, until the client hangs up."""
    gone = asyncio.create_task(reader.read())
    try:
        for number, piece in enumerate(pieces):
            allowed = asyncio.ensure_future(writing.before(number))
            await asyncio.wait([allowed, gone], return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                allowed.cancel()
                request.hung_up.set()
                return
            writer.write(piece)
            await writer.drain()
            writing.after(number)
    except ConnectionError:
        request.hung_up.set()
        raise
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        writing.ended(hung_up=request.hung_up.is_set())


async def _until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ping: float | None) -> None:
    """Returns when the client hangs up; sends a comment every `ping` seconds until then."""
    gone = asyncio.create_task(reader.read())
    while not gone.done():
        await asyncio.wait([gone], timeout=ping)
        if ping is not None and not gone.done():
            writer.write(b": still here\n\n")
