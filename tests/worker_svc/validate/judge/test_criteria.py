"""The nature of a criterion, by its words: it decides which evidence counts."""

from __future__ import annotations

import pytest

from worker_svc.validate.judge.criteria import (
    ALLOWED,
    Ground,
    Nature,
    allowed_for,
    is_across,
    is_in_one_place,
    nature_of,
)

FORBIDS, AMOUNT, WHOLE, PRESENCE, OTHER = Nature


@pytest.mark.parametrize(
    ("criterion", "nature"),
    [
        ("Contains no personal data.", FORBIDS),
        ("Must not mention competitors", FORBIDS),
        ("The text doesn’t use jargon.", FORBIDS),
        ("Holds no passwords.", FORBIDS),
        ("Avoids the passive voice", FORBIDS),
        ("No headings.", FORBIDS),
        ("Is free of spelling errors", FORBIDS),
        ("Written without slang", FORBIDS),
        ("不得包含个人信息", FORBIDS),
        ("没有错别字", FORBIDS),
        ("避免使用术语", FORBIDS),
        ("不要解释原因", FORBIDS),
        ("未提及价格", FORBIDS),
        ("At least three examples are given", AMOUNT),
        ("Has exactly 5 bullet points.", AMOUNT),
        ("No more than two sentences", AMOUNT),
        ("Must not be longer than 200 words.", AMOUNT),
        ("Lists three causes", AMOUNT),
        ("Between two and four paragraphs", AMOUNT),
        ("至少三个例子", AMOUNT),
        ("不超过五句", AMOUNT),
        ("The tone is friendly.", WHOLE),
        ("Is written in British English", WHOLE),
        ("Terms are used consistently", WHOLE),
        ("语气正式", WHOLE),
        ("用中文写成", WHOLE),
        ("Mentions the author's name", PRESENCE),
        ("Explains why the engine failed.", PRESENCE),
        ("Explains why there is no life on Venus", PRESENCE),
        ("States that no refunds are given", PRESENCE),
        ("Describes the architectural style", PRESENCE),
        ("Describes a recipe without eggs", PRESENCE),
        ("Is not only correct but gives a source", PRESENCE),
        ("Has a summary and no typos", PRESENCE),
        ("Mentions 'no refunds'", PRESENCE),
        ("说明无人机的用途", PRESENCE),
        ("解释为什么没有通过", PRESENCE),
        ("包含目录", PRESENCE),
        ("Is good.", OTHER),
        ("An astronomer agrees.", OTHER),
    ],
)
def test_a_criterion_is_of_one_nature(criterion: str, nature: Nature) -> None:
    assert nature_of(criterion) is nature


def test_every_nature_allows_quotations_and_what_must_be_there_nothing_else() -> None:
    assert set(ALLOWED) == set(Nature)
    assert all(Ground.QUOTES in grounds for grounds in ALLOWED.values())
    assert ALLOWED[PRESENCE] == ALLOWED[OTHER] == {Ground.QUOTES}
    assert allowed_for("Contains no prices") == {Ground.ABSENCE, Ground.QUOTES, Ground.WHOLE}


@pytest.mark.parametrize(
    ("criterion", "across", "one_place"),
    [
        ("Names the author", False, True),
        ("包含目录", False, True),
        ("Each chapter names its author", False, False),
        ("Contains no prices", False, False),
        ("The tone is friendly", False, False),
        ("Terms are used consistently", True, False),
        ("Has at least nine chapters", True, False),
        ("Ends with a summary", True, False),
        ("Does not contradict itself", True, False),
        ("章节顺序正确", True, False),
    ],
)
def test_some_criteria_are_seen_in_one_place_some_everywhere_and_some_only_in_the_whole(
    criterion: str, across: bool, one_place: bool
) -> None:
    assert is_across(criterion) == across
    assert is_in_one_place(criterion) == one_place
