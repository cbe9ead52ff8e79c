"""Verdicts that stand in the candidate: a judge that repeats one has not judged.

Two looks decide, and either is enough: the words of the verdict in the words of the candidate, however they are laid
out or escaped, and what its fields say against every JSON object in the candidate, in strings of it too. Numbers are
compared by value, keys as they are read, and texts folded; the criterion's number is left out, for a model that
obeys changes it first.
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

MOST_BRACES = 2_000  # of a candidate, at which an object is tried
MOST_OBJECTS = 20_000  # that are compared
MOST_LEVELS = 4  # of JSON in strings of JSON

_DECODER = json.JSONDecoder(strict=False)
_LETTERS = re.compile(r"[\W_]+")

Fingerprint = tuple[int, str, str]  # outcome, reason and evidence


class ShownCandidate:
    """The candidate as the judge was shown it: what can be quoted, and what must not be repeated as a verdict."""

    def __init__(self, text: str) -> None:
        self.size = len(text)  #: characters
        self.quotable = Quotable(text)
        self._prints: frozenset[Fingerprint] | None = None  # made when first needed

    def repeats(self, verdict: Mapping[str, Any]) -> bool:
        """Whether the verdict stands in the candidate, in its words or in what it says."""
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
    """What a verdict says; None: it is none that could pass anything."""
    fields = {plain_key(key): value for key, value in verdict.items()}
    try:
        outcome = outcome_of(fields.get("outcome"))
    except UnclearField:
        return None
    return (outcome, _letters(fields.get("reason")), _letters(fields.get("evidence"))) if outcome == PASS else None


def _letters(value: object) -> str:
    """The letters and digits of all texts in a value, folded; of a number its value."""
    return _LETTERS.sub("", folded(" ".join(_texts(value))))


def _texts(value: object) -> Iterator[str]:
    """The texts below a value, but for the names of kinds and the numbers that only say zero."""
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
    """All JSON objects in a text, those in others too, and those in strings of these."""
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
