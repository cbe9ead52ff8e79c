"""The mock's judge: simple rules, without chance. A criterion passes unless a rule speaks against it.

This is a stand-in for trying signoff out offline: it cannot read, so a pass from it means little. It fails

- an empty candidate, if no pictures came along,
- a candidate with the marker that the mock writes into candidates that are to be rejected,
- a criterion such as "contains 'X'" when X is missing, or "does not contain 'X'" when X is there,
- the criterion that quotes the output's JSON shape when keys of that shape are missing.
"""

from __future__ import annotations

from typing import Any

from worker_svc.mock.phrases import phrases_in
from worker_svc.mock.writing import MARKER
from worker_svc.prompts.messages import MOST_QUOTE_CHARS
from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.invisible import has_visible
from worker_svc.validate.judge.criteria import is_about_pictures


def verdicts(criteria: tuple[str, ...], candidate: str, *, sees_pictures: bool = False) -> list[dict[str, Any]]:
    """Returns the verdicts, one a criterion, in the form of prompts.judge_schema.

    `sees_pictures`: pictures came along. What is said about them passes: the mock sees nothing.
    """
    return [
        _seen(number)
        if sees_pictures and (is_about_pictures(criterion) or not has_visible(candidate))
        else _verdict(number, candidate, *_against(criterion, candidate))
        for number, criterion in enumerate(criteria, 1)
    ]


def _seen(number: int) -> dict[str, Any]:
    evidence = {"kind": "whole", "quotes": [], "subject": "", "count": 0}
    reason = "nothing speaks against the pictures"
    return {"criterion": number, "evidence": evidence, "reason": reason, "outcome": "pass", "retry_worthwhile": True}


def evidence_of(candidate: str) -> dict[str, Any]:
    """Returns the first line that can be quoted, as evidence for anything: the mock cannot tell what a line shows."""
    lines = (line.strip() for line in candidate.splitlines() if any(map(str.isalnum, line)))
    return _evidence(next((line for line in lines if len(line) <= MOST_QUOTE_CHARS), candidate[:MOST_QUOTE_CHARS]))


def _verdict(number: int, candidate: str, reason: str, words: str) -> dict[str, Any]:
    outcome, stated = ("fail", reason) if reason else ("pass", "nothing speaks against it")
    evidence = _evidence(words) if reason else evidence_of(candidate)
    return {"criterion": number, "evidence": evidence, "reason": stated, "outcome": outcome, "retry_worthwhile": True}


def _evidence(words: str) -> dict[str, Any]:
    return {"kind": "quotes", "quotes": [words] if words else [], "subject": "", "count": 0}


def _against(criterion: str, candidate: str) -> tuple[str, str]:
    """Says why the candidate fails the criterion, and returns the words that show it; two empty strings: it passes."""
    if not has_visible(candidate):
        return "the candidate is empty", ""
    if MARKER in candidate:
        return "the candidate carries the marker of a mock candidate that was made to be rejected", MARKER
    text = folded(candidate)
    phrases = phrases_in(criterion)
    missing = [phrase for phrase in phrases.required if folded(phrase) not in text]
    if missing:
        return f"the candidate does not contain {', '.join(map(repr, missing))}", ""
    unwanted = [phrase for phrase in phrases.forbidden if folded(phrase) in text]
    if unwanted:
        return f"the candidate must not contain {', '.join(map(repr, unwanted))}", unwanted[0]
    return "", ""
