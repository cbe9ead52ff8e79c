"""A refused question is asked again with less, and the refused part is remembered when that went through."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from signoff.v1 import execution_pb2
from tests.support.servers.model_server import ModelServer, Recorded, Reply, refusing, status, streams, without_proxies
from tests.support.work.givens import Heard, task, to_judge, verdicts
from tests.worker_svc.llm.openai.test_model import model_at, question
from worker_svc.llm.openai.question import Sampling
from worker_svc.llm.port import ModelFailure
from worker_svc.prompts.messages import judge_schema
from worker_svc.validate.validator import Validator

SAMPLING = Sampling(temperature=0.25, max_tokens=900)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def forms(server: ModelServer) -> list[str]:
    return [request.body.get("response_format", {}).get("type", "text") for request in server.requests]


def sent(server: ModelServer, *names: str) -> list[dict[str, Any]]:
    """Returns these parameters of each request, if it has them."""
    return [{name: request.body[name] for name in names if name in request.body} for request in server.requests]


# ---------------------------------------------------------------- response formats


async def judge_twice(server: ModelServer) -> list[execution_pb2.Outcome.ValueType]:
    validator, outcomes = Validator(model_at(server.base_url)), []
    for _ in range(2):
        verdict = await validator(to_judge("Mars", task(criteria=("a", "b"))), Heard())
        outcomes.append(verdict.outcome)
    await validator.close()
    return outcomes


async def test_a_judge_without_json_schema_is_asked_for_an_object_and_that_is_remembered() -> None:
    async with ModelServer(
        refusing("response_format", "json_schema", streams(verdicts("pass", "pass", evidence="Mars")))
    ) as server:
        assert await judge_twice(server) == [execution_pb2.OUTCOME_PASS] * 2
    assert forms(server) == ["json_schema", "json_schema", "json_object", "json_object"]


async def test_a_judge_without_any_response_format_is_asked_in_plain_text() -> None:
    spoken = streams("My verdict:\n```json\n", verdicts("pass", "fail", evidence="Mars"), "\n```")
    async with ModelServer(refusing("response_format", "", spoken)) as server:
        assert await judge_twice(server) == [execution_pb2.OUTCOME_FAIL] * 2
    assert forms(server) == ["json_schema", "json_schema", "json_object", "text", "text"]


async def test_a_refusal_that_has_another_cause_is_not_blamed_on_the_format() -> None:
    async with ModelServer(status(400), status(400), status(400), streams('{"verdicts": []}')) as server:
        model = model_at(server.base_url)
        request = question(json_object_wanted=True, schema=judge_schema(1))
        with pytest.raises(ModelFailure):
            await model.complete(request, lambda _: None)
        await model.complete(request, lambda _: None)
        await model.close()
    assert forms(server) == ["json_schema", "json_object", "text", "json_schema"]


async def test_one_tasks_refused_schema_does_not_cost_the_others_theirs() -> None:
    peculiar, plain = question(schema={"peculiar": True}), question(schema={"plain": True})
    async with ModelServer(refusing("response_format", "peculiar", streams("{}"))) as server:
        model = model_at(server.base_url)
        for request in (peculiar, plain, peculiar):
            await model.complete(request, lambda _: None)
        await model.close()
    assert forms(server) == ["json_schema", "text", "json_schema", "text"]


# ---------------------------------------------------------------- parameters


async def test_an_endpoint_that_does_not_know_stream_options_is_asked_without() -> None:
    async with ModelServer(refusing("stream_options", "", streams("Mars", usage=None))) as server:
        model = model_at(server.base_url)
        for _ in range(2):
            await model.complete(question(json_object_wanted=True), lambda _: None)
        await model.close()
    assert forms(server) == ["json_object"] * 3


def says_400(message: str, parameter: str, then: Reply) -> Any:
    """Answers requests with this parameter with 400 and these words."""
    return lambda request: status(400, message) if parameter in request.body else then


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: 'temperature' does not support 0.25 with this model. Only the default (1) is supported.",
        "temperature is deprecated for this model",
        "Unrecognized request argument supplied: temperature",
        "body.temperature: Extra inputs are not permitted",
    ],
)
async def test_a_model_that_takes_no_temperature_is_asked_without_and_that_is_remembered(message: str) -> None:
    async with ModelServer(says_400(message, "temperature", streams("Mars"))) as server:
        model = model_at(server.base_url, sampling=SAMPLING)
        with capture_logs() as logs:
            for _ in range(2):
                await model.complete(question(), lambda _: None)
        await model.close()
    assert sent(server, "temperature") == [{"temperature": 0.25}, {}, {}]
    assert [(line["event"], line["parameter"]) for line in logs] == [("parameter_not_taken", "temperature")]


async def test_a_model_that_calls_it_max_completion_tokens_is_asked_so_and_that_is_remembered() -> None:
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    async with ModelServer(says_400(message, "max_tokens", streams("Mars"))) as server:
        model = model_at(server.base_url, sampling=SAMPLING)
        for _ in range(2):
            await model.complete(question(), lambda _: None)
        await model.close()
    assert sent(server, "max_tokens", "max_completion_tokens") == [
        {"max_tokens": 900},
        {"max_completion_tokens": 900},
        {"max_completion_tokens": 900},
    ]


async def test_all_of_it_can_be_refused_one_after_the_other() -> None:
    def picky(request: Recorded) -> Reply:
        for name in ("temperature", "max_tokens", "stream_options", "response_format"):
            if name in request.body:
                return status(400, f"unknown parameter: {name}")
        return streams("{}")

    async with ModelServer(picky) as server:
        model = model_at(server.base_url, sampling=SAMPLING)
        request = question(json_object_wanted=True, schema={"type": "object"})
        for _ in range(2):
            await model.complete(request, lambda _: None)
        await model.close()
    assert len(server.requests) == 6 + 1
    assert sent(server, "temperature", "stream_options", "response_format")[-1] == {}
    assert server.requests[-1].body["max_completion_tokens"] == 900


async def test_a_limit_of_tokens_is_never_left_out() -> None:
    async with ModelServer(says_400("max_tokens, max_completion_tokens: unknown", "messages", streams())) as server:
        model = model_at(server.base_url, sampling=SAMPLING)
        with pytest.raises(ModelFailure):
            await model.complete(question(), lambda _: None)
        await model.close()
    assert sent(server, "max_tokens", "max_completion_tokens") == [{"max_tokens": 900}, {"max_completion_tokens": 900}]


async def test_a_value_out_of_its_range_is_the_users_to_mend() -> None:
    message = "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead."
    async with ModelServer(says_400(message, "temperature", streams("Mars"))) as server:
        model = model_at(server.base_url, sampling=Sampling(temperature=3))
        with pytest.raises(ModelFailure, match="Expected a value <= 2") as caught:
            await model.complete(question(), lambda _: None)
        await model.close()
    assert caught.value.kind == execution_pb2.FAILURE_KIND_PERMANENT
    assert len(server.requests) == 1


async def test_a_refusal_that_names_another_parameter_does_not_cost_the_temperature() -> None:
    blames_format = {"error": {"message": "schema not supported: key temperature", "param": "response_format"}}
    refused = status(400, error=blames_format)

    def reply(request: Recorded) -> Reply:
        return refused if "response_format" in request.body else streams("{}")

    async with ModelServer(reply) as server:
        model = model_at(server.base_url, sampling=SAMPLING)
        await model.complete(question(schema={"type": "object"}), lambda _: None)
        await model.close()
    assert sent(server, "temperature") == [{"temperature": 0.25}] * 2


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "request (20031 tokens) exceeds the available context size (8192 tokens), try increasing it",
        "'max_tokens' or 'max_completion_tokens' is too large: 5000. The maximum context length is 4096 tokens",
    ],
)
async def test_a_prompt_that_is_too_long_is_not_sent_again(message: str) -> None:
    async with ModelServer(status(400, message)) as server:
        model = model_at(server.base_url, sampling=SAMPLING)
        with pytest.raises(ModelFailure, match="the prompt is too long for this model") as caught:
            await model.complete(question(json_object_wanted=True), lambda _: None)
        await model.close()
    assert (caught.value.kind, len(server.requests)) == (execution_pb2.FAILURE_KIND_TOO_SMALL, 1)
