"""JSON that a model broke, mended: commas, quotes, brackets, comments, what stands around it, and never its content.

json_repair does the mending, and a mended text counts only when it says the very words and numbers of the broken one,
in their order. So nothing is made up, nothing is lost, and of two values for one key none is chosen. What seems to be
cut off is left alone: nobody knows what was to follow.

Some texts keep the library busy for minutes, so anything but a short one is mended in a child process that is killed
when it takes too long. Answers of megabytes are also read there: that holds up all that a process does.
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
from typing import Any

from signoff.surroundings import python
from worker_svc.llm.json_text import FENCE_INSIDE, json_in, parse_json

READ_HERE_CHARS = 32_000  # of an answer: read as JSON in a few milliseconds
MEMORY_BYTES = 2 * 1024**3  # of the child

TIME_LIMIT = 5.0  # seconds, the start of the child included; an honest answer takes a tenth of one
MAX_CHARS = 1_000_000
_SHORT_CHARS = 2_000  # mended in a few hundredths of a second, whatever stands in them

_THOUGHT = "</think>"  # some servers leave the reasoning in the answer
_STRING = r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'"
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|\#[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[^\W\d_]+)|\.\.\.|…")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_MEMBER = re.compile(r"""["'”]\s*[:：]""")
_OBJECT_BEGINS = re.compile(r"""\{\s*(?:["'“]|//|/\*|\#)""")
_UNCLEAR = re.compile(r"\w'\w|\b(?:NaN|Infinity|undefined)\b")  # 'it's' closes too early; the others are no JSON
_VALUE_ENDS = re.compile(r"""(?:[}\]"'”]|\b(?:true|false|null|True|False|None))\Z""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The JSON of an answer."""

    text: str
    is_mended: bool


async def json_found(text: str, *, array: bool = False) -> Found | None:
    """The JSON that an answer is, or that it becomes when it is mended. None: neither, or that takes too long."""
    if len(text) > READ_HERE_CHARS:
        return await _found_by_child(text, array)
    if inside := json_in(text):
        return Found(text=inside, is_mended=False)
    mended_text = await repaired(text, array=array)
    return None if mended_text is None else Found(text=mended_text, is_mended=True)


async def repaired(text: str, *, array: bool = False) -> str | None:
    """As `mended`, in a process of its own unless the text is short."""
    if len(text) <= _SHORT_CHARS:
        return await asyncio.to_thread(mended, text, array=array)  # in Python: the event loop gets its turns
    found = await _found_by_child(text, array)
    return found.text if found is not None and found.is_mended else None


async def _found_by_child(text: str, array: bool) -> Found | None:
    child = await asyncio.create_subprocess_exec(*python(__name__), stdin=PIPE, stdout=PIPE, start_new_session=True)
    try:
        async with asyncio.timeout(TIME_LIMIT):
            said, _ = await child.communicate(b"%d" % array + text.encode(errors="surrogatepass"))
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _found_in(said, text)


def _found_in(said: bytes, text: str) -> Found | None:
    """What the child said: `= START END` for a part of the text, `~` and a mended one, or nothing."""
    if said.startswith(b"="):
        start, end = map(int, said[1:].split())
        return Found(text=text[start:end], is_mended=False)
    return Found(text=said[1:].decode(), is_mended=True) if said.startswith(b"~") else None


def _said_of(text: str, array: bool) -> bytes:
    """The child's answer."""
    if inside := json_in(text):
        start = text.index(inside)
        return b"= %d %d" % (start, start + len(inside))
    mended_text = mended(text, array=array) if len(text) <= MAX_CHARS else None
    return b"" if mended_text is None else b"~" + mended_text.encode()


def mended(text: str, *, array: bool = False) -> str | None:
    """The JSON of a text that is none by the letter. None: it is left alone.

    An object or an array that stands alone is mended; among other words only an object is, or an array where `array`
    says that one was promised.
    """
    for part, is_whole in _parts(text):
        if is_whole or array or _OBJECT_BEGINS.match(part):
            value = _value_of(part)
            if isinstance(value, list | dict) and value and (is_whole or array or isinstance(value, dict)):
                return _written(value)
    return None


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Where the JSON may be, the most likely place first, and whether that is all of the text."""
    text = text.rpartition(_THOUGHT)[2].strip()
    fenced = FENCE_INSIDE.findall(text)
    if len(fenced) > 1:
        return  # which of them was meant?
    text = fenced[0].strip() if fenced else text
    opening = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if opening < 0 or _MEMBER.search(text[:opening]):
        return
    yield text[opening:], opening == 0
    closing = max(text.rfind("}"), text.rfind("]")) + 1
    inside, after = text[opening:closing], text[closing:]
    if inside and after and _is_balanced(inside) and not _MEMBER.search(after):
        yield inside, False


def _is_balanced(text: str) -> bool:
    bare = re.sub(_STRING, "", text, flags=re.DOTALL)
    return all(bare.count(opening) == bare.count(closing) for opening, closing in ("{}", "[]"))


def _value_of(text: str) -> Any:
    """The value of what may be broken JSON. None: there is none, or it would not say what the text says."""
    bare = _COMMENT.sub(lambda found: found[1] or " ", text).strip()
    try:
        value = _parsed(text, bare)
        return value if _words_of(value) == _words_in(bare) else None
    except (ValueError, RecursionError):
        return None


def _parsed(text: str, bare: str) -> Any:
    """What json or json_repair reads. Raises ValueError, or RecursionError."""
    try:
        return parse_json(text)
    except ValueError:
        if not _is_mendable(bare):
            raise
    import json_repair  # here: most workers never need it

    return json_repair.loads(text, strict=True)


def _is_mendable(text: str) -> bool:
    """Whether it is plain what it says, where its strings end, and where it ends itself."""
    if _UNCLEAR.search(re.sub(r'"(?:\\.|[^"\\])*"', "", text, flags=re.DOTALL)):
        return False
    return bool(_VALUE_ENDS.search(text)) and (text.endswith(("}", "]")) or not _ends_in_a_string(text))


def _ends_in_a_string(text: str) -> bool:
    """Whether a quote is open at the end; single quotes count where there are no double ones."""
    plain = re.sub(r"\\.", "", text, flags=re.DOTALL)
    return plain.count('"' if '"' in plain else "'") % 2 == 1


def _written(value: Any) -> str | None:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:  # NaN, or half a pair of surrogates
        return None
    return text


# ---------------------------------------------------------------- the words of both


def _words_in(text: str) -> list[str]:
    """The words and numbers of a text, as they are when its escapes are read."""
    return _normal(_ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _escaped(found[2]), text))


def _escaped(letter: str) -> str:
    return " " if letter in "nrtbf" else letter


def _words_of(value: Any) -> list[str]:
    """The words and numbers of a value, keys included, in their order."""
    if isinstance(value, dict):
        return [word for key, entry in value.items() for word in (*_normal(key), *_words_of(entry))]
    if isinstance(value, list):
        return [word for entry in value for word in _words_of(entry)]
    return _normal(value if isinstance(value, str) else str(value))


def _normal(text: str) -> list[str]:
    return [_number(word) or {"none": "null"}.get(word.lower(), word.lower()) for word in _WORD.findall(text)]


def _number(word: str) -> str:
    """A number in one of the ways to write it; 007 is none. Empty: it is a word."""
    digits = word.removeprefix("-")
    is_number = digits[0].isdecimal() and not (digits[0] == "0" and digits[1:2].isdecimal())
    return repr(float(word)) if is_number else ""


if __name__ == "__main__":
    signal.alarm(int(2 * TIME_LIMIT))  # ends the child by itself: a parent that was killed cannot
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    asked = sys.stdin.buffer.read()
    with suppress(MemoryError):  # it is left alone then
        sys.stdout.buffer.write(_said_of(asked[1:].decode(errors="surrogatepass"), asked[:1] == b"1"))
