"""Parts of a text, phrases, and numbers in JSON: the cases that IFEval's kinds do not reach."""

from __future__ import annotations

import time
from typing import Any

import pytest

from planner_svc.checks.structured import check_from_json
from planner_svc.wire.checks import check_to_proto
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.draws import so_many
from tests.support.patterns import Run, outgrows
from worker_svc.validate.checking import parts
from worker_svc.validate.checking.text.folding import folded, without_emphasis
from worker_svc.validate.checking.text.markdown import without_code_spans
from worker_svc.validate.checking.text.sentences import sentences_in
from worker_svc.validate.checks import check_result

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


def outcome_of(check: dict[str, Any], content: str) -> tuple[int, str]:
    result = check_result(check_to_proto(check_from_json(check)), content.encode())
    return result.outcome, result.reason


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("... !!", []),
        ("No mark at all", ["No mark at all"]),
        ("One. Two.", ["One.", "Two."]),
        ("Mrs. X met Dr. Y. They left.", ["Mrs. X met Dr. Y.", "They left."]),
        ("It is 3.14. Not 3,14.", ["It is 3.14.", "Not 3,14."]),
        ("At 5 p.m. The U.S. Army left.", ["At 5 p.m.", "The U.S. Army left."]),
        ("See p. 4 and No. 5. He said no. Fine.", ["See p. 4 and No. 5.", "He said no.", "Fine."]),
        ("Plan B. It failed. J. K. Rowling wrote.", ["Plan B.", "It failed.", "J. K. Rowling wrote."]),
        ("In the U.S. The sun shone.", ["In the U.S.", "The sun shone."]),
        ("So do I. You?", ["So do I.", "You?"]),
        ("Well… no. Well… No!", ["Well… no.", "Well…", "No!"]),
        ("He asked “Why?” and left. (“So?”) Yes.", ["He asked “Why?” and left.", "(“So?”)", "Yes."]),
        ("**Bold.** *Next.* End", ["**Bold.**", "*Next.*", "End"]),
        ("What?! No!!! Yes.", ["What?!", "No!!!", "Yes."]),
        ("all small. no capitals? none.", ["all small.", "no capitals?", "none."]),
        ("你好。今天！“真的吗？”他问", ["你好。", "今天！", "“真的吗？”", "他问"]),
        ("你好!今天", ["你好!", "今天"]),
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("هل هذا؟ نعم.", ["هل هذا؟", "نعم."]),
        ("A line\nthat goes on.\n\nA new one", ["A line\nthat goes on.", "A new one"]),
        ("1. First\n2. Second\n- third. Fourth", ["First", "Second", "third.", "Fourth"]),
        ("# A. B.\nText.\n\nTitle\n-----\n| a. | b. |", ["Text."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert list(parts.sentences(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n\nc", ["a\nb", "c"]),
        ("a\n \t\n\n\nb\n", ["a", "b"]),
        ("# T\n\na\n\n---\n\nb\n\n<<T>>", ["a", "b"]),
        ("T\n===\n\na", ["a"]),
        ("Here:\n- x\n- y\n\n- z", ["Here:\nx\ny"]),
        ("1. a\n\n2. b", ["a", "b"]),
        ("```\na\n\nb\n```\n\nc", ["c"]),
        ("> a\n> b\n>\n> c", ["a\nb", "c"]),
        ("| a |\n|---|\n\n…", []),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert list(parts.paragraphs(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A #\n###### F\n####### no\n#no\n#\n    # code", ["A", "F"]),
        ("A\n=\nB\n--\n\nC\n-\nD\nE\n---", ["A", "B"]),
        ("~~~\n# no\n```\n# no\n~~~\n# yes", ["yes"]),
        ("```\n# no\n\n# no", []),
        ("- a\n  ```py\n  # no\n  ```\n# yes", ["yes"]),
        ("```one line``` is no fence\n# yes", ["yes"]),
        ("> # quoted", ["quoted"]),
        ("a > b\n# yes", ["yes"]),
    ],
)
def test_headings(text: str, expected: list[str]) -> None:
    assert list(parts.headings(text)) == expected


def test_sections_are_headings_with_text_below() -> None:
    assert list(parts.sections("intro\n# A\na\n## B\n---\n## C\nc\n# D")) == ["a", "c"]
    assert list(parts.sections("Part 1\na\nPart 10\nb\nPart 1b\nc", "Part")) == ["\na", "\nb\nPart 1b\nc"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a `b` c", "a  c"),
        ("a ``b ` c`` d", "a  d"),
        ("a ` b", "a ` b"),
        ("`a``b`", ""),
        ("``a`b`", "``a"),
        ("``", "``"),
    ],
)
def test_spans_of_code_end_at_as_many_backticks(text: str, expected: str) -> None:
    assert without_code_spans(text) == expected


def test_placeholders_left_over_are_found() -> None:
    none_left = {"type": "placeholders", "max_placeholders": 0}
    for left in (
        "Dear [Name],",
        "{{ date }}",
        "${total}",
        "<company name>",
        "<your_name>",
        "TODO: more",
        "Lorem ipsum",
    ):
        assert outcome_of(none_left, f"A text. {left}")[0] == FAIL, left
        assert outcome_of(none_left, f'{{"a": "{left}"}}')[0] == FAIL, left
    for fine in ("[1]", "[^1]", "- [ ] a\n- [x] b", "[a](http://b)", "![a](b)", "`[a]`", "a[i]", "<b>", "TODOS", "[…]",
                 "[a]: http://b", "[[1]]", "{a}", "[a][b]"):  # fmt: skip
        assert outcome_of(none_left, f"A text. {fine}") == (PASS, ""), fine
    assert outcome_of(none_left, '["a", ["b"]]')[0] == PASS


def test_bounds_are_inclusive_and_the_reason_says_what_was_counted() -> None:
    assert outcome_of({"type": "bullets", "min_bullets": 2, "max_bullets": 2}, "- a\n- b") == (PASS, "")
    assert outcome_of({"type": "bullets", "min_bullets": 3}, "- a\n- b") == (
        FAIL,
        "expected at least 3 bullets, but got 2",
    )
    assert outcome_of({"type": "sentences", "max_sentences": 1}, "One. Two.")[1] == (
        "expected at most 1 sentences, but got 2"
    )


def test_parts_that_must_differ_are_named_by_their_numbers() -> None:
    check = {"type": "bullets", "min_bullets": 1, "distinct": True}
    assert outcome_of(check, "- a\n- b") == (PASS, "")
    assert outcome_of(check, "- a\n- b\n- “A”\n- A ") == (
        FAIL,
        "expected bullets that differ, but number 4 is the same as number 1",
    )


def test_unseen_characters_make_no_part() -> None:
    assert outcome_of({"type": "paragraphs", "min_paragraphs": 2}, "a\n\n\u200b\u2060")[0] == FAIL
    assert outcome_of({"type": "headings", "max_headings": 0}, "\u200b# a")[0] == FAIL


def test_the_parts_of_json_are_those_of_its_strings() -> None:
    assert (
        outcome_of({"type": "sentences", "min_sentences": 2, "max_sentences": 2}, '{"key. Key": "One. Two."}')[0]
        == PASS
    )
    assert outcome_of({"type": "bullets", "min_bullets": 2}, '["- a\\n- b"]')[0] == PASS


def test_a_kind_of_part_that_is_unknown_is_an_error() -> None:
    for message in (plan_pb2.PartsCheck(min_parts=1), plan_pb2.PartsCheck.FromString(b"\x08\x63")):
        assert check_result(plan_pb2.Check(parts=message), b"text").outcome == ERROR


# ---------------------------------------------------------------- phrases


@pytest.mark.parametrize(
    ("one", "other"),
    [("Real‑Time", "real-time"), ("“x”", '"X"'), ("don’t", "don't"), ("a\u00a0\n b", "a b"),
     ("ﬁ", "FI"), ("é", "e\u0301"),
     ("ß", "SS"), ("，", ","), ("so\u00adft", "soft"), ("ＡＢ", "ab"), ("1–2", "1-2")],
)  # fmt: skip
def test_what_looks_the_same_compares_as_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("**New** York", "New York"), ("re**al**", "real"), ("_a_ snake_case __b__", "a snake_case b"),
     ("2 * 3*4", "2 * 3*4"),
     ("***a*** **_b_**", "a b"), ("*****", "*****"), ("* item", "* item"), ("**“a”**", "“a”")],
)  # fmt: skip
def test_marks_of_emphasis_are_no_part_of_a_phrase(text: str, expected: str) -> None:
    assert without_emphasis(text) == expected


def test_every_phrase_that_is_missing_is_named() -> None:
    assert outcome_of({"type": "contains", "phrases": ["a", "x", "y"]}, "a") == (
        FAIL,
        "expected at least 1 occurrences of 'x', but got 0; expected at least 1 occurrences of 'y', but got 0",
    )


def test_case_may_matter() -> None:
    check = {"type": "contains", "phrases": ["Mars"], "case_sensitive": True}
    assert outcome_of(check, "Mars")[0] == PASS
    assert outcome_of(check, "mars")[0] == FAIL
    assert outcome_of({"type": "starts_with", "phrase": "Dear", "case_sensitive": True}, "dear")[0] == FAIL
    assert outcome_of({"type": "ends_with", "phrase": "End.", "case_sensitive": True}, "the end.")[0] == FAIL


def test_whole_words_have_edges_on_both_sides() -> None:
    word = {"type": "contains", "phrases": ["art"], "whole_words": True, "min_occurrences": 2}
    assert outcome_of(word, "art, party cart art_art arts") == (PASS, "")
    assert outcome_of(word, "art party artful a\u0301rt art\u0301")[0] == FAIL
    assert outcome_of({"type": "starts_with", "phrase": "art", "whole_words": True}, "artful")[0] == FAIL
    assert outcome_of({"type": "ends_with", "phrase": "art", "whole_words": True}, "a cart")[0] == FAIL
    assert outcome_of({"type": "ends_with", "phrase": "art", "whole_words": True}, "an art.")[0] == FAIL
    assert outcome_of({"type": "ends_with", "phrase": "art", "whole_words": True}, "an art")[0] == PASS


def test_a_phrase_with_marks_is_searched_in_the_text_as_it_stands() -> None:
    assert outcome_of({"type": "contains", "phrases": ["**Note**"]}, "A **note** here")[0] == PASS
    assert outcome_of({"type": "contains", "phrases": ["**Note**"]}, "A note here")[0] == FAIL


def test_what_stands_in_the_place_of_a_phrase_is_shown() -> None:
    assert outcome_of({"type": "starts_with", "phrase": "Dear"}, "Hello you")[1] == (
        "expected the text to start with 'Dear', but it starts with 'hello you'"
    )
    assert outcome_of({"type": "starts_with", "phrase": "a", "paragraph": 3}, "a\n\nb")[1] == (
        "expected at least 3 paragraphs, but got 2"
    )
    assert len(outcome_of({"type": "ends_with", "phrase": "x" * 500}, "y" * 500)[1]) < 300


def test_a_check_without_a_phrase_is_an_error() -> None:
    assert check_result(plan_pb2.Check(ends_with=plan_pb2.EndsWithCheck()), b"text").outcome == ERROR


# ---------------------------------------------------------------- numbers


METRICS = """{"metrics": {"f1": 0.91, "loss": 2e-3, "n": 12}, "ok": true, "text": "0.9",
              "big": 123456789012345678901, "price": 19.99}"""


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ({"path": "metrics.f1", "min": 0.91, "max": 0.91}, ""),
        ({"path": "metrics.f1", "direction": "maximize", "threshold": 0.9}, ""),
        ({"path": "metrics.loss", "direction": "minimize", "threshold": 0.01}, ""),
        ({"path": "metrics.loss", "direction": "minimize", "threshold": 0.001},
         "expected at most 0.001 at metrics.loss, but got 0.002"),
        ({"path": "metrics.f1", "min": 0.95}, "expected at least 0.95 at metrics.f1, but got 0.91"),
        ({"path": "metrics.n", "min": 12, "max": 12}, ""),
        ({"path": "price", "max": 19.98}, "expected at most 19.98 at price, but got 19.99"),
        ({"path": "metrics", "min": 0}, "expected a number at metrics, but got an object"),
        ({"path": "ok", "min": 0}, "expected a number at ok, but got a boolean"),
        ({"path": "text", "min": 0}, "expected a number at text, but got a string"),
        ({"path": "big", "min": 0}, ""),
        ({"path": "big", "max": 9e15}, "expected at most 9e+15 at big, but got 123456789012345678901"),
        ({"path": "metrics.f2", "min": 0},
         "expected a number at metrics.f2, but there is none; top-level keys are: metrics, ok, text, big, price"),
    ],
)  # fmt: skip
def test_a_number_lies_within_its_bounds(check: dict[str, Any], reason: str) -> None:
    assert outcome_of({"type": "number", **check}, METRICS) == (FAIL if reason else PASS, reason)


@pytest.mark.guard(name="a bound is as it was written")
def test_a_number_that_is_its_bound_lies_within_it() -> None:
    assert outcome_of({"type": "number", "path": "price", "min": 19.99, "max": 19.99}, METRICS) == (PASS, "")


def test_a_number_may_be_all_of_the_output() -> None:
    assert outcome_of({"type": "number", "min": 1, "max": 2}, "1.5\n") == (PASS, "")
    assert outcome_of({"type": "number", "min": -1, "max": 0}, "-0.0")[0] == PASS
    assert outcome_of({"type": "number", "min": 1}, "about 1.5")[0] == FAIL
    assert outcome_of({"type": "number", "min": 1}, "NaN")[0] == FAIL


def test_a_bound_that_is_no_number_is_an_error() -> None:
    check = plan_pb2.Check(number=plan_pb2.NumberCheck(min=float("nan")))
    assert check_result(check, b"1").outcome == ERROR


# ---------------------------------------------------------------- time

LETTERS, LONGEST = so_many(80_000, long=200_000), 3.0  # seconds; what grows with the square takes minutes
HOSTILE = ("*", "*a", "[", "[a]:", "`", "`a``", "<<", "{{", "<a-", "_a", "> ",
           "a\n", "# a\n", "- a\n", '"', '"a ', "A. b! ",
           "a. ", "行。", "P.S. ", "SECTION 1\n", "a", "a ", "\u200b", "…", "**a* ")  # fmt: skip
CHECKS: tuple[dict[str, Any], ...] = (
    *({"type": kind, f"min_{kind}": 1, "distinct": True} for kind in (
        "sentences", "paragraphs", "bullets", "headings", "sections", "highlights", "placeholders", "uppercase_words")),
    {"type": "sections", "min_sections": 1, "separator": "SECTION"},
    {"type": "contains", "phrases": ["a", "a" * 3_000], "whole_words": True},
    {"type": "starts_with", "phrase": "a", "paragraph": 3},
    {"type": "ends_with", "phrase": "a"},
    {"type": "quoted"},
    {"type": "title"},
    {"type": "postscript"},
    {"type": "uppercase"},
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_takes_long(text: str) -> None:
    content = text * (LETTERS // len(text))
    for check in CHECKS:
        begun = time.process_time()
        outcome_of(check, content)
        assert time.process_time() - begun < LONGEST, check


@pytest.mark.guard(name="letters are looked for once")
def test_marks_without_letters_are_read_in_linear_time() -> None:
    def read(text: str) -> list[str]:
        return list(sentences_in(text, has_capitals=True))

    assert read("? ? Why? ! So. ?") == ["? ? Why?", "! So."]
    assert not outgrows(read, Run("", "? ", "x"), 2_000, most=8, floor=0.02)
