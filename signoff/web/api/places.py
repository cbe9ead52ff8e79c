"""The lines and columns of diagnostics in a plan.json: the planner names places such as "tasks[3].input"."""

from __future__ import annotations

import asyncio
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signoff.v1 import plan_pb2
from signoff.web.wire.messages import record

MOST_BYTES = 2 * 1024 * 1024  # of a plan whose places are looked for: it takes a second

# A string that never ends reaches to the end of the text: else each of its quotes would be looked at as a beginning.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}:,]|[^\s\[\]{}:,"]++', re.DOTALL)
_LAST_PART = re.compile(r"(?:\.[^.\[\]]*|\[\d+\])\Z")
_NOT_JSON = re.compile(r"line (\d+),? col(?:umn)? (\d+)")


@dataclass(slots=True)
class PlanText:
    """The bytes of a plan that passes by, kept while they are few."""

    _chunks: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= MOST_BYTES:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def read(self) -> str | None:
        """Returns the text; None when it is too large, or no text."""
        try:
            return None if self._size > MOST_BYTES else b"".join(self._chunks).decode("utf-8-sig")
        except UnicodeDecodeError:
            return None


async def located(found: Sequence[plan_pb2.Diagnostic], text: PlanText) -> list[dict[str, Any]]:
    """Returns the diagnostics as JSON, with line, column, endLine and endColumn where the place is known.

    Lines and columns count from 1; columns count characters.
    """
    plan = text.read()
    wanted = {place for diagnostic in found for place in _upwards(diagnostic.path)}
    spans = await asyncio.to_thread(spans_of, plan, wanted) if plan and wanted else {}
    lines = Lines(plan or "")
    return [record(one) | _place(one, spans, lines) for one in found]


def _place(one: plan_pb2.Diagnostic, spans: Mapping[str, tuple[int, int]], lines: Lines) -> dict[str, int]:
    known = next((place for place in _upwards(one.path) if place in spans), None)
    if known is not None:
        start, end = spans[known]
        (line, column), (end_line, end_column) = lines.at(start), lines.at(end)
        return {"line": line, "column": column, "endLine": end_line, "endColumn": end_column}
    broken = _NOT_JSON.search(one.message) if one.code == "not-json" else None
    if broken is None:
        return {}
    line, column = int(broken[1]), max(1, int(broken[2]))
    return {"line": line, "column": column, "endLine": line, "endColumn": column + 1}


def _upwards(path: str) -> Iterator[str]:
    """Yields a path, and those of what it is in: a field that is missing has a place where it should be."""
    while path:
        yield path
        shorter = _LAST_PART.sub("", path)
        if shorter == path:
            return
        path = shorter


class Lines:
    """The places of a text by line and column."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(self, place: int) -> tuple[int, int]:
        line = bisect_right(self._starts, place)
        return line, place - self._starts[line - 1] + 1


def spans_of(text: str, wanted: set[str]) -> dict[str, tuple[int, int]]:
    """Returns where the values with these paths begin and end. Of a path that is not there, nothing."""
    found: dict[str, tuple[int, int]] = {}
    for path, start, end in _values(text):
        if path in wanted:
            found.setdefault(path, (start, end))
    return found


@dataclass(slots=True)
class _Open:
    """A list or an object that is being read."""

    path: str
    start: int
    is_list: bool
    index: int = 0
    key: str = ""
    awaits_key: bool = True

    def place(self) -> str:
        if self.is_list:
            return f"{self.path}[{self.index}]"
        return f"{self.path}.{self.key}" if self.path else self.key


def _values(text: str) -> Iterator[tuple[str, int, int]]:
    """Yields the path, the beginning and the end of every value; a text that is no JSON ends it early."""
    stack: list[_Open] = []
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        top = stack[-1] if stack else None
        if first in "{[":
            stack.append(_Open(top.place() if top else "", token.start(), first == "["))
        elif first in "}]":
            if top is None:
                return
            stack.pop()
            yield top.path, top.start, token.end()
        elif top is None:
            return
        elif first == ",":
            top.index, top.awaits_key = top.index + 1, True
        elif first == ":":
            top.awaits_key = False
        elif not top.is_list and top.awaits_key:
            top.key = _key(token[0])
        else:
            yield top.place(), token.start(), token.end()


def _key(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token
