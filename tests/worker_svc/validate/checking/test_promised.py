"""Every candidate is checked for the promise of its format, whatever else its plan says."""

from __future__ import annotations

import json

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.validate import checks

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL


def promised(content: str, output_format: str) -> tuple[int, str, str]:
    """Returns the last of the implicit results: its outcome, its criterion, and its reason."""
    result = checks.implicit_results(content.encode(), plan_pb2.TaskOutput(format=output_format))[-1]
    return result.outcome, result.criterion, result.reason


@pytest.mark.guard(name="formats are promises")
@pytest.mark.parametrize(
    ("output_format", "words", "good", "bad"),
    [
        ("JSON", "is valid JSON", '{"a": 1}', "{'a': 1}"),
        ("application/json", "is valid JSON", "[1.5e3, 12345678901234567.89]", "a: 1"),
        ("JSON Lines", "is valid JSON Lines", '{"a": 1}\n[2]\n', '{"a": 1}\n\n[2]\n'),
        ("NDJSON", "is valid JSON Lines", '{"a": "\u2028"}', '{"a": 1}\n{"a": 1\n'),
        ("YAML", "is valid YAML", "a: 1\nb:\n  - x\n---\nc: &x [1]\nd: *x\n", "a: [1\nb: 2\n"),
        ("CSV", "is valid CSV", 'a,b\n1,"2\n3"\n', "a,b\n1,2,3\n"),
        ("CSV", "is valid CSV", "a;b\n1,5;2,5\n", 'a,b\n"1,2\n'),
        ("TSV", "is valid CSV", "a\tb\n1\t2\n", "a\tb\n1,\t2\t|3;\n"),
    ],
)
def test_a_candidate_keeps_the_promise_of_its_format(output_format: str, words: str, good: str, bad: str) -> None:
    assert promised(good, output_format) == (PASS, words, "")
    outcome, about, reason = promised(bad, output_format)
    assert (outcome, about) == (FAIL, words)
    assert reason.startswith("expected ")


@pytest.mark.parametrize("output_format", ["", "Markdown", "a Python script", "JSON or YAML", "Text about JSON"])
def test_a_format_that_promises_no_form_is_held_to_none(output_format: str) -> None:
    assert promised("{not: json", output_format)[1] == checks.IS_TEXT


@pytest.mark.guard(name="numbers fit in a double")
@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_that_readers_of_json_make_infinity_of_is_none(number: str) -> None:
    outcome, _, reason = promised(f'{{"limit": {number}}}', "JSON")
    assert (outcome, number in reason) == (FAIL, True)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("9" * 400, "400 digits"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999999999999999999999", "1e999999999999999999999"),
    ],
)
@pytest.mark.parametrize("output_format", ["JSON", "JSON Lines"])
def test_a_number_that_readers_of_json_cannot_hold_is_none(number: str, why: str, output_format: str) -> None:
    outcome, _, reason = promised(f'{{"limit": {number}}}', output_format)
    assert (outcome, why in reason) == (FAIL, True)


@pytest.mark.parametrize("number", ["1e308", "-1.7976931348623157e308", "5e-324", "9" * 308, "1e-400", "0"])
def test_a_number_that_a_double_holds_is_one(number: str) -> None:
    assert promised(f"[{number}]", "JSON")[0] == PASS


def test_each_of_the_lines_satisfies_a_schema_of_lines() -> None:
    schema = json.dumps({"type": "object", "required": ["a"]})
    check = plan_pb2.Check(json_schema=plan_pb2.JsonSchemaCheck(schema_json=schema, lines=True))
    assert checks.check_result(check, b'{"a": 1}\n{"a": 2}\n').outcome == PASS
    failed = checks.check_result(check, b'{"a": 1}\n{"b": 2}\n')
    assert (failed.outcome, failed.reason) == (FAIL, "line 2: $: 'a' is a required property")


def test_aliases_of_yaml_do_not_grow() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
    assert promised(bomb, "YAML")[0] == PASS
