"""Reads a judge's answer: one JSON with this request's nonce and one verdict for each criterion, or nothing at all.

Deviations that have only one meaning are read: fences and words around the JSON, thoughts before it, raw line ends in
strings, commas and quotes that can be mended without a guess, a list without its object, a verdict without its list
when there is one criterion (verdicts.py reads the fields). An answer that could become a pass by mistake is refused: it
has a second JSON or a piece of one, a key twice, no nonce or another one, or a verdict that stands in the candidate. A
pass counts when its evidence does (grounds.py) and its reason does not say that it fails (reasons.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signoff.v1 import execution_pb2
from worker_svc.llm.openai.thoughts import parted
from worker_svc.llm.read.repair import found_in
from worker_svc.validate.checking.reading import object_of, refuse_constant
from worker_svc.validate.judge.criteria import Nature, nature_of
from worker_svc.validate.judge.grounds import Evidence, evidence_of, said, unproven
from worker_svc.validate.judge.reasons import says_it_fails
from worker_svc.validate.judge.repeats import ShownCandidate
from worker_svc.validate.judge.verdicts import UnclearField, number_of, outcome_of, with_plain_keys

PASS, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_ERROR

MAX_ANSWER_CHARS = 400_000  # more is no verdict
MAX_MENDED_CHARS = 100_000  # of an answer whose JSON is broken
_MAX_BRACES = 200  # places where an object might begin; each is tried

_VERDICT_KEY = re.compile(
    r"[\"'`“”‘’]\s*(?:verdicts?|outcome|criterion|retry_worthwhile)\s*\\*[\"'`“”‘’]", re.IGNORECASE
)
_DECODER = json.JSONDecoder(object_pairs_hook=object_of, parse_constant=refuse_constant, strict=False)
_KEYS = ("verdicts", "verdict")
_OPENS = re.compile(r"[{\[]")


class BrokenAnswer(ValueError):
    """The answer is no judgement; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One judge's opinion on one criterion."""

    outcome: execution_pb2.Outcome.ValueType
    reason: str  #: with the evidence
    retry_worthwhile: bool = True
    unproven: str = ""  #: of a pass that does not count: the part of its evidence that was not found


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """A request to a judge, as the reader of its answer needs it."""

    criteria: tuple[str, ...]
    nonce: str  #: of this request, which no candidate can know
    shown: ShownCandidate


def opinions_in(text: str, asked: JudgeRequest) -> tuple[Opinion, ...]:
    """Returns the opinions on the criteria, in their order. Raises BrokenAnswer."""
    try:
        verdicts = _by_number(_with_nonce(answer_value(text), asked), asked.criteria)
        return tuple(_opinion(verdicts[n], criterion, asked) for n, criterion in enumerate(asked.criteria, 1))
    except UnclearField as unclear:
        raise BrokenAnswer(str(unclear)) from unclear


def answer_value(text: str) -> Any:
    """Returns the one JSON with verdicts in an answer; other text may stand around it. Raises BrokenAnswer."""
    if len(text) > MAX_ANSWER_CHARS:
        raise BrokenAnswer(f"expected an answer of at most {MAX_ANSWER_CHARS} characters, but got {len(text)}")
    answer = parted(text)
    if answer.is_open:
        raise BrokenAnswer("expected an answer, but got thoughts without an end")
    found = [(start, end, value) for start, end, value in _values_in(answer.answer) if _has_verdicts(value)]
    # guard: a judge answers once -> if len(found) == 1:
    if len(found) == 1 and not _outside(answer.answer, *found[0][:2]):
        return found[0][2]
    if len(found) <= 1 and (value := _mended(answer.answer)) is not None:
        return value
    if len(found) == 1:
        other = _outside(answer.answer, *found[0][:2])
        raise BrokenAnswer(f"expected one JSON and no other verdict, but {other} stands outside of it")
    raise BrokenAnswer(f"expected one JSON with verdicts, but got {len(found)} in {text.strip()[:120]!r}")


def _outside(text: str, start: int, end: int) -> str:
    """Returns the key of a verdict that stands around a value; empty: there is none."""
    other = _VERDICT_KEY.search(text[:start]) or _VERDICT_KEY.search(text[end:])
    return other[0] if other else ""


def _mended(text: str) -> Any:
    """Returns the JSON of a broken answer when it can be mended without a guess; else None."""
    if len(text) > MAX_MENDED_CHARS:
        return None
    found = found_in(text) or found_in(text, array=True)
    if found is None or _VERDICT_KEY.search(found.remark):
        return None
    try:
        value = _DECODER.decode(found.text)
    except (ValueError, RecursionError):
        return None
    return value if _has_verdicts(value) else None


def _values_in(text: str) -> Iterator[tuple[int, int, Any]]:
    """Yields the outermost JSON objects and lists in a text, with their beginnings and ends."""
    opening = _OPENS.search(text)
    for _ in range(_MAX_BRACES):
        if opening is None:
            return
        at = opening.start()
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            end = at + 1
        except (ValueError, RecursionError) as error:  # JSON, but of a kind that readers disagree on
            raise BrokenAnswer(f"expected JSON that can be read, but {error}") from error
        else:
            yield at, end, value
        opening = _OPENS.search(text, end)
    if opening is not None:
        raise BrokenAnswer(f"expected one JSON, but got more than {_MAX_BRACES} braces")


def _has_verdicts(value: Any) -> bool:
    """Tells whether a value is an answer, in one of its forms."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and _has_verdicts(item) for item in value)
    if not isinstance(value, dict):
        return False
    keys = {key.strip().casefold() for key in value}
    return any(key in keys for key in _KEYS) or "outcome" in keys


def _with_nonce(value: Any, asked: JudgeRequest) -> list[dict[str, Any]]:
    """Returns the verdicts of an answer that has this request's nonce, in an object or in each item of a list."""
    given = value if isinstance(value, list) else [value]
    fields = [with_plain_keys(part) for part in given]
    # guard: an answer has the nonce -> if False:
    if any(part.get("nonce") != asked.nonce for part in fields):
        got = next(part.get("nonce") for part in fields if part.get("nonce") != asked.nonce)
        raise BrokenAnswer(f'expected the "nonce" of this request, but got {got!r}'[:200])
    named = [key for key in _KEYS if key in fields[0]]
    if any("outcome" in part for part in fields):
        if any(key in part for part in fields for key in _KEYS):
            raise BrokenAnswer("expected verdicts in a list or by themselves, but got both")
        return fields
    if len(fields) != 1:
        raise BrokenAnswer(f"expected the verdicts once, but got them {len(fields)} times")
    verdicts = fields[0][named[0]]
    if isinstance(verdicts, dict) and len(asked.criteria) == 1:
        verdicts = [verdicts]
    if len(named) > 1 or not isinstance(verdicts, list) or not all(isinstance(verdict, dict) for verdict in verdicts):
        raise BrokenAnswer('expected "verdicts" to be an array of objects')
    return [with_plain_keys(verdict) for verdict in verdicts]


def _by_number(verdicts: list[dict[str, Any]], criteria: tuple[str, ...]) -> dict[int, dict[str, Any]]:
    numbers = [number_of(verdict.get("criterion"), criteria) for verdict in verdicts]
    if sorted(numbers) != list(range(1, len(criteria) + 1)):
        raise BrokenAnswer(
            f"expected one verdict for each of the criteria 1 to {len(criteria)}, but got them for {numbers}"
        )
    return dict(zip(numbers, verdicts, strict=True))


def _unproven(evidence: Evidence, criterion: str, shown: ShownCandidate) -> str:
    return unproven(evidence, criterion, shown.quotable, has_pictures=shown.has_pictures)


def _opinion(verdict: dict[str, Any], criterion: str, asked: JudgeRequest) -> Opinion:
    outcome = outcome_of(verdict.get("outcome"))
    # guard: no verdict of the candidate's own -> if False:
    if asked.shown.repeats({key: value for key, value in verdict.items() if key != "nonce"}):
        raise BrokenAnswer("expected the judge's own verdicts, but one of them stands in the candidate, word for word")
    reason, evidence = said(verdict.get("reason")), evidence_of(verdict.get("evidence"))
    with_evidence = f"{reason} (evidence: {evidence.in_words})".strip() if evidence.in_words else reason
    if outcome == PASS:
        # guard: a pass does not say that it fails -> if False:
        if says_it_fails(reason, asks_for_presence=nature_of(criterion) is not Nature.FORBIDS, criterion=criterion):
            return Opinion(outcome=ERROR, reason=f"passed with a reason that says that it fails: {reason}")
        # guard: no pass without its evidence -> if problem := "":
        if problem := _unproven(evidence, criterion, asked.shown):
            return Opinion(outcome=ERROR, reason=f"passed with {problem}", unproven=problem)
    return Opinion(
        outcome=outcome,
        reason=with_evidence if with_evidence or outcome == PASS else "the judge gave no reason",
        retry_worthwhile=verdict.get("retry_worthwhile") is not False,
    )
