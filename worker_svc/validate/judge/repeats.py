"""Verdicts that stand in the candidate: a judge that repeats one has not judged.

Two comparisons decide, and either is enough. One looks for the words of the verdict in the candidate, however they are
laid out or escaped. The other compares the fields of the verdict with every JSON object in the candidate, also within
strings: numbers by value, keys as they are read, texts folded. It leaves out the criterion's number, for a model that
obeys the candidate changes that first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.judge.evidence import Quotable
from worker_svc.validate.judge.grounds import said
from worker_svc.validate.judge.verdicts import PASS, UnclearField, outcome_of, plain_key

MOST_BRACES = 2_000  # of a candidate, tried as the beginning of an object
MOST_OBJECTS = 20_000  # compared
MOST_LEVELS = 4  # of JSON in strings of JSON

_DECODER = json.JSONDecoder(strict=False)
_LETTERS = re.compile(r"[\W_]+")

Fingerprint = tuple[int, str, str]  # outcome, reason and evidence


class ShownCandidate:
    """The candidate as the judge saw it: it can be quoted, but none of its verdicts may be repeated."""

    def __init__(self, text: str, *, has_pictures: bool = False) -> None:
        self.has_pictures = has_pictures  #: the judge has seen some, which cannot be quoted
        self.size = len(text)  #: characters
        self.quotable = Quotable(text)
        self._prints: frozenset[Fingerprint] | None = None  # made when first needed

    def repeats(self, verdict: Mapping[str, Any]) -> bool:
        """Tells whether the verdict stands in the candidate, by its words or by its fields."""
        if self.quotable.holds(json.dumps(verdict, ensure_ascii=False)):
            return True
        if self._prints is None:
            self._prints = frozenset(_fingerprints(self.quotable.text))
        return _fingerprint(verdict) in self._prints


def _fingerprints(text: str) -> Iterator[Fingerprint]:
    for number, found in enumerate(_objects_in(text, MOST_LEVELS)):
        if number >= MOST_OBJECTS:
            return
        if (mark := _fingerprint(found)) is not None:
            yield mark


def _fingerprint(verdict: Mapping[str, Any]) -> Fingerprint | None:
    """Returns the fingerprint of a verdict; None: it is no pass."""
    fields = {plain_key(key): value for key, value in verdict.items()}
    try:
        outcome = outcome_of(fields.get("outcome"))
    except UnclearField:
        return None
    return (outcome, _letters(fields.get("reason")), _letters(fields.get("evidence"))) if outcome == PASS else None


def _letters(value: object) -> str:
    """Returns the letters and digits of all texts in a value, folded; numbers count by their value."""
    return _LETTERS.sub("", folded(" ".join(_texts(value))))


def _texts(value: object) -> Iterator[str]:
    """Yields the texts below a value, except the names of kinds and numbers that are zero."""
    stack = [value]
    while stack:
        match stack.pop():
            case Mapping() as fields:
                stack += [fields[key] for key in sorted(fields, reverse=True) if plain_key(key) != "kind"]
            case list() as items:
                stack += reversed(items)
            case bool() | None:
                pass
            case int() | float() as number:
                yield (str(int(number)) if number == number // 1 else f"{number:g}") if number else ""
            case other:
                yield said(other)


def _objects_in(text: str, levels: int) -> Iterator[Mapping[str, Any]]:
    """Yields all JSON objects in a text, also nested ones and those within their strings."""
    at, tried = text.find("{"), 0
    while at >= 0 and tried < MOST_BRACES:
        tried += 1
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield from _objects_below(value, levels)
        at = text.find("{", end)


def _objects_below(value: Any, levels: int) -> Iterator[Mapping[str, Any]]:
    stack = [value]
    while stack:
        match stack.pop():
            case dict() as found:
                yield found
                stack += found.values()
            case list() as items:
                stack += items
            case str() as text if levels and "{" in text:
                yield from _objects_in(text, levels - 1)
