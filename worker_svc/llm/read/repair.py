"""Finds the JSON of an answer: as it stands, in a fence, among other words, or mended without a guess (mending.py).

A child process reads answers of megabytes, and is killed when it takes too long: that would block the whole worker.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from signoff.service.environment import python_command
from worker_svc.llm.read.json_text import FENCE_INSIDE, json_in
from worker_svc.llm.read.mending import mended

READ_HERE_CHARS = 32_000  # of an answer: read as JSON in a few milliseconds
MEMORY_BYTES = 2 * 1024**3  # of the child

TIME_LIMIT = 5.0  # seconds, the start of the child included; an honest answer takes a tenth of one
MAX_CHARS = 1_000_000  # of a text to mend

_FENCE_LINE = re.compile(r"(?m)^[ \t]*```[ \t]*(?:\w+[ \t]*)?$")
_PART_OF_JSON = re.compile(r"""[{}\[\]]|["'“”„]\s*[:：]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundJson:
    """The JSON of an answer."""

    text: str
    is_mended: bool
    remark: str = ""  #: the words around it


async def json_found(text: str, *, array: bool = False) -> FoundJson | None:
    """Returns the JSON of an answer, as `found_in` does. None also when that takes too long."""
    # guard: large answers are read elsewhere -> if False:
    if len(text) > READ_HERE_CHARS:
        return await _found_by_child(text, array)
    return await asyncio.to_thread(found_in, text, array=array)  # in Python: the event loop gets its turns


async def _found_by_child(text: str, array: bool) -> FoundJson | None:
    child = await asyncio.create_subprocess_exec(
        *python_command(__name__), stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(TIME_LIMIT):
            answer, _ = await child.communicate(b"%d" % array + text.encode(errors="surrogatepass"))
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _read_answer(answer, text)


def _read_answer(answer: bytes, text: str) -> FoundJson | None:
    """Reads the child's answer: a line with the remark, then `= START END` of the text, or `~` and a mended one."""
    line, _, found = answer.partition(b"\n")
    if found.startswith(b"="):
        start, end = map(int, found[1:].split())
        return FoundJson(text=text[start:end], is_mended=False, remark=json.loads(line))
    return (
        FoundJson(text=found[1:].decode(), is_mended=True, remark=json.loads(line)) if found.startswith(b"~") else None
    )


def _write_answer(text: str, array: bool) -> bytes:
    """Returns the child's answer."""
    found = found_in(text, array=array)
    if found is None:
        return b""
    line = json.dumps(found.remark).encode() + b"\n"
    if found.is_mended:
        return line + b"~" + found.text.encode()
    start = text.index(found.text)
    return line + b"= %d %d" % (start, start + len(found.text))


def found_in(text: str, *, array: bool = False) -> FoundJson | None:
    """Returns the JSON that a text is, or becomes when it is mended, with the words around it.

    Among other words only an object counts; with `array`, an array also does. None: there is no JSON, or several parts
    or meanings are possible.
    """
    if inside := json_in(text):
        return FoundJson(text=inside, is_mended=False)
    for part, remark in _parts(text, array):
        whole = json_in(part)
        # guard: nothing is guessed -> mended_part = whole or __import__('json').dumps([part])
        mended_part = whole or (mended(part) if len(part) <= MAX_CHARS else None)
        if mended_part:
            return FoundJson(text=mended_part, is_mended=not whole, remark=remark)
    return None


def _parts(text: str, array: bool) -> Iterator[tuple[str, str]]:
    """Yields the places that the JSON may be in, with the words around them, the most likely place first."""
    text = text.strip().strip("\ufeff")
    fenced = list(FENCE_INSIDE.finditer(text))
    if len(fenced) == 1:
        found = fenced[0]
        remark = _joined(text[: found.start()], text[found.end() :])
        if _is_prose(remark):
            yield found[1].strip(), remark
        return
    if fenced:
        return  # which of them was meant?
    if (opened := _FENCE_LINE.match(text)) is not None:  # and never closed
        text = text[opened.end() :].strip()
    if text.startswith(("{", "[")):
        yield text, ""
    opening = min((at for at in (text.find("{"), text.find("[") if array else -1) if at >= 0), default=-1)
    closing = max(text.rfind("}"), text.rfind("]") if array else -1) + 1
    if 0 <= opening < closing:
        remark = _joined(text[:opening], text[closing:])
        if remark and _is_prose(remark):
            yield text[opening:closing], remark


def _joined(before: str, after: str) -> str:
    """Joins the words on both sides, without a fence that was never closed."""
    return "\n…\n".join(filter(None, (_FENCE_LINE.sub("", side).strip() for side in (before, after))))


def _is_prose(remark: str) -> bool:
    """Tells whether the words around the JSON have no part of it."""
    return not _PART_OF_JSON.search(remark)


if __name__ == "__main__":
    signal.alarm(int(2 * TIME_LIMIT))  # ends the child by itself: a parent that was killed cannot
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    request = sys.stdin.buffer.read()
    with suppress(MemoryError):  # then the answer is left alone
        sys.stdout.buffer.write(_write_answer(request[1:].decode(errors="surrogatepass"), request[:1] == b"1"))
