"""Translates the dialects of endpoints into OpenAI's chat completions.

Every function takes any JSON value, of any form. docs/reference/endpoints.md has the table of dialects; each of its
rows has a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

MOST_ENTRIES = 8  # of a list in a chunk: one choice was asked for
MOST_PARTS = 10_000  # of one content

WHOLE, STOPPED_AT_LIMIT, FILTERED, FAULT, CALLED_A_TOOL = "stop", "length", "content_filter", "error", "tool_calls"
#: The words of endpoints for the end of an answer, in small letters. After any other word, it may not be whole.
_FINISHES = {
    "stop": WHOLE,
    "eos": WHOLE,
    "eos_token": WHOLE,
    "end_turn": WHOLE,
    "stop_sequence": WHOLE,
    "complete": WHOLE,
    "completed": WHOLE,
    "finish_reason_stop": WHOLE,
    "length": STOPPED_AT_LIMIT,
    "content_filter": FILTERED,
    "error": FAULT,
    "tool_calls": CALLED_A_TOOL,
    "tool_use": CALLED_A_TOOL,
    "function_call": CALLED_A_TOOL,
    "max_tokens": STOPPED_AT_LIMIT,
    "max_output_tokens": STOPPED_AT_LIMIT,
    "model_length": STOPPED_AT_LIMIT,
    "model_context_window_exceeded": STOPPED_AT_LIMIT,
    "safety": FILTERED,
    "recitation": FILTERED,
    "blocklist": FILTERED,
    "prohibited_content": FILTERED,
    "sensitive": FILTERED,
    "refusal": FILTERED,
    "insufficient_system_resource": FAULT,
    "network_error": FAULT,
    "abort": FAULT,
}
_ABOUT_A_FAULT = ("message", "msg", "detail", "error_msg")
_AZURE = (".azure.com", ".azure.us", ".azure.cn")
_CALL = "/chat/completions"


def entry(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def items(value: object) -> list[Any]:
    return value[:MOST_ENTRIES] if isinstance(value, list) else []


def text(part: object, name: str) -> str:
    value = entry(part, name)
    return value if isinstance(value, str) else ""


# ---------------------------------------------------------------- chunks


def standard_chunk(chunk: Any) -> Any:
    """Rewrites a chunk, so that its choices have a `delta` with plain texts.

    A whole answer comes as a `message`. It is marked as `whole`, for some endpoints send it after all its pieces.
    """
    for choice in items(entry(chunk, "choices")):
        if not isinstance(choice, dict):
            continue
        delta = entry(choice, "delta")
        if not isinstance(delta, dict) or not any(delta.values()):
            message = entry(choice, "message")
            delta = {**message, "whole": True} if isinstance(message, dict) else {}
            if delta and not entry(choice, "finish_reason"):
                choice["finish_reason"] = "stop"
            if not delta and text(choice, "text"):  # of a completion
                delta = {"content": choice["text"]}
        if isinstance(delta.get("content"), list):
            delta = {**delta, **_joined(delta["content"])}
        choice["delta"] = delta
    return chunk


def _joined(parts: list[Any]) -> dict[str, str]:
    """Joins the parts of a content that is a list, each kind by itself."""
    found: dict[str, list[str]] = {"content": [], "reasoning_content": [], "refusal": []}
    for kind, said in _parts(parts):
        found[kind].append(said)
    return {kind: "".join(said) for kind, said in found.items() if said or kind == "content"}


def _parts(parts: list[Any]) -> Iterator[tuple[str, str]]:
    for part in parts[:MOST_PARTS]:
        if isinstance(part, str):
            yield "content", part
        elif entry(part, "type") in ("thinking", "reasoning"):
            inside = entry(part, "thinking") or entry(part, "reasoning") or entry(part, "text")
            for piece in inside if isinstance(inside, list) else [inside]:
                yield "reasoning_content", piece if isinstance(piece, str) else text(piece, "text")
        elif entry(part, "type") == "refusal":
            yield "refusal", text(part, "refusal")
        else:
            yield "content", text(part, "text")


def finish_of(reason: str) -> str:
    """Returns OpenAI's word for the end of an answer, or else the endpoint's own."""
    return _FINISHES.get(reason.lower(), reason)


def fault_in(chunk: Any) -> Any:
    """Returns the error that an endpoint reports although it answered 200; None: there is none.

    It is the value of `error`, or the whole chunk.
    """
    first = chunk[0] if isinstance(chunk, list) and chunk else chunk  # Gemini wraps its errors in a list
    if not isinstance(first, Mapping):
        return None
    if first.get("error"):
        return first["error"] if not isinstance(first["error"], bool) else first
    if "choices" in first:
        return None
    return first if first.get("object") == "error" or any(text(first, name) for name in _ABOUT_A_FAULT) else None


def fields_of_fault(error: object) -> tuple[str, str, str]:
    """Returns message, code and type of the value of `error`, each as text."""
    if not isinstance(error, Mapping):
        return (error if isinstance(error, str) else ""), "", ""
    message = next((text(error, name) for name in _ABOUT_A_FAULT if text(error, name)), "")
    code = next((plain(error[name]) for name in ("code", "error_code", "status") if plain(error.get(name))), "")
    return message, code, plain(error.get("type"))


def plain(value: object) -> str:
    """Returns a code as text: 429, 429.0 and "429" are the same; "" for a value that is no code."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


# ---------------------------------------------------------------- addresses


def taken_apart(base_url: str) -> tuple[str, dict[str, str]]:
    """Splits a base URL into the URL for the client and the parameters for each request: `?api-version=…`.

    Leaves out the name of the call at its end, which users copy from examples.
    """
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/").removesuffix(_CALL)
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), dict(parse_qsl(parts.query, keep_blank_values=True))


def wants_its_own_key_header(base_url: str) -> bool:
    """Tells whether the endpoint is Azure: it takes a key as `api-key`, and bearer tokens only of its own directory."""
    return (urlsplit(base_url).hostname or "").endswith(_AZURE)
