"""The mock model: deterministic, honest about failing, and able to satisfy what plans ask for."""

from __future__ import annotations

import dataclasses
import json

import pytest

from planner_svc.criteria.criteria import check_of_criterion
from planner_svc.wire.checks import check_to_proto
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import (
    Heard,
    artifact,
    citations,
    contains,
    count,
    json_schema,
    language,
    length,
    regex,
    required_keys,
    task,
    to_execute,
    to_judge,
    words,
)
from worker_svc.assignment import CandidateResult, FailureResult, Feedback, VerdictResult
from worker_svc.executor import Executor
from worker_svc.mock import MockModel
from worker_svc.validate.checks import check_result
from worker_svc.validate.validator import Validator

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


async def work(spec: plan_pb2.TaskSpec, model: str = "mock", attempt: int = 1) -> CandidateResult | FailureResult:
    result = await Executor(MockModel.of(model))(to_execute(spec, attempt=attempt), Heard())
    assert isinstance(result, CandidateResult | FailureResult)
    return result


async def made(spec: plan_pb2.TaskSpec, model: str = "mock", attempt: int = 1) -> str:
    result = await work(spec, model, attempt)
    assert isinstance(result, CandidateResult)
    return result.content.decode()


async def judged(content: str, spec: plan_pb2.TaskSpec) -> VerdictResult:
    validator = Validator(MockModel())
    verdict = await validator(to_judge(content, spec), Heard())
    await validator.close()
    return verdict


async def signed_off(spec: plan_pb2.TaskSpec) -> str:
    """Returns the mock's candidate for a task, after the mock has signed it off."""
    content = await made(spec)
    verdict = await judged(content, spec)
    assert verdict.outcome == PASS, verdict.feedback
    return content


# ---------------------------------------------------------------- what it writes


async def test_a_shape_in_the_format_decides_keys_and_types() -> None:
    content = json.loads(await signed_off(task("JSON: { papers: [{ title, year, tags: string[] }], total: number }")))
    assert list(content) == ["papers", "total"]
    assert list(content["papers"][0]) == ["title", "year", "tags"]
    assert [type(value) for value in content["papers"][0].values()] == [str, int, list]


@pytest.mark.parametrize(
    "output_format", ["JSON", "json object", "JSON: [{ name }]", "JSON array", "JSON: {", "JSON ]["]
)
async def test_any_json_format_gives_json_with_something_in_it(output_format: str) -> None:
    assert json.loads(await signed_off(task(output_format)))


async def test_a_document_quotes_its_task_its_inputs_and_the_feedback() -> None:
    feedback = Feedback(summary="Name Mars, please.", results=(), previous_candidate=None)
    assignment = to_execute(
        task("Markdown", description="撰写综合分析报告"), inputs=(artifact("x", name="趋势"),), feedback=feedback
    )
    result = await Executor(MockModel())(assignment, Heard())
    assert isinstance(result, CandidateResult)
    text = result.content.decode()
    assert text.startswith("# 撰写综合分析报告\n")
    assert "- 趋势 (" in text
    assert "Name Mars, please." in text


@pytest.mark.parametrize(
    "checks",
    [
        (required_keys("a", "b.c"),),
        (json_schema({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 7}}}),),
        (json_schema({"type": "array", "minItems": 5, "items": {"enum": ["x", "y"]}}),),
        (json_schema({"$ref": "#/$defs/p", "$defs": {"p": {"type": "object", "required": ["q"]}}}),),
        (length(3_000),),
        (length(0, 120),),
        (regex(r'"title"'), length(1_000, 2_000)),
        (count("papers", 7, 9),),
        (count("", 0, 4), count("a.b", 3)),
        (count("", 0, 2),),
        (count("", 9),),
        (words(200),),
        (citations(3), words(20)),
        (contains("the sea", "a, b"),),
        (plan_pb2.Check(number=plan_pb2.NumberCheck(path="a.b", min=0.5)),),
        (plan_pb2.Check(number=plan_pb2.NumberCheck(path="a", max=-3)),),
        (language("zh"),),
        (language("fr"), required_keys("résumé")),
    ],
)
async def test_json_satisfies_the_checks_of_its_plan(checks: tuple[plan_pb2.Check, ...]) -> None:
    json.loads(await signed_off(task("JSON", checks=checks)))


@pytest.mark.parametrize(
    "checks",
    [
        (length(5_000, 6_000),),
        (length(0, 40),),
        (length(100, 100),),
        (regex(r"^## Summary\n"),),
        (regex(r"\d{4}-\d{2}-\d{2}"), regex(r"(?i)conclusion")),
        (regex(r"The end\.$"), length(300)),
        (regex(r"TODO", absent=True),),
        (words(500),),
        (words(0, 12),),
        (words(30, 40), length(0, 1_000)),
        (words(100, 100), language("ja")),
        (citations(5),),
        (language("de"), words(200), citations(2)),
        (contains("the sea", "a, b"), words(100)),
        (plan_pb2.Check(contains=plan_pb2.ContainsCheck(phrases=["sea", "x"], min_occurrences=9, any=True)),),
        (
            plan_pb2.Check(starts_with=plan_pb2.StartsWithCheck(phrase="Dear you")),
            plan_pb2.Check(ends_with=plan_pb2.EndsWithCheck(phrase="Goodbye.")),
            plan_pb2.Check(title=plan_pb2.TitleCheck()),
            words(300),
        ),
    ],
)
async def test_a_document_satisfies_the_checks_of_its_plan(checks: tuple[plan_pb2.Check, ...]) -> None:
    await signed_off(task("Markdown", checks=checks))


@pytest.mark.parametrize(
    "criterion",
    [
        "at least 200 words",
        "between 100 and 150 words",
        "at least 3 sources with URLs",
        "at least 3 sources with DOIs",
        "at least 3 sources such as [1]",
        "at least 3 sources in the form [^1]",
        "mentions 'Mars'",
        "contains the exact phrase 'The Red Planet'",
        "must not contain 'TODO'",
        "至少500字",
        "300到500字",
        "包含“金星”",
    ],
)
async def test_code_decides_what_it_writes_for_a_criterion_that_became_a_check(criterion: str) -> None:
    check = check_of_criterion(criterion)
    assert check is not None
    made_of_it = check_to_proto(dataclasses.replace(check, criterion=1))
    content = await made(task("Markdown", criteria=(criterion,), checks=(made_of_it,)))
    assert check_result(made_of_it, content.encode()).outcome == PASS


@pytest.mark.parametrize("code", ["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "uk", "zh"])
@pytest.mark.parametrize("output_format", ["Markdown", "JSON: { title, summary: string }"])
async def test_it_writes_in_the_language_that_is_asked_for(code: str, output_format: str) -> None:
    content = await made(task(output_format, checks=(language(code),)))
    assert check_result(language(code), content.encode()).outcome == PASS


@pytest.mark.parametrize("output_format", ["Markdown", "JSON: { summary: string }", "text"])
async def test_phrases_that_criteria_quote_are_written(output_format: str) -> None:
    criteria = ("Contains 'Mars' and 'Venus'.", "包含“金星”", "Does not mention 'Pluto'.")
    content = await signed_off(task(output_format, criteria=criteria))
    for phrase in ("Mars", "Venus", "金星"):
        assert phrase in content
    assert "Pluto" not in content


# ---------------------------------------------------------------- how it judges


@pytest.mark.parametrize(
    ("content", "criterion", "says"),
    [
        ("Venus", "The text contains 'Mars'.", "does not contain 'Mars'"),
        ("Venus", "Mentions “Mars”, “Venus” and “Saturn”", "does not contain 'Mars', 'Saturn'"),
        ("金星", "必须提到「火星」", "does not contain '火星'"),
        ("Pluto!", 'It doesn\'t include "Pluto"', "must not contain 'Pluto'"),
        ("a TODO", "Contains no 'FIXME' or 'TODO'", "must not contain 'TODO'"),
        ("冥王星", "不包含“冥王星”", "must not contain '冥王星'"),
        ("[mock: made to be rejected] so", "Is good", "marker"),
    ],
)
async def test_evidence_against_a_criterion_fails_it(content: str, criterion: str, says: str) -> None:
    verdict = await judged(content, task(criteria=(criterion,)))
    assert verdict.outcome == FAIL
    assert says in verdict.feedback


@pytest.mark.parametrize(
    "criterion",
    [
        "Is well written",
        "The author's style is plain, it's good",
        "contains 'MARS'",
        "mentions 'Mars' or 'Venus'",
        'Don\'t say "Pluto"',
    ],
)
async def test_a_criterion_passes_when_nothing_speaks_against_it(criterion: str) -> None:
    assert (await judged("Mars is red", task(criteria=(criterion,)))).outcome == PASS


# ---------------------------------------------------------------- how it fails


async def test_the_same_seed_task_and_attempt_give_the_same_result() -> None:
    def spec(n: int) -> plan_pb2.TaskSpec:
        return task("JSON", task_id=f"1_{n}")

    first = [await work(spec(n), "mock:fail=0.4,reject=0.4,seed=7") for n in range(40)]
    again = [await work(spec(n), "mock:fail=0.4,reject=0.4,seed=7") for n in range(40)]
    other = [await work(spec(n), "mock:fail=0.4,reject=0.4,seed=8") for n in range(40)]
    assert first == again
    assert [type(result) for result in first] != [type(result) for result in other]


async def test_failures_come_about_as_often_as_told_and_another_attempt_may_pass() -> None:
    specs = [task(task_id=str(n)) for n in range(500)]
    failed = [spec for spec in specs if isinstance(await work(spec, "mock:fail=0.3"), FailureResult)]
    assert 100 < len(failed) < 200
    second = [await work(spec, "mock:fail=0.3", attempt=2) for spec in failed]
    assert 0 < sum(isinstance(result, CandidateResult) for result in second) < len(second)


async def test_a_told_failure_is_transient_and_says_that_it_was_told() -> None:
    result = await work(task(), "mock:fail=1")
    assert isinstance(result, FailureResult)
    assert result.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert "as fail=1 asks (task 1_1, attempt 1)" in result.message


@pytest.mark.parametrize("spec", [task("JSON"), task("JSON: { a }"), task("Markdown"), task(criteria=("Is good",))])
async def test_a_candidate_made_to_be_rejected_is_rejected_and_each_attempts_is_another(
    spec: plan_pb2.TaskSpec,
) -> None:
    first, second = [await made(spec, "mock:reject=1", attempt) for attempt in (1, 2)]
    assert first != second
    assert (await judged(first, spec)).outcome == FAIL


async def test_a_judge_that_broke_may_judge_the_same_attempt_the_next_time() -> None:
    validator = Validator(MockModel.of("mock:judge_error=0.5,seed=1"))
    outcomes = [(await validator(to_judge("Mars"), Heard())).outcome for _ in range(20)]
    assert set(outcomes) == {PASS, ERROR}
    again = Validator(MockModel.of("mock:judge_error=0.5,seed=1"))
    assert outcomes == [(await again(to_judge("Mars"), Heard())).outcome for _ in range(20)]


async def test_a_judge_that_always_breaks_says_so() -> None:
    validator = Validator(MockModel.of("mock:judge_error=1"))
    verdict = await validator(to_judge("Mars"), Heard())
    assert (verdict.outcome, "the mock judge broke" in verdict.feedback) == (ERROR, True)


async def test_options_that_change_answers_change_the_maker_and_the_delay_does_not() -> None:
    plain, slow, seeded = (
        Executor(MockModel.of(spec)).offer.makers for spec in ("mock", "mock:delay=1", "mock:seed=1")
    )
    assert plain == slow != seeded


async def test_thinking_comes_in_several_pieces_before_the_answer() -> None:
    report = Heard()
    await Executor(MockModel())(to_execute(inputs=(artifact("x", name="hints"),)), report)
    assert len(report.pieces) >= 4
    assert report.pieces[:2] == ["The task is: List the planets\n", "I am given: hints.\n"]
    assert report.token_counts == list(range(1, len(report.pieces) + 1))
