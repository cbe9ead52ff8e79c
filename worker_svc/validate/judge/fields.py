"""The fields of a text: lines, cells and values. A whole field is a valid quotation, however short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

from worker_svc.validate.checking.reading import strict_json
from worker_svc.validate.checking.text.folding import folded

MOST_FIELDS = 50_000  # of one text

_LIST_MARK = re.compile(r"^\s*(?:[-*+•>#]+|\d{1,3}[.)、]|\[[ xX]\])\s*")
_SEPARATORS = re.compile(r"[\s|:：,，;；、\"'“”„‘’「」『』()（）\[\]{}*_`#~\\=]+")
_ENDS = ".。!！?？"
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


def bare(text: str) -> str:
    """Returns a field without case, white space, and separators of fields. Signs and decimal points stay."""
    return _SEPARATORS.sub("", folded(text, marks=True)).strip(_ENDS)


def fields_of(text: str) -> frozenset[str]:
    """Returns all fields of a text, bare."""
    found = (bare(field) for field in islice(_fields(text), MOST_FIELDS))
    return frozenset(field for field in found if field)


def _fields(text: str) -> Iterator[str]:
    yield from _json_fields(text)
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        yield line
        yield _LIST_MARK.sub("", line)
        yield from _SENTENCE.split(_LIST_MARK.sub("", line))
    yield from _cells(lines)


def _json_fields(text: str) -> Iterator[str]:
    """Yields the values that are no containers, each alone and with its key."""
    if not text.lstrip().startswith(("{", "[")):
        return
    try:
        stack = [strict_json(text)]
    except ValueError:
        return
    while stack:
        value = stack.pop()
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in entries:
            if isinstance(item, (dict, list)):
                stack.append(item)
            else:
                yield from (_said(item), f"{key}: {_said(item)}")


def _said(value: Any) -> str:
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _cells(lines: list[str]) -> Iterator[str]:
    """Yields the cells of tables, each also with the first one of its row, its neighbour, and its column's head."""
    separator = _separator_of(lines)
    head: list[str] = []
    for line in lines:
        mark = "|" if "|" in line else separator
        cells = [cell.strip() for cell in line.strip().strip("|").split(mark)] if mark and mark in line else []
        if len(cells) < 2:
            head = []
            continue
        yield from cells
        yield from (f"{cells[0]} {cell}" for cell in cells[1:])
        yield from map(" ".join, pairwise(cells))
        yield from (f"{name} {cell}" for name, cell in zip(head, cells, strict=False))
        head = head or cells


def _separator_of(lines: list[str]) -> str:
    """Returns the separator of CSV: a mark that stands equally often in each of several lines."""
    for mark in ("\t", ";", ","):
        counts = {line.count(mark) for line in lines[:200]}
        if len(lines) > 1 and len(counts) == 1 and 0 not in counts:
            return mark
    return ""
