"""The executor: a model's answer becomes a candidate, and a model's failure a failure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signoff.v1 import execution_pb2
from tests.support.work.givens import ONE, Heard, Saying, json_schema, task, to_execute
from worker_svc.assignment import CandidateResult, FailureResult
from worker_svc.executor import Executor, request_for
from worker_svc.llm.port import ModelFailure


async def made(answer: str, output_format: str) -> CandidateResult:
    result = await Executor(Saying(answer))(to_execute(task(output_format)), Heard())
    assert isinstance(result, CandidateResult)
    return result


async def test_the_format_decides_the_media_type() -> None:
    assert (await made("a,b\n1,2\n", "CSV")).media_type == "text/csv"


async def test_an_answer_becomes_a_candidate_with_its_maker() -> None:
    candidate = await made('{"a": "行星"}', "JSON")
    assert candidate.content.decode() == '{"a": "行星"}'
    assert candidate.media_type == "application/json"
    assert candidate.maker == Executor(Saying("")).offer.makers[0]


@pytest.mark.parametrize(
    "answer", ['```json\n{"a": 1}\n```', '```\n{"a": 1}\n```\n', '\n  {"a": 1}  ', '```JSON\r\n{"a": 1}\r\n```']
)
async def test_a_fence_around_json_is_taken_off(answer: str) -> None:
    assert (await made(answer, "JSON")).content == b'{"a": 1}'


@pytest.mark.parametrize("answer", ['{"a": 1', '```json\n{"a": "b\n```', "No."])
async def test_what_cannot_be_mended_is_left_as_it_came_for_the_validator_to_reject(answer: str) -> None:
    assert (await made(answer, "JSON")).content.decode() == answer


async def test_a_fence_around_a_document_is_taken_off_and_what_stands_around_it_goes_to_the_judge() -> None:
    candidate = await made("```python\nprint(1)\n```\nRun it with python.", "a Python script")
    assert (candidate.content, candidate.remark) == (b"print(1)\n", "Run it with python.")


@pytest.mark.parametrize("answer", ["", "  \n"])
async def test_an_empty_answer_is_a_transient_failure(answer: str) -> None:
    result = await Executor(Saying(answer))(to_execute(task("")), Heard())
    assert isinstance(result, FailureResult)
    assert result.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert "empty answer" in result.message


async def test_text_that_cannot_be_stored_is_a_transient_failure() -> None:
    result = await Executor(Saying("half a pair: \ud83d"))(to_execute(), Heard())
    assert isinstance(result, FailureResult)
    assert result.kind == execution_pb2.FAILURE_KIND_TRANSIENT


async def test_a_model_failure_keeps_its_kind_its_words_and_its_retry_time() -> None:
    refused = ModelFailure.rate_limited("busy", retry_after=timedelta(seconds=9))
    result = await Executor(Saying(refused))(to_execute(), Heard())
    assert result == FailureResult(
        kind=execution_pb2.FAILURE_KIND_RATE_LIMITED, message="busy", retry_after=timedelta(seconds=9)
    )


async def test_thinking_is_reported_while_a_client_watches_and_tokens_always() -> None:
    watched, alone = Heard(), Heard(thinking_wanted=False)
    executor = Executor(Saying("Mars"))
    await executor(to_execute(), watched)
    await executor(to_execute(), alone)
    assert (watched.pieces, watched.token_counts) == (["Mars"], [1])
    assert (alone.pieces, alone.token_counts) == ([], [1])
    assert watched.costs == [("saying", ONE)]


@pytest.mark.guard(name="a worker sends no prompt that is not wanted")
async def test_what_the_model_is_asked_is_reported_when_prompts_are_kept_and_not_otherwise() -> None:
    model, kept, dropped = Saying("Mars"), Heard(), Heard(prompts_wanted=False)
    await Executor(model)(to_execute(), kept)
    await Executor(model)(to_execute(), dropped)
    assert kept.prompts == [tuple((message.role, message.content) for message in model.requests[0].messages)]
    assert dropped.prompts == []


def test_an_object_is_asked_for_where_an_object_is_promised() -> None:
    assert request_for(to_execute(task("JSON: { a: string }")))[0].json_object_wanted
    assert request_for(to_execute(task("JSON")))[0].json_object_wanted
    assert not request_for(to_execute(task("JSON: [{ a }]")))[0].json_object_wanted
    assert not request_for(to_execute(task("JSON array of names")))[0].json_object_wanted
    assert not request_for(to_execute(task("Markdown")))[0].json_object_wanted


def test_the_plans_schema_is_asked_for_when_it_describes_an_object() -> None:
    schema = {"type": "object", "required": ["a"]}
    assert request_for(to_execute(task("JSON", checks=(json_schema(schema),))))[0].schema == schema
    assert request_for(to_execute(task("JSON", checks=(json_schema({"type": "array"}),))))[0].schema is None
    assert request_for(to_execute(task("JSON")))[0].schema is None


async def test_the_maker_changes_with_model_and_settings_alone() -> None:
    one, same, other = Saying(""), Saying("something else"), Saying("")
    other.settings = {"seed": "1"}
    assert Executor(one).offer == Executor(same).offer != Executor(other).offer


async def test_closing_the_executor_closes_its_model() -> None:
    model = Saying("")
    executor = Executor(model)
    assert executor.offer.models == ("saying",)
    await executor.close()
    assert model.closed
