"""A text mentions a phrase as a word, in a name, inside another word, or not at all."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import made_from
from worker_svc.validate.checking.mentions import Mention, found_in
from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.lengths import lengths_of
from worker_svc.validate.checking.text.word_count import count_words, word_counts
from worker_svc.validate.checks import check_result
from worker_svc.validate.judge.evidence import Quotable

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
WORD, NAME, INSIDE, NOWHERE = Mention.WORD, Mention.NAME, Mention.INSIDE, Mention.NOWHERE

LOOKS_THE_SAME = [
    ("pre-release", "pre\u2011release"),
    ("pre-release", "pre\u00ad-release"),
    ("real-time", "Real\u2013Time"),
    ("café", "cafe\u0301"),
    ("ABC", "\uff21\uff22\uff23"),
    ("New York", "**New** York"),
    ("New York", "New\u00a0York"),
    ("New York", "*New York*"),
    ("New York", "_New_ `York`"),
    ("New York", "~~New~~ York"),
    ("New York", "New\r\nYork"),
    ("New York", "New\u200b York\u2060"),
    ("don't", "don\u2019t"),
    ("don't", "don`t"),
    ('say "yes"', "say \u201cyes\u201d"),
    ("Climate change", "climate change"),
]


@pytest.mark.parametrize(("phrase", "written"), LOOKS_THE_SAME)
def test_presence_absence_and_quotations_are_decided_on_the_same_folding(phrase: str, written: str) -> None:
    text = f"We know: {written}, and more."
    asked = plan_pb2.ContainsCheck(phrases=[phrase], min_occurrences=1)
    forbidden = plan_pb2.ContainsCheck(phrases=[phrase], max_occurrences=0)

    for made in (plan_pb2.Check.FromString, lambda wire: made_from(1, plan_pb2.Check.FromString(wire))):
        checks = [made(plan_pb2.Check(contains=check).SerializeToString()) for check in (asked, forbidden)]
        assert [check_result(check, text.encode()).outcome for check in checks] == [PASS, FAIL]
    assert Quotable(text).has(phrase)
    assert found_in(text, phrase) is WORD


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("log", "three logs", WORD),
        ("log", "the log's end", WORD),
        ("log", "the logs' end", WORD),
        ("item", "ITEMS", WORD),
        ("log", "log_file", NAME),
        ("log", "myLog.x", NAME),
        ("log", "parseLogEntry", NAME),
        ("log", "log@host", NAME),
        ("ITEM", "ITEMlist", NAME),
        ("log", "LOG", INSIDE),
        ("log", "blog", INSIDE),
        ("log", "login", INSIDE),
        ("log", "logs2", INSIDE),
        ("log", "a long tale", NOWHERE),
        ("LLM", "LLMs", WORD),
        ("AI", "AIs", WORD),
        ("AI", "AIS", INSIDE),
        ("AI", "Ais", INSIDE),
        ("wish", "wishes", WORD),
        ("wish", "wishs", INSIDE),
        ("potato", "potatoes", WORD),
        ("baby", "babies", WORD),
        ("Kelly", "Kellies", INSIDE),
        ("planet x", "planet x's", WORD),
        ("7", "7's", WORD),
        ("7", "17", INSIDE),
        ("7", "7.5", INSIDE),
        ("7", "7-9", INSIDE),
        ("7", "It is 7.", WORD),
        ("7", "7a", INSIDE),
        ("hat", "that's", INSIDE),
        ("don", "don't", INSIDE),
        ("it", "it's", WORD),
        ("Brien", "O'Brien", INSIDE),
        ("F", "F#", INSIDE),
        ("B", "B2B", INSIDE),
        ("T", "AT&T", INSIDE),
        ("(x)", "a(x)b", WORD),
        ("東京", "東京都", WORD),
        ("API", "新API接口", WORD),
        ("서울", "서울은", INSIDE),
        ("re-use", "reuse", INSIDE),
        ("responsive", "respon-\nsive", INSIDE),
        ("Q&A", "the Q&amp;A", INSIDE),
        ("Big Apple", "<i>Big</i> Apple", INSIDE),
        ("organise", "organising", INSIDE),
        ("file_name", "file\\_name", INSIDE),
        ("file_name", "*file_name*", WORD),
    ],
)
def test_where_a_phrase_stands_says_what_it_is(phrase: str, text: str, found: Mention) -> None:
    assert found_in(text, phrase) is found
    assert found_in(f"({text})", phrase) is found
    assert found_in(f"Before: {text} after", phrase) is found


def test_of_several_places_the_best_counts() -> None:
    assert found_in("login, log_file and a log", "log") is WORD
    assert found_in("login and log_file", "log") is NAME


def test_the_exact_phrase_has_its_case_and_no_plural() -> None:
    assert found_in("the Log", "Log", case_sensitive=True) is WORD
    assert found_in("the log", "Log", case_sensitive=True) is NOWHERE
    assert found_in("the Logs", "Log", case_sensitive=True) is INSIDE
    assert found_in("a **pre\u2011Log**", "pre-Log", case_sensitive=True) is WORD


def test_a_phrase_does_not_stand_in_two_strings_of_json() -> None:
    entry = plan_pb2.Check(contains=plan_pb2.ContainsCheck(phrases=["New York"], min_occurrences=1))
    apart, together = (json.dumps(value).encode() for value in (["New", "York"], ["in New York"]))

    assert [check_result(entry, content).outcome for content in (apart, together)] == [FAIL, PASS]
    assert [check_result(made_from(1, entry), content).outcome for content in (apart, together)] == [ERROR, PASS]


@given(text=st.text(max_size=60), phrase=st.text(min_size=1, max_size=8), exact=st.booleans())
@settings(derandomize=True, deadline=None)
def test_what_stands_between_spaces_is_always_found(text: str, phrase: str, exact: bool) -> None:
    assume(folded(phrase, marks=True) == folded(phrase) != "")
    assert found_in(f"{text} {phrase} .", phrase, case_sensitive=exact) is not NOWHERE


@given(text=st.text(max_size=80), phrase=st.text(max_size=6))
@settings(derandomize=True, deadline=None)
def test_no_text_and_no_phrase_makes_it_raise(text: str, phrase: str) -> None:
    assert found_in(text, phrase) in Mention


@given(text=st.text(max_size=80))
@settings(derandomize=True, deadline=None)
def test_the_ways_to_count_enclose_the_one_of_the_plans_own_checks(text: str) -> None:
    low, high = word_counts(text)
    assert low <= count_words(text) + text.count("_") <= high + text.count("_")
    for visible in (False, True):
        fewest, most = lengths_of(text, visible=visible)
        assert fewest <= most


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("a b c d e f", (6, 6)),
        ("人工智能，技术。", (6, 8)),
        ("用 Python 写", (3, 8)),
        ("- 一\n- 二", (2, 4)),
        ("", (0, 0)),
    ],
)
def test_letters_of_chinese_are_counted_with_and_without_punctuation(text: str, letters: tuple[int, int]) -> None:
    assert lengths_of(text, visible=True) == letters


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't", (1, 2)),
        ("## Title\n\n- one\n- two", (3, 3)),
        ("a — b", (2, 3)),
        ("人工智能技术发展", (1, 8)),
        ("", (0, 0)),
    ],
)
def test_words_are_counted_in_the_ways_that_people_count(text: str, words: tuple[int, int]) -> None:
    assert word_counts(text) == words


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "ab" * 100_000, "a_" * 100_000, "<" * 200_000, "*a" * 100_000, "a'" * 100_000, "行" * 200_000],
)
@pytest.mark.parametrize("phrase", ["aa", "a" * 300, "ab", "a'a", "行", "zy"])
def test_no_text_takes_long(text: str, phrase: str) -> None:
    begun = time.process_time()
    found_in(text, phrase)
    assert time.process_time() - begun < 2.0
