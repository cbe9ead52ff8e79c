"""Deterministic checks: passes, and reasons that tell an author what to mend."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import citations, count, json_schema, length, regex, required_keys, words
from worker_svc.validate import checks
from worker_svc.validate.checking import promised
from worker_svc.validate.checking.schema import MAX_PROBLEMS

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


def outcome_of(check: plan_pb2.Check, content: str | bytes) -> tuple[int, str]:
    result = checks.check_result(check, content.encode() if isinstance(content, str) else content)
    assert result.deterministic
    assert result.criterion
    assert bool(result.reason) == (result.outcome != PASS)
    return result.outcome, result.reason


def implicit(content: bytes, output_format: str) -> dict[str, int]:
    results = checks.implicit_results(content, plan_pb2.TaskOutput(format=output_format))
    return {result.criterion: result.outcome for result in results}


@pytest.mark.parametrize("content", [b"", b" \n\t "])
def test_an_empty_candidate_fails_whatever_the_plan_says(content: bytes) -> None:
    assert implicit(content, "Markdown")[checks.NOT_EMPTY] == FAIL


def test_a_candidate_that_is_not_utf8_fails_with_the_place() -> None:
    results = checks.implicit_results(b"caf\xe9 au lait", plan_pb2.TaskOutput())
    assert results[1].outcome == FAIL
    assert "byte 3 is 0xe9" in results[1].reason


@pytest.mark.parametrize("content", ["{", "```json\n{}\n```", "NaN", '{"a": Infinity}', "[" * 100_000, "{'a': 1}"])
def test_what_is_not_json_fails_where_json_is_promised(content: str) -> None:
    assert implicit(content.encode(), "JSON")[promised.IS_JSON] == FAIL
    assert promised.IS_JSON not in implicit(content.encode(), "Markdown")


def test_a_json_error_names_line_column_and_what_stands_there() -> None:
    found, reason = outcome_of(plan_pb2.Check(json=plan_pb2.JsonCheck()), '{\n  "a": 1,\n  b: 2\n}')
    assert found == FAIL
    assert "line 3, column 3" in reason
    assert "b: 2" in reason


def test_a_schema_failure_names_path_and_problem() -> None:
    schema = {"type": "object", "properties": {"papers": {"items": {"required": ["title"]}}}}
    found, reason = outcome_of(json_schema(schema), '{"papers": [{"title": "x"}, {"year": 1}]}')
    assert (found, reason) == (FAIL, "$.papers[1]: 'title' is a required property")


def test_at_most_ten_schema_problems_are_listed() -> None:
    found, reason = outcome_of(json_schema({"items": {"type": "string"}}), json.dumps(list(range(50))))
    assert found == FAIL
    assert reason.count("is not of type") == MAX_PROBLEMS
    assert reason.endswith("and more")


def test_a_huge_instance_is_not_quoted_whole() -> None:
    _, reason = outcome_of(json_schema({"type": "string"}), json.dumps(["x" * 100_000]))
    assert len(reason) < 500


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("{", "is not JSON"),
        ('{"type": "strong"}', "is not valid"),
        ('{"$ref": "https://example.com/schema.json"}', "refers to what it does not contain"),
        ('{"$ref": "#/$defs/missing"}', "refers to what it does not contain"),
        ('{"$ref": "#"}', "refers to itself without end"),
        ('{"pattern": "("}', "cannot be applied: expected a regular expression of ECMA-262 with a ) for every ("),
        ('{"dependencies": {}, "$defs": {}}', "expected keywords of one draft"),
        ("[1]", "is not valid"),
    ],
)
def test_a_broken_schema_is_an_error_and_neither_pass_nor_fail(schema: str, says: str) -> None:
    check = plan_pb2.Check(json_schema=plan_pb2.JsonSchemaCheck(schema_json=schema))
    found, reason = outcome_of(check, '"text"')
    assert found == ERROR
    assert says in reason


def test_a_schema_of_an_older_draft_is_read_as_that_draft() -> None:
    draft4 = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "number",
        "maximum": 5,
        "exclusiveMaximum": True,
    }
    assert outcome_of(json_schema(draft4), "4")[0] == PASS
    assert outcome_of(json_schema(draft4), "5")[0] == FAIL


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ('{"a": {"b": 1}, "c": null}', ""),
        ('{"a.b": 1, "c": 2}', ""),
        ('{"a": {"x": 1}, "c": 2}', "a.b"),
        ('{"a": "b"}', "a.b, c"),
        ("{}", "a.b, c"),
    ],
)
def test_required_keys_may_lie_deeper_and_missing_ones_are_named(content: str, missing: str) -> None:
    found, reason = outcome_of(required_keys("a.b", "c"), content)
    assert found == (FAIL if missing else PASS)
    assert not missing or f"missing keys: {missing};" in reason


@pytest.mark.parametrize(("content", "kind"), [("[1]", "an array"), ("true", "a boolean"), ("3", "a number")])
def test_required_keys_of_something_else_say_what_came(content: str, kind: str) -> None:
    assert outcome_of(required_keys("a"), content) == (FAIL, f"expected a JSON object, but got {kind}")


def test_a_regex_is_searched_anywhere_and_may_be_forbidden() -> None:
    assert outcome_of(regex(r"\d{4}"), "in 2024")[0] == PASS
    assert outcome_of(regex(r"\d{4}"), "in May") == (FAIL, "no part of the candidate matches")
    assert outcome_of(regex("TODO", absent=True), "done")[0] == PASS
    assert (
        outcome_of(regex("TODO", absent=True), "a TODO")[1]
        == "it must not match, but character 2 begins a match: 'TODO'"
    )


@pytest.mark.parametrize("pattern", ["(", "a{99999999999999999999}", "(?P<n>a)(?P<n>b)"])
def test_a_broken_pattern_is_an_error(pattern: str) -> None:
    found, reason = outcome_of(regex(pattern), "text")
    assert found == ERROR
    assert "is not a regular expression" in reason


def test_length_counts_characters_and_bounds_are_inclusive() -> None:
    assert outcome_of(length(2, 2), "行星")[0] == PASS
    assert outcome_of(length(3), "行星") == (FAIL, "expected at least 3 characters, but got 2")
    assert outcome_of(length(0, 1), "行星") == (FAIL, "expected at most 1 characters, but got 2")
    assert outcome_of(length(0, 0), "x")[0] == FAIL


PAPERS = '{"papers": [{"title": "x"}, {"title": "y"}], "by": {"year": {"2023": 1}}, "a.b": [1], "n": 3}'


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (count("papers", 2, 2), ""),
        (count("", 4, 4), ""),
        (count("by.year", 1), ""),
        (count("a.b", 0, 1), ""),
        (count("papers", 3), "expected at least 3 entries at papers, but got 2"),
        (count("papers", 0, 1), "expected at most 1 entries at papers, but got 2"),
        (count("", 5), "expected at least 5 entries, but got 4"),
        (count("n", 1), "expected an array or an object at n, but got a number"),
        (
            count("by.month", 1),
            "expected an array or an object at by.month, but there is none; top-level keys are: papers, by, a.b, n",
        ),
    ],
)
def test_count_counts_the_entries_at_a_path(check: plan_pb2.Check, reason: str) -> None:
    assert outcome_of(check, PAPERS) == (FAIL if reason else PASS, reason)


def test_count_takes_arrays_and_says_what_else_came() -> None:
    assert outcome_of(count("", 2), "[1, 2]")[0] == PASS
    assert outcome_of(count("a", 1), "[1, 2]")[1] == (
        "expected an array or an object at a, but there is none; the whole is an array"
    )
    assert outcome_of(count("", 0), '"text"') == (FAIL, "expected an array or an object, but got a string")
    assert outcome_of(count("", 0), "text")[0] == FAIL


def test_a_check_of_an_unknown_kind_is_an_error() -> None:
    assert outcome_of(plan_pb2.Check(), "text")[0] == ERROR


def test_programs_and_functions_are_none_of_this_modules_business() -> None:
    assert outcome_of(plan_pb2.Check(function=plan_pb2.FunctionCheck(name="f")), "text")[0] == ERROR


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(value=json_values, path=st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=3))
@settings(derandomize=True, deadline=None)
def test_a_required_path_is_found_exactly_where_walking_down_finds_it(value: Any, path: list[str]) -> None:
    def walk(at: Any, steps: list[str]) -> bool:
        """Does the same in the obvious way: tries every split of the path into keys."""
        if not steps:
            return True
        return isinstance(at, dict) and any(
            ".".join(steps[:n]) in at and walk(at[".".join(steps[:n])], steps[n:]) for n in range(1, len(steps) + 1)
        )

    found, _ = outcome_of(required_keys(".".join(path)), json.dumps({"root": value, "a": value}))
    assert (found == PASS) == walk({"root": value, "a": value}, path)


@given(content=st.binary(max_size=64), output_format=st.sampled_from(["JSON", "Markdown", ""]))
@settings(derandomize=True, deadline=None)
def test_no_bytes_make_a_check_raise(content: bytes, output_format: str) -> None:
    checks.implicit_results(content, plan_pb2.TaskOutput(format=output_format))
    every = (required_keys("a"), regex("a"), regex("a", absent=True), length(1), json_schema({"type": "object"}))
    for check in (*every, count("a", 1), words(1), citations(1)):
        outcome_of(check, content)
