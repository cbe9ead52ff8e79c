"""What a judge answered: exactly one JSON object with exactly one verdict for each criterion, or nothing at all.

Models wrap their JSON in fences and other words, and that is passed over. Whatever could turn a broken answer into a
pass is not: a second object or a piece of one, a key that comes twice, a verdict that stands in the candidate, or a
quotation that does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.v1 import execution_pb2
from worker_svc.checking.reading import object_of, refuse_constant
from worker_svc.judge.evidence import Quotable
from worker_svc.prompts import JUDGE_OUTCOMES

PASS, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_ERROR

MAX_ANSWER_CHARS = 400_000  # more is no verdict
_MAX_BRACES = 200  # where an object might begin; each is tried

_VERDICT_KEY = re.compile(
    r"[\"'`“”‘’]\s*(?:verdicts|outcome|criterion|retry_worthwhile)\s*\\*[\"'`“”‘’]", re.IGNORECASE
)
_DECODER = json.JSONDecoder(object_pairs_hook=object_of, parse_constant=refuse_constant)


class BrokenAnswer(ValueError):
    """The answer is no judgement; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one judge says of one criterion."""

    outcome: execution_pb2.Outcome.ValueType
    reason: str  #: with the evidence
    retry_worthwhile: bool = True


class Shown:
    """The candidate as the judge was shown it: what can be quoted, and what must not be repeated as a verdict."""

    def __init__(self, text: str) -> None:
        self.size = len(text)  #: characters
        self.quotable = Quotable(text)
        self._speaks_of_verdicts = "outcome" in text

    def repeats(self, verdict: Mapping[str, Any]) -> bool:
        """Whether the verdict stands in the candidate, word for word, however it is laid out or escaped."""
        return self._speaks_of_verdicts and self.quotable.holds(json.dumps(verdict, ensure_ascii=False))


def opinions_in(text: str, count: int, shown: Shown) -> tuple[Opinion, ...]:
    """What the answer says of the criteria 1 to `count`, in their order. Raises BrokenAnswer."""
    verdicts = _by_number(answer_object(text).get("verdicts"), count)
    return tuple(_opinion(verdicts[number], shown) for number in range(1, count + 1))


def answer_object(text: str) -> dict[str, Any]:
    """The one object with verdicts in an answer; around it may stand whatever is no verdict. Raises BrokenAnswer."""
    if len(text) > MAX_ANSWER_CHARS:
        raise BrokenAnswer(f"expected an answer of at most {MAX_ANSWER_CHARS} characters, but got {len(text)}")
    found = [(start, end, value) for start, end, value in _objects_in(text) if "verdicts" in value]
    if len(found) != 1:
        raise BrokenAnswer(f'expected one JSON object with "verdicts", but got {len(found)} in {text.strip()[:120]!r}')
    start, end, value = found[0]
    if other := _VERDICT_KEY.search(text[:start]) or _VERDICT_KEY.search(text[end:]):
        raise BrokenAnswer(f"expected one JSON object and no other verdict, but {other[0]} stands outside of it")
    return value


def _objects_in(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """The JSON objects in a text that lie in no other one, with where they begin and end."""
    at = text.find("{")
    for _ in range(_MAX_BRACES):
        if at < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            end = at + 1
        except (ValueError, RecursionError) as error:  # an object, but one that readers disagree on
            raise BrokenAnswer(f"expected a JSON object that can be read, but {error}") from error
        else:
            yield at, end, value
        at = text.find("{", end)
    if at >= 0:
        raise BrokenAnswer(f"expected one JSON object, but got more than {_MAX_BRACES} braces")


def _by_number(verdicts: object, count: int) -> dict[int, dict[str, Any]]:
    if not isinstance(verdicts, list) or not all(isinstance(verdict, dict) for verdict in verdicts):
        raise BrokenAnswer('expected "verdicts" to be an array of objects')
    numbers = [str(verdict.get("criterion")) for verdict in verdicts]  # small models write "1" for 1
    if sorted(numbers) != sorted(map(str, range(1, count + 1))):
        raise BrokenAnswer(f"expected one verdict for each of the criteria 1 to {count}, but got them for {numbers}")
    return {int(number): verdict for number, verdict in zip(numbers, verdicts, strict=True)}


def _opinion(verdict: dict[str, Any], shown: Shown) -> Opinion:
    stated = verdict.get("outcome")
    outcome = JUDGE_OUTCOMES.get(stated) if isinstance(stated, str) else None
    if outcome is None:
        raise BrokenAnswer(f"expected an outcome of {', '.join(JUDGE_OUTCOMES)}, but got {stated!r}")
    if shown.repeats(verdict):
        raise BrokenAnswer("expected the judge's own verdicts, but one of them stands in the candidate, word for word")
    reason, evidence = _in_words(verdict.get("reason")), _in_words(verdict.get("evidence"))
    told = f"{reason} (evidence: “{evidence}”)" if evidence else reason
    if outcome == PASS and not shown.quotable.has(evidence):
        return Opinion(outcome=ERROR, reason=f"passed with a quotation that is not in the candidate: “{evidence}”")
    return Opinion(
        outcome=outcome,
        reason=told if told or outcome == PASS else "the judge gave no reason",
        retry_worthwhile=verdict.get("retry_worthwhile") is not False,
    )


def _in_words(value: object) -> str:
    """Text, or a list of quotations as one; what no message can carry is replaced."""
    text = " … ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text.encode(errors="replace").decode()
