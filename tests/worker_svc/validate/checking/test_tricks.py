"""Candidates that would look different to a check and to a reader."""

from __future__ import annotations

import json

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import citations, count, json_schema, length, regex, required_keys, words
from worker_svc.validate import checks
from worker_svc.validate.checking import promised

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

UNSEEN = "\u200b\u2060\ufeff\U000e0041\u00ad\u3164\u202e"
IS_JSON = plan_pb2.Check(json=plan_pb2.JsonCheck())


def outcome_of(check: plan_pb2.Check, content: str) -> tuple[int, str]:
    result = checks.check_result(check, content.encode())
    return result.outcome, result.reason


def implicit(content: str, output_format: str = "Markdown") -> dict[str, tuple[int, str]]:
    results = checks.implicit_results(content.encode(), plan_pb2.TaskOutput(format=output_format))
    return {result.criterion: (result.outcome, result.reason) for result in results}


@pytest.mark.parametrize("content", [UNSEEN, f" \n{UNSEEN}\t", "\x00\x01\x7f", "\ufeff"])
def test_a_candidate_of_nothing_that_can_be_seen_is_empty(content: str) -> None:
    found, reason = implicit(content)[checks.NOT_EMPTY]
    assert found == FAIL
    assert "none of its characters can be seen" in reason


def test_a_nul_is_no_text_for_some_readers_end_there() -> None:
    assert implicit("Mars\x00 and more")[checks.IS_TEXT] == (FAIL, "expected text, but character 4 is NUL (0x00)")
    for check in (length(1), words(1), regex("Mars"), citations(0), IS_JSON):
        assert outcome_of(check, '"Mars\x00"')[0] == FAIL


def test_other_characters_that_cannot_be_seen_are_no_fault_of_a_text() -> None:
    assert {found for found, _ in implicit("\ufeff# ❤️‍🔥 می\u200cخواهم").values()} == {PASS}


def test_a_byte_order_mark_is_no_json() -> None:
    found, reason = implicit('\ufeff{"a": 1}', "JSON")[promised.IS_JSON]
    assert found == FAIL
    assert "BOM" in reason


@pytest.mark.guard(name="no key twice")
@pytest.mark.parametrize(
    "content",
    [
        '{"ok": false, "ok": true}',
        '{"a": [{"ok": 1, "b": 2, "ok": 3}]}',
        '{"ok": 1, "\\u006fk": 2}',
        '{"ok": 1, "ok": 1}',
    ],
)
def test_a_key_that_comes_twice_is_no_json_for_readers_disagree_on_it(content: str) -> None:
    every = (IS_JSON, required_keys("ok"), count("", 1), json_schema({"type": "object"}))
    for found, reason in (
        implicit(content, "JSON")[promised.IS_JSON],
        *(outcome_of(check, content) for check in every),
    ):
        assert found == FAIL
        assert "the key 'ok' comes twice in one object" in reason


def test_the_same_key_in_different_objects_is_fine() -> None:
    assert outcome_of(IS_JSON, '{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}')[0] == PASS


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_only_python_reads_is_no_json(constant: str) -> None:
    assert outcome_of(IS_JSON, f"[{constant}]") == (FAIL, f"expected JSON, but it holds {constant}, which is not JSON")


def test_unseen_characters_make_no_text_long_enough() -> None:
    assert outcome_of(length(10), "Mars" + UNSEEN) == (
        FAIL, "expected at least 10 characters, but got 4 that can be seen, and 7 that cannot"
    )  # fmt: skip
    assert outcome_of(length(0, 10), "Mars" + UNSEEN) == (FAIL, "expected at most 10 characters, but got 11")
    assert outcome_of(words(2), "Ma\u200brs" + UNSEEN)[0] == FAIL


@pytest.mark.parametrize(
    "content", ["a TO\u200bDO here", '{"a": "\\u0054ODO"}', '{"\\u0054O\u00adDO": 1}', "T\u202eODO"]
)
def test_a_forbidden_pattern_is_found_where_a_reader_sees_it(content: str) -> None:
    found, reason = outcome_of(regex("TODO", absent=True), content)
    assert (found, reason) == (FAIL, "it must not match, but as a reader sees the candidate, this does: 'TODO'")


def test_a_forbidden_pattern_is_not_found_in_what_only_looks_like_an_escape() -> None:
    assert outcome_of(regex("TODO", absent=True), "the text \\u0054ODO is no JSON")[0] == PASS


def test_half_a_character_in_json_is_told_and_breaks_nothing() -> None:
    found, reason = outcome_of(required_keys("a"), json.dumps({"\ud800": 1}))
    assert (found, reason) == (FAIL, "missing keys: a; top-level keys are: ?")


def test_a_reason_stays_short_however_long_the_keys() -> None:
    assert len(outcome_of(required_keys("a"), json.dumps({"k" * 100_000: 1}))[1]) <= 4_000
