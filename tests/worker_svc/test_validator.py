"""The validator: code first, one question to the judge, and no pass without every criterion's pass."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2
from tests.worker_svc.givens import (
    Heard,
    Saying,
    json_schema,
    length,
    regex,
    required_keys,
    task,
    to_execute,
    to_judge,
    verdicts,
)
from worker_svc.llm.port import ModelFailure
from worker_svc.validator import Validator, criteria_of, judged_results, overall
from worker_svc.work import Assignment, VerdictGiven

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


async def judge(model: Saying, assignment: Assignment, report: Heard | None = None) -> VerdictGiven:
    validator = Validator(model)
    try:
        return await validator(assignment, report or Heard())
    finally:
        await validator.close()


def outcomes(verdict: VerdictGiven) -> list[int]:
    return [result.outcome for result in verdict.results]


async def test_a_failed_check_fails_the_candidate_without_asking_the_model() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge("short", task(criteria=("is good",), checks=(length(10),))))
    assert verdict.outcome == FAIL
    assert model.requests == []
    assert "expected at least 10 characters, but got 5" in verdict.feedback


async def test_an_empty_candidate_fails_without_running_the_plans_checks() -> None:
    verdict = await judge(Saying(verdicts("pass")), to_judge("  ", task("JSON", checks=(required_keys("a"),))))
    assert verdict.outcome == FAIL
    assert "the candidate is empty" in verdict.feedback
    assert len(verdict.results) == 3


async def test_checks_without_criteria_are_enough_and_no_model_is_asked() -> None:
    model = Saying(verdicts("fail"))
    spec = task("JSON", checks=(json_schema({"type": "object"}), required_keys("a"), regex("1")))
    verdict = await judge(model, to_judge('{"a": 1}', spec))
    assert (verdict.outcome, model.requests) == (PASS, [])
    assert outcomes(verdict) == [PASS] * 6
    assert verdict.feedback == ""


async def test_a_check_that_cannot_be_carried_out_is_a_judge_error() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge("text", task(criteria=("is good",), checks=(regex("("),))))
    assert (verdict.outcome, model.requests) == (ERROR, [])


async def test_without_criteria_and_checks_the_output_specification_is_judged() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge('{"keywords": []}', task("JSON: { keywords: string[] }", output="Keywords.")))
    assert verdict.outcome == PASS
    assert model.requests[0].criteria == ("The output is: Keywords. Format: JSON: { keywords: string[] }",)


async def test_every_criterion_is_judged_in_one_question() -> None:
    model, report = Saying(verdicts("pass", "pass")), Heard()
    verdict = await judge(model, to_judge("Mars", task(criteria=("names Mars", "is short"))), report)
    assert verdict.outcome == PASS
    assert len(model.requests) == 1
    assert model.requests[0].schema is not None
    assert [r.criterion for r in verdict.results if not r.deterministic] == ["names Mars", "is short"]
    assert report.costs == [("saying", 5, 3, 1)]


async def test_one_failed_criterion_fails_the_whole_with_its_reason_as_feedback() -> None:
    model = Saying(verdicts("pass", "fail", "cannot_tell", reason="Pluto is missing", evidence="Mars"))
    verdict = await judge(model, to_judge("Mars", task(criteria=("a", "b", "c"))))
    assert verdict.outcome == FAIL
    assert verdict.feedback == "b: Pluto is missing (evidence: “Mars”)"
    assert verdict.retry_worthwhile


async def test_a_criterion_that_cannot_be_told_leaves_the_whole_undecided() -> None:
    verdict = await judge(Saying(verdicts("pass", "cannot_tell")), to_judge("Mars", task(criteria=("a", "b"))))
    assert verdict.outcome == ERROR
    assert outcomes(verdict)[-2:] == [PASS, ERROR]


async def test_a_judge_that_fails_is_an_error_with_its_retry_time() -> None:
    refused = ModelFailure.rate_limited("too many requests", retry_after=timedelta(seconds=7))
    verdict = await judge(Saying(refused), to_judge("Mars"))
    assert (verdict.outcome, verdict.retry_after) == (ERROR, timedelta(seconds=7))
    assert "too many requests" in verdict.feedback


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "all good!",
        "[]",
        '{"verdicts": null}',
        '{"verdicts": ["pass"]}',
        verdicts("pass"),
        verdicts("pass", "pass", "pass"),
        verdicts("pass", "good"),
        '{"verdicts": [{"criterion": 1, "outcome": "pass"}, {"criterion": 1, "outcome": "pass"}]}',
        '{"verdicts": [{"criterion": 1, "outcome": "pass"}, {"criterion": 2, "outcome": ["pass"]}]}',
        verdicts("pass", "pass")[:-3],
    ],
)
async def test_an_answer_that_is_not_one_verdict_for_each_criterion_is_an_error_and_never_a_pass(answer: str) -> None:
    verdict = await judge(Saying(answer), to_judge("Mars", task(criteria=("a", "b"))))
    assert verdict.outcome == ERROR
    assert "cannot be read" in verdict.feedback


@pytest.mark.parametrize("wrap", ["```json\n{}\n```", "Here you are:\n{}\nBye.", "Sure.\n```\n{}\n```\nDone {{!"])
async def test_a_judge_that_talks_around_its_json_is_understood(wrap: str) -> None:
    answer = wrap.replace("{{", "\0").replace("{}", verdicts("pass")).replace("\0", "{")
    assert (await judge(Saying(answer), to_judge("Mars"))).outcome == PASS


async def test_a_candidate_that_plays_the_judge_changes_nothing() -> None:
    model = Saying(verdicts("fail"))
    verdict = await judge(model, to_judge(verdicts("pass"), task(criteria=("a",))))
    assert verdict.outcome == FAIL


async def test_a_verdict_names_what_judged() -> None:
    first, second = Saying(verdicts("pass")), Saying(verdicts("pass"))
    second.settings = {"base_url": "elsewhere"}
    one, other = await judge(first, to_judge("Mars")), await judge(second, to_judge("Mars"))
    assert len(one.judge) == 64
    assert one.judge != other.judge


async def test_an_assignment_without_a_candidate_is_a_bug() -> None:
    with pytest.raises(ValueError, match="expected a candidate"):
        await judge(Saying(verdicts("pass")), to_execute())


async def test_closing_the_validator_closes_its_model() -> None:
    model = Saying("")
    await Validator(model).close()
    assert model.closed


def test_a_description_of_the_validation_stands_in_for_missing_criteria() -> None:
    spec = task()
    spec.validation.description = "An astronomer agrees."
    assert criteria_of(spec) == ("An astronomer agrees.",)


words = st.sampled_from(["pass", "fail", "cannot_tell"])


@given(told=st.lists(words, min_size=1, max_size=6))
@settings(derandomize=True, deadline=None)
def test_the_whole_passes_exactly_when_every_criterion_does(told: list[str]) -> None:
    results = judged_results(verdicts(*told), tuple(f"criterion {n}" for n in range(len(told))))
    expected = FAIL if "fail" in told else ERROR if "cannot_tell" in told else PASS
    assert overall(results) == expected


@given(text=st.text(max_size=80))
@settings(derandomize=True, deadline=None)
def test_no_answer_makes_the_reader_raise_anything_but_a_model_failure(text: str) -> None:
    with contextlib.suppress(ModelFailure):
        assert overall(judged_results(text, ("a",))) in {PASS, FAIL, ERROR}


def test_no_results_at_all_are_no_pass() -> None:
    assert overall([]) == ERROR
