"""The true openai client against a scripted server: each fault of an endpoint becomes its failure."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2
from tests.support.servers import model_server
from tests.support.servers.model_server import ModelServer, Reply, Script, status, streams, without_proxies
from tests.support.work.givens import Heard, json_schema, task, to_execute
from worker_svc.executor import Executor
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest
from worker_svc.prompts.messages import execute_messages

KEY = "sk-very-secret-0123456789"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)

TRANSIENT, PERMANENT = execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT
TOO_SMALL = execution_pb2.FAILURE_KIND_TOO_SMALL
OUTAGE = execution_pb2.FAILURE_KIND_OUTAGE
RATE_LIMITED, BUDGET = execution_pb2.FAILURE_KIND_RATE_LIMITED, execution_pb2.FAILURE_KIND_BUDGET


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def model_at(base_url: str, **options: Any) -> OpenAIModel:
    return OpenAIModel("planet-7b", base_url=base_url, api_key=KEY, clock=lambda: NOW, **options)


def question(**options: Any) -> ModelRequest:
    assignment = to_execute(task("Markdown"))
    return ModelRequest(messages=execute_messages(assignment), assignment=assignment, **options)


async def ask(*scripts: Script, request: ModelRequest | None = None, pieces: list[str] | None = None) -> ModelAnswer:
    async with ModelServer(*scripts) as server:
        model = model_at(server.base_url)
        try:
            return await model.complete(request or question(), (pieces if pieces is not None else []).append)
        finally:
            await model.close()


async def refused(*scripts: Script) -> ModelFailure:
    with pytest.raises(ModelFailure) as caught:
        await ask(*scripts)
    assert KEY not in str(caught.value)
    assert "planet-7b" in caught.value.message
    assert "http://127.0.0.1" in caught.value.message
    return caught.value


# ---------------------------------------------------------------- what goes out


async def test_the_request_carries_model_messages_key_and_asks_for_usage() -> None:
    async with ModelServer() as server:
        model = model_at(server.base_url)
        await model.complete(question(), lambda _: None)
        await model.close()
    [sent] = server.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["model"] == "planet-7b"
    assert [message["role"] for message in sent.body["messages"]] == ["system", "user"]
    assert sent.body["stream"] is True
    assert sent.body["stream_options"] == {"include_usage": True}
    assert "response_format" not in sent.body


async def test_the_executor_asks_for_json_where_json_is_promised() -> None:
    async with ModelServer(streams('{"a": 1}')) as server:
        executor = Executor(model_at(server.base_url))
        await executor(to_execute(task("JSON")), Heard())
        await executor(to_execute(task("JSON", checks=(json_schema({"type": "object"}),))), Heard())
        await executor.close()
    assert server.requests[0].body["response_format"] == {"type": "json_object"}
    form = server.requests[1].body["response_format"]
    assert (form["type"], form["json_schema"]["schema"]) == ("json_schema", {"type": "object"})


# ---------------------------------------------------------------- what comes back


async def test_content_is_joined() -> None:
    pieces: list[str] = []
    answer = await ask(streams("Mars", " and ", "Venus", usage=(40, 2)), pieces=pieces)
    assert answer == ModelAnswer(text="Mars and Venus", finish_reason="stop")
    assert pieces == ["Mars", " and ", "Venus"]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_streamed_and_is_no_part_of_the_answer(field: str) -> None:
    pieces: list[str] = []
    answer = await ask(streams("Mars", reasoning={field: "Hmm."}), pieces=pieces)
    assert (answer.text, pieces) == ("Mars", ["Hmm.", "Mars"])


async def test_reasoning_under_both_names_is_told_once() -> None:
    pieces: list[str] = []
    await ask(streams("Mars", reasoning={"reasoning_content": "Hmm.", "reasoning": "Hmm."}), pieces=pieces)
    assert pieces == ["Hmm.", "Mars"]


async def test_an_endpoint_that_counts_nothing_is_fine() -> None:
    assert (await ask(streams("Mars", usage=None))).text == "Mars"


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("script", "kind", "says"),
    [
        (status(400, "context too long"), PERMANENT, "context too long"),
        (status(401), PERMANENT, "check OPENAI_API_KEY"),
        (status(402), BUDGET, "nothing left to spend"),
        (status(403), PERMANENT, "may not use this model"),
        (status(404), PERMANENT, "check the model's name"),
        (status(408), OUTAGE, "408"),
        (status(409), TRANSIENT, "409"),
        (status(413), TOO_SMALL, "413"),
        (status(422), PERMANENT, "422"),
        (status(429), RATE_LIMITED, "429"),
        (status(429, error_code="insufficient_quota"), BUDGET, "nothing left to spend"),
        (status(500), OUTAGE, "500"),
        (status(503), OUTAGE, "503"),
        (model_server.cut_off("Mars"), TRANSIENT, "broke off"),
        (model_server.cut_off(), TRANSIENT, "broke off"),
        (model_server.aborted("Mars"), TRANSIENT, "broke off its answer"),
        (model_server.aborted(), TRANSIENT, "broke off its answer"),
        (model_server.malformed(), TRANSIENT, "cannot be read"),
        (model_server.events({"error": {"message": "overloaded", "code": 503}}), OUTAGE, "overloaded"),
        (model_server.events({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}), RATE_LIMITED, "slow"),
        (model_server.events({"error": {"message": "no money", "code": "insufficient_quota"}}), BUDGET, "no money"),
        (
            model_server.events([1], "x", None, {"choices": [{"finish_reason": 5}]}, {"choices": 3}),
            TRANSIENT,
            "broke off",
        ),
        (model_server.web_page(), PERMANENT, "check the base URL"),
        (streams("Mars", finish="length"), TOO_SMALL, "limit of output tokens"),
        (streams("Mars", finish="content_filter"), PERMANENT, "content filter"),
        (status(400, "flagged", error_code="content_filter"), PERMANENT, "flagged"),
        (status(425), OUTAGE, "425"),
        (status(500, "the input length exceeds the context length"), TOO_SMALL, "the prompt is too long"),
        (model_server.events({"error": {"message": "exceeds the context window"}}), TOO_SMALL, "context window"),
        (status(429, error_code="billing_hard_limit_reached"), BUDGET, "nothing left to spend"),
        (status(529, "overloaded"), OUTAGE, "overloaded"),
        (model_server.events({"error": {"message": "flagged", "code": "content_filter"}}), PERMANENT, "flagged"),
        (model_server.events({"error": {"message": "bad", "code": 400}}), PERMANENT, "bad"),
        (model_server.events({"error": {"message": "pay", "code": 402}}), BUDGET, "nothing left to spend"),
        (model_server.calls_tool("search"), TRANSIENT, 'called a tool "search", though none was offered'),
        (model_server.calls_tool("search", "Mars", finish="stop"), TRANSIENT, "though none was offered"),
        (streams(finish="tool_calls"), TRANSIENT, "called a tool, though none was offered"),
        (streams("Mars", finish="error"), TRANSIENT, 'broke off its answer with finish_reason "error"'),
        (model_server.refuses("I will\nnot."), PERMANENT, "refused: I will not."),
    ],
)
async def test_each_way_to_go_wrong_has_its_kind(
    script: Script, kind: execution_pb2.FailureKind.ValueType, says: str
) -> None:
    failure = await refused(script)
    assert (failure.kind, says in failure.message) == (kind, True), failure.message


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("7", 7),
        ("1.5", 1.5),
        ("0", 0),
        ("-3", 0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30),
        ("9" * 400, None),
        ("1e9", 86_400),
        ("soon", None),
        ("nan", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 12:00:30 -99999999999999999999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400),
    ],
)
async def test_retry_after_is_read_in_seconds_or_as_a_date(stated: str, expected: float | None) -> None:
    failure = await refused(status(429, Retry_After=stated))
    assert failure.retry_after == (None if expected is None else timedelta(seconds=expected))


async def test_retry_after_is_obeyed_on_server_errors_too() -> None:
    assert (await refused(status(503, Retry_After="5"))).retry_after == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("milliseconds", "expected"), [("1500", 1.5), ("0", 0), ("soon", 9), ("1e12", 86_400), ("", 9)]
)
async def test_retry_after_in_milliseconds_goes_first(milliseconds: str, expected: float) -> None:
    failure = await refused(status(429, Retry_After_Ms=milliseconds, Retry_After="9"))
    assert failure.retry_after == timedelta(seconds=expected)


@pytest.mark.guard(name="a model raises only its failures")
async def test_a_bug_in_the_reading_of_an_answer_is_a_failure_that_may_pass_and_is_logged() -> None:
    def broken_clock() -> datetime:
        raise ZeroDivisionError(f"no time for {KEY}")

    async with ModelServer(status(503, Retry_After="Thu, 01 Jan 2026 12:00:30 GMT")) as server:
        model = OpenAIModel("planet-7b", base_url=server.base_url, api_key=KEY, clock=broken_clock)
        with capture_logs() as logs, pytest.raises(ModelFailure) as caught:
            await model.complete(question(), lambda _: None)
        await model.close()
    assert caught.value.kind == TRANSIENT
    assert caught.value.message.endswith("a bug in the worker, in its log: ZeroDivisionError: no time for [secret]")
    assert [(line["event"], type(line["exc_info"])) for line in logs] == [("model_not_understood", ZeroDivisionError)]


async def test_an_address_without_a_server_is_an_outage() -> None:
    async with ModelServer() as server:
        model = model_at(server.base_url)
    with pytest.raises(ModelFailure, match="could not be reached") as caught:
        await model.complete(question(), lambda _: None)
    assert caught.value.kind == OUTAGE
    await model.close()


@pytest.mark.parametrize("script", [model_server.stalled(), model_server.stalled("Mars"), model_server.pinging("Mars")])
async def test_a_silent_endpoint_times_out_also_when_it_only_says_that_it_lives(script: Script) -> None:
    async with ModelServer(script) as server:
        model = model_at(server.base_url, idle_seconds=0.5)
        with pytest.raises(ModelFailure, match="did not answer in time") as caught:
            await model.complete(question(), lambda _: None)
        assert caught.value.kind == TRANSIENT
        await model.close()


@pytest.mark.guard(name="a model that says nothing is away before the runner gives up")
async def test_an_endpoint_that_takes_the_question_and_says_nothing_is_away_before_the_runner_gives_up() -> None:
    async with ModelServer(Reply(mute=True)) as server:
        model = model_at(server.base_url)
        asked = question()
        asked = replace(asked, assignment=replace(asked.assignment, idle_timeout=0.5))
        with pytest.raises(ModelFailure, match=r"did not answer in time: nothing came for 0\.4 s") as caught:
            async with asyncio.timeout(10):
                await model.complete(asked, lambda _: None)
        assert caught.value.kind == OUTAGE
        await model.close()


async def test_a_slow_answer_may_take_longer_than_the_patience_between_two_pieces() -> None:
    async with ModelServer(model_server.slow("M", "a", "r", "s", pause=0.4)) as server:
        model, begun = model_at(server.base_url, idle_seconds=2.0), asyncio.get_running_loop().time()
        assert (await model.complete(question(), lambda _: None)).text == "Mars"
        assert asyncio.get_running_loop().time() - begun > 2.0
        await model.close()


async def test_the_client_does_not_retry_by_itself() -> None:
    async with ModelServer(status(500)) as server:
        model = model_at(server.base_url)
        with pytest.raises(ModelFailure):
            await model.complete(question(), lambda _: None)
        await model.close()
    assert len(server.requests) == 1


async def test_cancelling_the_handler_closes_the_http_request() -> None:
    async with ModelServer(model_server.stalled("Mars")) as server:
        executor, report = Executor(model_at(server.base_url)), Heard()
        call = asyncio.create_task(executor(to_execute(), report))
        async with asyncio.timeout(10):
            await report.heard.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await server.requests[0].hung_up.wait()
        await executor.close()


async def test_more_questions_than_connections_wait_their_turn() -> None:
    async with ModelServer() as server:
        model = model_at(server.base_url, connections=2)
        answers = await asyncio.gather(*(model.complete(question(), lambda _: None) for _ in range(10)))
        await model.close()
    assert [answer.text for answer in answers] == ["ok"] * 10
    assert server.most_at_once == 2


async def test_the_clocks_of_a_connection_are_set() -> None:
    async with ModelServer() as server:
        model = model_at(server.base_url, idle_seconds=7.0, connections=3)
        await model.complete(question(), lambda _: None)
        client: Any = model._client
        await model.close()
    clocks = client.timeout
    assert (clocks.connect, clocks.read, clocks.write, clocks.pool) == (10.0, 7.0, 60.0, 7.0)
    assert client.max_retries == 0


# ---------------------------------------------------------------- secrets and settings


async def test_an_endpoint_that_quotes_the_key_does_not_bring_it_into_a_failure() -> None:
    failure = await refused(status(401, f"Incorrect API key provided: {KEY}."))
    assert "[secret]" in failure.message


async def test_the_key_appears_in_no_log_and_no_result(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with ModelServer(status(401, f"bad key {KEY}"), streams("Mars")) as server:
        executor = Executor(model_at(server.base_url))
        results = [await executor(to_execute(), Heard()) for _ in range(2)]
        await executor.close()
    assert KEY not in repr(results)
    assert KEY not in caplog.text
    assert KEY not in "".join(json.dumps(record.__dict__, default=repr) for record in caplog.records)


@pytest.mark.guard(name="keys go to no other origin")
@pytest.mark.parametrize("code", [302, 307])
async def test_a_redirect_to_another_origin_gets_neither_key_nor_prompt(code: int) -> None:
    async with ModelServer() as elsewhere:
        origin = elsewhere.base_url.removesuffix("/v1")
        failure = await refused(status(code, Location=f"{origin}/steal?key={KEY}"))
        assert elsewhere.requests == []
    assert failure.kind == PERMANENT
    assert failure.message.endswith(f" redirects to {origin}: if that is the right server, set it as the base URL")


async def test_a_redirect_within_the_origin_is_followed() -> None:
    async with ModelServer(status(307, Location="/v2/chat"), streams("Mars")) as server:
        model = model_at(server.base_url)
        assert (await model.complete(question(), lambda _: None)).text == "Mars"
        await model.close()
    assert [(sent.path, sent.headers["authorization"]) for sent in server.requests] == [
        ("/v1/chat/completions", f"Bearer {KEY}"),
        ("/v2/chat", f"Bearer {KEY}"),
    ]


def test_a_user_and_a_password_in_the_url_are_not_shown() -> None:
    model = OpenAIModel("m", base_url="https://user:secret@example.com:8443/v1?token=secret", api_key=KEY)
    assert model.shown_url == "https://example.com:8443/v1"
    assert "secret" not in str(model.settings)


@pytest.mark.parametrize("base_url", ["localhost:8000/v1", "ftp://example.com", "http://", "http://[", "http://a:b/v1"])
def test_a_base_url_that_is_none_is_refused_with_an_example(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"OPENAI_BASE_URL: expected a URL such as https://api.openai.com/v1"):
        OpenAIModel("m", base_url=base_url, api_key=KEY)


@pytest.mark.parametrize("key", ["", "sk-\n1", "sk-ключ"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY: expected printable ASCII") as caught:
        OpenAIModel("m", api_key=key)
    assert not key or key not in str(caught.value)
