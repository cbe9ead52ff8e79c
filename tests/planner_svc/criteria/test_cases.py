"""Criteria as people write them: the check that each becomes, and its verdict on candidates, as one table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.judging.criteria import JUDGE, Row, figures, problems, rows

ROWS = rows()
CHECKS_PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")


@pytest.mark.guard(name="a phrase inside another word is left to the judge")
@pytest.mark.guard(name="a name with a forbidden word has it")
@pytest.mark.guard(name="a dash is a dash")
@pytest.mark.guard(name="a phrase that may stand for others is no check")
@pytest.mark.guard(name="sources are counted only when their marks are told")
@pytest.mark.guard(name="words are counted only where people agree")
def test_every_criterion_comes_out_as_it_is_meant() -> None:
    assert problems(ROWS) == []


def test_the_table_is_large_and_has_both_languages_and_both_ways() -> None:
    chinese = [row for row in ROWS if re.search("[一-鿿]", row.criterion)]
    judged = [row for row in ROWS if row.becomes == JUDGE]

    assert len(ROWS) >= 300
    assert len(chinese) >= 80
    assert len(ROWS) / 3 < len(judged) < len(ROWS) * 2 / 3


def test_every_criterion_stands_once() -> None:
    seen: dict[tuple[str, str], Row] = {}
    for row in ROWS:
        earlier = seen.setdefault((row.criterion, row.output_format), row)
        assert earlier is row, f"{row.place} is the same as {earlier.place}"


def test_the_figures_stand_in_the_docs() -> None:
    page = " ".join(CHECKS_PAGE.split())
    for figure in figures(ROWS):
        assert figure in page
