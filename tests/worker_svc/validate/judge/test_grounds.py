"""Evidence of each kind, its verification by code, and figures over many answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.judging.judge_answers import CHINESE, LETTER, REPORT, Case, cases, is_taken, kind, table
from tests.support.patterns import Run, outgrows
from worker_svc.validate.judge import counting
from worker_svc.validate.judge.evidence import Quotable
from worker_svc.validate.judge.grounds import MOST_QUOTE_CHARS, MOST_QUOTES, evidence_of, unproven

ROOT = Path(__file__).resolve().parents[4]
EVERY = list(cases())


def problem(evidence: object, criterion: str, text: str = REPORT) -> str:
    return unproven(evidence_of(evidence), criterion, Quotable(text))


# ---------------------------------------------------------------- the figures


def test_there_are_many_answers_of_each_kind_and_both_worths() -> None:
    assert len(EVERY) >= 150
    assert {case.group for case in EVERY} == {"evidence", "form", "words", "wrapping", "ends", "injection"}
    assert min(sum(c.is_right for c in EVERY), sum(not c.is_right for c in EVERY)) >= 100


@pytest.mark.guard(name="only a criterion that forbids is shown by absence")
def test_at_most_two_in_a_hundred_right_passes_are_refused_and_no_wrong_one_is_taken() -> None:
    assert [case for case in EVERY if not case.is_right and is_taken(case)] == []
    right = [case for case in EVERY if case.is_right]
    refused = [case for case in right if not is_taken(case)]
    assert len(refused) <= 0.02 * len(right), refused


def test_the_table_of_the_docs_is_the_one_that_the_command_prints() -> None:
    assert table() in (ROOT / "docs" / "explanation" / "judges.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in EVERY if case.group == "evidence" and case.is_right])
def test_no_right_pass_is_taken_once_its_evidence_is_of_another_text(case: Case) -> None:
    """Random evidence never counts, except about the whole text or a missing thing: no text contradicts these."""
    other = Case(
        group="", criterion="Names the seller.", candidate="Nothing of it.", answer=case.answer, is_right=False
    )
    assert not is_taken(other)


# ---------------------------------------------------------------- each kind


@pytest.mark.parametrize(
    ("evidence", "criterion", "reason"),
    [
        (kind("quotes", "built in 1833"), "Says when it was built.", "not in the candidate: “built in 1833”"),
        (kind("quotes", "Costs", "Benefits"), "Has costs.", "not in the candidate: “Benefits”"),
        (kind("quotes", "bridge"), "Says when it was built.", "too short to show it: “bridge”"),
        (kind("quotes"), "Says when it was built.", "no quotation of the candidate"),
        (kind("whole"), "Says when it was built.", "no quotation of the candidate"),
        (kind("absence", subject="doubt"), "Says when it was built.", "no quotation of the candidate"),
        (kind("count", subject="years", count=1), "Says when it was built.", "no quotation of the candidate"),
        (kind("absence", subject="BOLTS"), "Mentions no bolts.", "absent, but is there: “BOLTS”"),
        (kind("count", subject="bullets", count=4), "At most 9 bullets.", "4 bullets, but code counts 0 or 3"),
        (kind("count", subject="bullets", count=3), "At least 9 bullets.", "does not allow: 3"),
        (kind("count", subject="cracks", count=1), "Names at least one crack.", "without quotations"),
        (kind("count", subject="words", count=300), "At least 50 words.", "but code counts"),
        (kind("quotes", *["The deck drains well."] * (MOST_QUOTES + 1)), "Says how it drains.", "more than 20"),
        ({"kind": "rumour"}, "Says when it was built.", "no quotation of the candidate"),
        ({}, "Says when it was built.", "no quotation of the candidate"),
        (None, "Says when it was built.", "no quotation of the candidate"),
        (7, "Says when it was built.", "not in the candidate: “7”"),
    ],
)
def test_what_is_wrong_with_evidence_is_said(evidence: object, criterion: str, reason: str) -> None:
    assert reason in problem(evidence, criterion)


@pytest.mark.parametrize(
    "evidence",
    [
        kind("whole", "The bridge was built in 1932"),
        {"KIND": "Quotes", "Quotes": "The bridge was built in 1932"},
        {"quotes": ["The bridge was built in 1932"]},
        {"quote": "The bridge was built in 1932", "count": True},
        {"kind": "quotes", "quotes": ["The bridge was built in 1932", "none", ""], "count": 1e400},
    ],
)
def test_a_quotation_that_is_there_counts_whatever_its_kind_is_called(evidence: object) -> None:
    assert problem(evidence, "Says when it was built.") == ""


@pytest.mark.parametrize(
    ("subject", "text", "is_there"),
    [
        ("art", "We met at a party.", False),
        ("art", "It is ART!", True),
        ("pre-release", "A pre\N{NON-BREAKING HYPHEN}release.", True),
        ("e\u0301clair", "An \u00e9clair.", True),
        ("New York", "**New**\nYork", True),
        ("价格", "价格合理", True),
        ("票价", "价格合理", False),
        ("$", "It costs 5 $.", True),
        ("€", "It costs 5 $.", False),
    ],
)
def test_what_is_absent_is_looked_for_as_a_reader_would(subject: str, text: str, is_there: bool) -> None:
    assert bool(problem(kind("absence", subject=subject), "Does not speak of it.", text)) == is_there


@pytest.mark.parametrize(
    ("said", "criterion", "text", "counts"),
    [
        ("3 bullets", "At least two bullets", REPORT, True),
        ("exactly three bullet points", "At least two bullet points", REPORT, True),
        ("2 bullets", "At least two bullets", REPORT, False),
        ("共三个要点", "至少两个要点", CHINESE, True),
        ("4个要点", "至少两个要点", CHINESE, False),
        ("It has 95 words", "At most 100 words", REPORT, True),
        ("It has 120 words", "At most 100 words", REPORT, False),
        ("3 paragraphs", "Up to four paragraphs", LETTER, True),
    ],
)
def test_a_count_in_words_is_counted_again(said: str, criterion: str, text: str, counts: bool) -> None:
    assert (problem(said, criterion, text) == "") == counts


def test_evidence_is_told_in_words() -> None:
    assert evidence_of(kind("quotes", "a b c", "d e f")).in_words == "“a b c … d e f”"
    assert evidence_of(kind("absence", subject="jargon")).in_words == "no “jargon”"
    assert evidence_of(kind("count", subject="bullets", count=3)).in_words == "3 bullets"
    assert evidence_of(kind("whole")).in_words == ""
    assert evidence_of("sad \ud83d").in_words == "“sad ?”"


LONG = "x " * (MOST_QUOTE_CHARS // 2)


@pytest.mark.guard(name="evidence is short enough to be looked for")
@pytest.mark.parametrize(
    "evidence",
    [f"{LONG}x", kind("quotes", f"{LONG}x"), kind("count", count=3, subject=f"{LONG}x")],
)
def test_evidence_that_is_too_long_is_refused_before_it_is_looked_for(evidence: object) -> None:
    assert problem(evidence, "At least two bullets") == "a quotation or a subject of more than 4,000 characters"
    assert problem(LONG, "Names x.", LONG) == ""


@pytest.mark.parametrize("said", ["1" * 5_000, "1," * 5_000])
def test_a_count_of_endless_digits_is_none(said: str) -> None:
    assert problem(f"{said[:3_000]} bullets", "At least two bullets")
    assert counting.claim_in(f"{said} bullets") is None
    assert counting.allows(f"at least {said} bullets", 3) in (None, False)
    assert counting.subject_of(f"has {said} bullets") == ""


def test_a_unit_with_a_long_run_is_read_in_linear_time() -> None:
    def read(text: str) -> object:
        return counting.counts_of(REPORT, text, "At least two bullets")

    assert counting.counts_of(REPORT, "the bullets in total ..", "At least two bullets") != (frozenset(), False)
    assert not outgrows(read, Run("", ".", "x"), 2_000, most=8, floor=0.01)
