"""Splits a Markdown text into lines, each with its kind, so that code, headings and lists are not taken for prose.

It reads the part of CommonMark that models use: fenced code, both forms of headings, dividers, lists, tables and
quotations. Every step is linear in the text.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from itertools import groupby
from typing import NamedTuple


class LineKind(Enum):
    """The kind of a line."""

    BLANK = auto()
    CODE = auto()  #: a fence, or a line between two; without a second fence, all further lines
    HEADING = auto()
    TITLE = auto()  #: a line with <<a title>> and nothing else
    DIVIDER = auto()  #: such as --- and ***, also where it underlines a heading
    BULLET = auto()
    NUMBERED = auto()
    TABLE = auto()
    TEXT = auto()


class MarkdownLine(NamedTuple):
    """One line of a text."""

    kind: LineKind
    text: str  #: without the marks of a quotation, a heading or an item
    level: int = 0  #: of a heading, 1 to 6


_QUOTED = re.compile(r" {0,3}>[> ]*")
_FENCE = re.compile(r"\s*(`{3,}+|~{3,}+)([^`]*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)$")
_BULLET = re.compile(r"\s*(?:[*+-][ \t]+|[•‣◦▪●][ \t]*)(\S.*)$")
_NUMBERED = re.compile(r"\s*\d{1,9}[.)][ \t]+(\S.*)$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|--+)\s*$")
_CODE_SPAN = re.compile("`+")


def lines_of(text: str) -> list[MarkdownLine]:
    """Returns the lines of a text with their kinds."""
    lines: list[MarkdownLine] = []
    fence = ""
    for raw in text.splitlines():
        quoted = _QUOTED.match(raw)
        line = raw[quoted.end() :] if quoted else raw
        if fence:
            fence = "" if _closes(fence, line) else fence
            lines.append(MarkdownLine(LineKind.CODE, line))
        elif opened := _FENCE.match(line):
            fence = opened[1]
            lines.append(MarkdownLine(LineKind.CODE, line))
        elif _UNDERLINE.match(line) and _may_be_heading(lines):
            level = 1 if "=" in line else 2
            lines[-1] = MarkdownLine(LineKind.HEADING, lines[-1].text.strip(), level)
            lines.append(MarkdownLine(LineKind.DIVIDER, line))
        else:
            lines.append(_line(line))
    return lines


def blocks_of(lines: list[MarkdownLine]) -> list[list[MarkdownLine]]:
    """Returns the blocks between blank lines."""
    return [list(block) for is_blank, block in groupby(lines, lambda line: line.kind is LineKind.BLANK) if not is_blank]


def without_code_spans(text: str) -> str:
    """Returns one line without the text between backticks."""
    kept, begun, opened = [], 0, ""
    last = {mark[0]: mark.start() for mark in _CODE_SPAN.finditer(text)}
    for mark in _CODE_SPAN.finditer(text):
        if opened == mark[0]:
            opened, begun = "", mark.end()
        elif not opened and last[mark[0]] > mark.start():  # a backtick without its counterpart opens nothing
            opened = mark[0]
            kept.append(text[begun : mark.start()])
    return "".join([*kept, text[begun:]])


def _closes(fence: str, line: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and not mark.strip(fence[0])


def _may_be_heading(lines: list[MarkdownLine]) -> bool:
    """Tells whether the last line stands alone: a paragraph of several lines before a divider is no heading."""
    alone = len(lines) < 2 or lines[-2].kind is not LineKind.TEXT
    return bool(lines) and lines[-1].kind is LineKind.TEXT and alone


def _line(line: str) -> MarkdownLine:
    text = line.strip()
    if not text:
        return MarkdownLine(LineKind.BLANK, "")
    if text[0].isalpha():
        return MarkdownLine(LineKind.TEXT, line)  # a shortcut for most lines
    if _is_divider(text):
        return MarkdownLine(LineKind.DIVIDER, text)
    if heading := _HEADING.match(line):
        return MarkdownLine(LineKind.HEADING, heading[2].rstrip("# \t") or heading[2], len(heading[1]))
    if item := _BULLET.match(line):
        return MarkdownLine(LineKind.BULLET, item[1])
    if item := _NUMBERED.match(line):
        return MarkdownLine(LineKind.NUMBERED, item[1])
    if text.startswith("|"):
        return MarkdownLine(LineKind.TABLE, text)
    return MarkdownLine(LineKind.TITLE if text.startswith("<<") and text.endswith(">>") else LineKind.TEXT, line)


def _is_divider(text: str) -> bool:
    marks = "".join(text.split())
    return len(marks) >= 3 and marks[0] in "-*_" and not marks.strip(marks[0])
