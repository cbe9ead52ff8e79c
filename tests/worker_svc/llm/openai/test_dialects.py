"""Endpoints with dialects: each row of the table in docs/reference/endpoints.md, against a scripted server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import structlog.testing

from signoff.v1 import execution_pb2
from tests.support.processes.commands import ROOT
from tests.support.servers.model_server import (
    ModelServer,
    Recorded,
    Reply,
    Script,
    events,
    status,
    streams,
    without_proxies,
)
from tests.support.work.givens import spent, task, to_execute
from worker_svc.llm.openai.dialects import taken_apart, wants_its_own_key_header
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.openai.question import Sampling
from worker_svc.llm.openai.token_counts import Counts, counts_of
from worker_svc.llm.port import Message, ModelAnswer, ModelFailure, ModelRequest
from worker_svc.spent import Spent, unheard

ROWS = dict[str, list[str]]()  #: what the tests are about, by their names
KINDS = execution_pb2.FailureKind
PERMANENT, TRANSIENT = KINDS.FAILURE_KIND_PERMANENT, KINDS.FAILURE_KIND_TRANSIENT
TOO_SMALL = KINDS.FAILURE_KIND_TOO_SMALL
OUTAGE, RATE_LIMITED, BUDGET = (
    KINDS.FAILURE_KIND_OUTAGE,
    KINDS.FAILURE_KIND_RATE_LIMITED,
    KINDS.FAILURE_KIND_BUDGET,
)

Test = Callable[..., Any]


def row(*begins: str) -> Callable[[Test], Test]:
    """Marks a test with the rows of the table that it is about, by their beginnings."""

    def note(test: Test) -> Test:
        ROWS[test.__name__] = list(begins)
        return test

    return note


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def question(**options: Any) -> ModelRequest:
    messages = (Message(role="system", content="You write."), Message(role="user", content="Write about Mars."))
    return ModelRequest(messages=messages, assignment=to_execute(task("Markdown")), **options)


async def asked(
    *scripts: Script,
    times: int = 1,
    suffix: str = "",
    sampling: Sampling | None = None,
    costs: list[Spent] | None = None,
    **options: Any,
) -> tuple[list[ModelAnswer], list[Recorded], list[str]]:
    """Asks a question some times. Returns the answers, the server's requests, and the deltas."""
    pieces = list[str]()
    async with ModelServer(*scripts) as server:
        model = OpenAIModel("m", base_url=server.base_url + suffix, api_key="sk-0123456789", sampling=sampling)
        try:
            on_spent = unheard if costs is None else costs.append
            answers = [await model.complete(question(**options), pieces.append, on_spent) for _ in range(times)]
        finally:
            await model.close()
    return answers, server.requests, pieces


async def answered(*scripts: Script, **options: Any) -> ModelAnswer:
    answers, _, _ = await asked(*scripts, **options)
    return answers[0]


async def failed(*scripts: Script, **options: Any) -> ModelFailure:
    with pytest.raises(ModelFailure) as caught:
        await asked(*scripts, **options)
    return caught.value


def as_json(value: Any, content_type: str = "application/json") -> Reply:
    return Reply(headers={"Content-Type": content_type}, pieces=[json.dumps(value).encode()])


def whole(content: Any = "Mars", **more: Any) -> dict[str, Any]:
    """Returns a chat completion that is not streamed."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"} | more
    usage = {"prompt_tokens": 11, "completion_tokens": 7}
    return {"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage}


def delta(value: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": value, "finish_reason": finish, **more}]}


def unless(holds: Callable[[dict[str, Any]], bool], refusal: Reply, then: Reply | None = None) -> Script:
    """A server that refuses requests until something holds of their body."""
    return lambda request: (then or streams("Mars")) if holds(request.body) else refusal


# ---------------------------------------------------------------- what is asked


@row("refuses `response_format`", "breaks over `response_format`")
@pytest.mark.parametrize("code", [400, 422, 500, 501])
async def test_a_response_format_that_is_refused_is_asked_with_less_and_that_is_remembered(code: int) -> None:
    script = unless(lambda body: "response_format" not in body, status(code, "cannot do that"))
    answers, requests, _ = await asked(script, times=2, schema={"type": "object"}, json_object_wanted=True)
    forms = [request.body.get("response_format", {}).get("type") for request in requests]
    assert forms == ["json_schema", "json_object", None, None]
    assert [answer.text for answer in answers] == ["Mars", "Mars"]


@row("breaks over `response_format`")
async def test_an_endpoint_that_is_away_is_not_taken_for_one_that_breaks_over_a_format_that_it_took() -> None:
    async with ModelServer(streams("Mars"), status(500, "out of memory")) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="sk-0123456789")
        asked_for = question(schema={"type": "object"})
        await model.complete(asked_for, lambda _: None)
        with pytest.raises(ModelFailure) as caught:
            await model.complete(asked_for, lambda _: None)
        await model.close()
    assert (caught.value.kind, len(server.requests)) == (OUTAGE, 2)


@pytest.mark.parametrize("code", [502, 503, 504, 529])
async def test_a_gateway_without_a_server_behind_it_is_asked_once(code: int) -> None:
    costs = list[Spent]()
    failure = await failed(status(code), costs=costs, schema={"type": "object"})
    assert (failure.kind, costs[-1]) == (OUTAGE, Spent(requests=1))


@row("refuses `stream_options`")
async def test_stream_options_are_left_out() -> None:
    script = unless(lambda body: "stream_options" not in body, status(400, "Unknown field: stream_options"))
    _, requests, _ = await asked(script, times=2)
    assert ["stream_options" in request.body for request in requests] == [True, False, False]


@row("refuses `stream`", "answers with the whole answer")
async def test_an_endpoint_that_does_not_stream_is_asked_for_the_whole() -> None:
    refusal = status(400, "Your organization must be verified to stream this model.", error_code="unsupported_value")
    refusal = as_status(refusal, {"error": {"message": "must be verified to stream", "param": "stream"}})
    script = unless(lambda body: not body["stream"], refusal, as_json(whole("Mars")))
    answers, requests, pieces = await asked(script, times=2)
    assert [request.body["stream"] for request in requests] == [True, False, False]
    assert ["stream_options" in request.body for request in requests] == [True, False, False]
    assert [answer.text for answer in answers] == ["Mars", "Mars"]
    assert pieces == ["Mars", "Mars"]


def as_status(reply: Reply, body: Any) -> Reply:
    return Reply(status=reply.status, headers=reply.headers, pieces=[json.dumps(body).encode()])


@row("refuses `temperature`")
async def test_temperature_is_left_out() -> None:
    script = unless(lambda body: "temperature" not in body, status(400, "temperature is not supported"))
    with structlog.testing.capture_logs() as logs:
        _, requests, _ = await asked(script, sampling=Sampling(temperature=0.5))
    assert ["temperature" in request.body for request in requests] == [True, False]
    assert [line["parameter"] for line in logs if line["event"] == "parameter_not_taken"] == ["temperature"]


@row("refuses `max_tokens`")
@pytest.mark.parametrize("limit", [900, None])
async def test_a_limit_has_another_name(limit: int | None) -> None:
    refusal = status(400, "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.")
    script = unless(lambda body: "max_completion_tokens" in body, refusal)
    _, requests, _ = await asked(script, sampling=Sampling(max_tokens=limit))
    limits = [(r.body.get("max_tokens"), r.body.get("max_completion_tokens")) for r in requests]
    assert limits == [(limit or 32_768, None), (None, limit or 32_768)]


@row("takes fewer tokens than signoff's own limit")
@pytest.mark.parametrize(
    ("most", "sent"), [(50_000, [32_768]), (16_384, [32_768, 4_096]), (2_048, [32_768, 4_096, None])]
)
@pytest.mark.parametrize(
    "says",
    [
        "max_tokens is too large: {asked}. This model supports at most {most} completion tokens.",
        "This model's maximum context length is {most} tokens. However, you requested {asked} tokens.",
        "max_completion_tokens: expected at most {most}",
    ],
)
async def test_a_default_limit_gives_way(most: int, sent: list[int | None], says: str) -> None:
    def script(request: Recorded) -> Reply:
        wanted = request.body.get("max_tokens", 0)
        return status(400, says.format(asked=wanted, most=most)) if wanted > most else streams("Mars")

    answers, requests, _ = await asked(script, times=2)
    assert [request.body.get("max_tokens") for request in requests] == [*sent, sent[-1]]
    assert [answer.text for answer in answers] == ["Mars", "Mars"]


async def test_a_limit_that_was_set_does_not_give_way() -> None:
    costs = list[Spent]()
    refusal = status(400, "max_tokens is too large: 900")
    failure = await failed(refusal, costs=costs, sampling=Sampling(max_tokens=900))
    assert (failure.kind, costs[-1]) == (PERMANENT, Spent(requests=1))


async def test_a_prompt_that_is_too_long_without_any_limit_is_too_long() -> None:
    costs = list[Spent]()
    failure = await failed(status(400, "This model's maximum context length is 10 tokens."), costs=costs)
    assert (failure.kind, costs[-1]) == (TOO_SMALL, Spent(requests=3))
    assert "the prompt is too long for this model" in failure.message


@row("knows no `system` role")
@pytest.mark.parametrize(
    ("code", "says"),
    [
        (400, "System role not supported"),
        (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        (500, "Jinja Exception: System role not supported"),
    ],
)
async def test_words_of_the_system_go_before_those_of_the_user(code: int, says: str) -> None:
    script = unless(lambda body: [m["role"] for m in body["messages"]] == ["user"], status(code, says))
    _, requests, _ = await asked(script, times=2)
    assert [[message["role"] for message in request.body["messages"]] for request in requests] == [
        ["system", "user"],
        ["user"],
        ["user"],
    ]
    assert requests[-1].body["messages"][0]["content"] == "You write.\n\nWrite about Mars."


# ---------------------------------------------------------------- where it is asked


@row("has parameters in its base URL", "is named with `/chat/completions`")
@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("?api-version=2026-01-01", "/v1/chat/completions?api-version=2026-01-01"),
        ("/?api-version=1&tenant=a%20b", "/v1/chat/completions?api-version=1&tenant=a%20b"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/chat/completions/?api-version=1", "/v1/chat/completions?api-version=1"),
        ("/", "/v1/chat/completions"),
    ],
)
async def test_the_base_url_is_taken_as_people_copy_it(suffix: str, path: str) -> None:
    _, requests, _ = await asked(suffix=suffix)
    assert requests[0].path.replace("+", "%20") == path


@row("has parameters in its base URL")
async def test_the_parameters_of_a_base_url_are_not_shown() -> None:
    failure = await failed(status(401), suffix="?api-version=1&sig=abcdefghijk")
    assert "api-version" not in failure.message
    assert "abcdefghijk" not in failure.message


@row("is Azure")
def test_azure_gets_the_key_in_a_header_of_its_own() -> None:
    assert wants_its_own_key_header("https://mine.openai.azure.com/openai/v1")
    assert not wants_its_own_key_header("https://api.openai.com/v1")
    assert not wants_its_own_key_header("https://azure.com.example.org/v1")
    assert taken_apart("https://mine.openai.azure.com/openai/deployments/gpt?api-version=1") == (
        "https://mine.openai.azure.com/openai/deployments/gpt",
        {"api-version": "1"},
    )


@row("is Azure")
async def test_the_client_of_azure_sends_both_headers() -> None:
    from worker_svc.llm.openai.client import libraries

    model = OpenAIModel("m", base_url="https://mine.openai.azure.com/openai/v1", api_key="sk-0123456789")
    client = model._connected(*libraries())
    assert client.default_headers["api-key"] == "sk-0123456789"
    assert client.auth_headers == {"Authorization": "Bearer sk-0123456789"}
    await model.close()


# ---------------------------------------------------------------- what comes back


@row("answers with the whole answer")
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain", ""])
async def test_a_whole_answer_is_read_whatever_its_type(content_type: str) -> None:
    costs = list[Spent]()
    answer = await answered(as_json(whole("Mars"), content_type), costs=costs)
    assert (answer.text, costs[-1]) == ("Mars", spent(11, 7))


@row("answers with the whole answer")
async def test_a_whole_answer_may_come_in_pieces_after_white_space_and_be_large() -> None:
    large = "Mars " * 50_000
    body = json.dumps(whole(large)).encode()
    pieces = [b"\n \n", *(body[at : at + 10_000] for at in range(0, len(body), 10_000))]
    assert (await answered(Reply(headers={"Content-Type": "application/json"}, pieces=pieces))).text == large


@row("answers with the whole answer")
async def test_a_whole_answer_without_an_end_is_ended_and_one_that_was_cut_off_is_not() -> None:
    assert (await answered(as_json(whole("Mars", finish_reason=None)))).finish_reason == "stop"
    assert (await failed(as_json(whole("Mars", finish_reason="length")))).kind == TOO_SMALL
    body = json.dumps(whole("Mars")).encode()[:-20]
    failure = await failed(Reply(headers={"Content-Type": "application/json"}, pieces=[body]))
    assert (failure.kind, "cannot be read" in failure.message) == (TRANSIENT, True)


@row("sends the whole answer after its pieces")
async def test_a_whole_answer_after_its_pieces_counts_once() -> None:
    answer = await answered(events(delta({"content": "Ma"}), delta({"content": "rs"}), whole("Mars")))
    assert answer.text == "Mars"
    assert (await answered(events(whole("Mars")))).text == "Mars"


@row("sends `content` as a list of parts")
async def test_parts_of_a_content_are_joined() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm, "}]},
        {"type": "reasoning", "text": "well"},
        {"type": "text", "text": "Ma"},
        "r",
        {"type": "output_text", "text": "s"},
        {"type": "image_url", "image_url": {"url": "x"}},
        7,
        None,
    ]
    for reply in (events(delta({"content": parts}, "stop")), as_json(whole(parts))):
        answers, _, pieces = await asked(reply)
        assert answers[0].text == "Mars"
        assert "".join(pieces) == "hm, wellMars"


@row("sends `text` in place of a message")
async def test_a_completion_of_text_is_read() -> None:
    answer = await answered(as_json({"choices": [{"text": "Mars", "finish_reason": "stop"}]}))
    assert answer.text == "Mars"


@row("answers 200 with an error as JSON", "wraps an error in a list", "gives codes as numbers")
@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        ({"error": {"message": "slow down", "code": 429}}, RATE_LIMITED, "slow down"),
        ({"error": {"message": "slow down", "code": 429.0}}, RATE_LIMITED, "slow down"),
        ({"error": {"message": "no money", "code": "insufficient_quota"}}, BUDGET, "no money"),
        ({"error": {"message": "pay", "code": 402}}, BUDGET, "pay"),
        ({"error": {"message": "bad key", "code": 401}}, PERMANENT, "bad key"),
        ({"error": {"message": "busy", "type": "overloaded_error"}}, OUTAGE, "busy"),
        ({"error": {"message": "busy", "code": 503}}, OUTAGE, "busy"),
        ({"error": "no such model"}, OUTAGE, "no such model"),
        ({"error": {"message": "odd", "code": ["a"], "type": {"b": 1}}}, OUTAGE, "odd"),
        ([{"error": {"message": "none left", "code": 429, "status": "RESOURCE_EXHAUSTED"}}], RATE_LIMITED, "none left"),
        ({"object": "error", "message": "bad request", "code": 400}, PERMANENT, "bad request"),
        ({"detail": "Not authenticated"}, OUTAGE, "Not authenticated"),
        ({"error_code": 18, "error_msg": "QPS limit"}, OUTAGE, "QPS limit"),
        ({"error": True, "message": "broken"}, OUTAGE, "broken"),
    ],
)
async def test_an_error_that_comes_with_200_is_that_error(error: Any, kind: int, says: str) -> None:
    for reply in (as_json(error), events(error)):
        failure = await failed(reply)
        assert (failure.kind, says in failure.message) == (kind, True), failure.message


@row("gives codes as numbers")
@pytest.mark.parametrize(
    "error", [{"error": {"code": 7, "type": 8}}, {"error": {"code": ["x"], "param": {}}}, [1], "no"]
)
async def test_an_error_of_any_shape_is_the_error_of_its_status(error: Any) -> None:
    assert (await failed(status(503, error=error))).kind == OUTAGE
    assert (await failed(status(401, error=error))).kind == PERMANENT


@row("ends with a word of its own")
@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("MAX_TOKENS", TOO_SMALL),
        ("max_tokens", TOO_SMALL),
        ("model_length", TOO_SMALL),
        ("SAFETY", PERMANENT),
        ("sensitive", PERMANENT),
        ("network_error", TRANSIENT),
        ("abort", TRANSIENT),
        ("ERROR", TRANSIENT),
    ],
)
async def test_an_end_in_another_word_is_that_end(finish: str, kind: int) -> None:
    assert (await failed(streams("Ma", finish=finish))).kind == kind


@row("ends with a word of its own")
@pytest.mark.parametrize("finish", ["stop", "STOP", "eos", "end_turn", "stop_sequence", "COMPLETE"])
async def test_an_end_in_order_has_several_names(finish: str) -> None:
    assert (await answered(streams("Mars", finish=finish))).text == "Mars"


@row("ends with a word that is not known")
@pytest.mark.parametrize("finish", ["model_limit", "truncated", "paused", "stop!", "unknown"])
@pytest.mark.guard(name="only ends that are known are whole")
async def test_an_unknown_end_is_not_taken_for_a_whole_answer(finish: str) -> None:
    failure = await failed(streams("half of it", finish=finish))
    assert (failure.kind, f'"{finish}", which is none of the ends known to be good' in failure.message) == (
        TRANSIENT,
        True,
    )


@row("counts tokens in the choice")
async def test_tokens_are_counted_wherever_they_are_told() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 3.0}
    for end in (delta({}, "stop", usage=usage), delta({}, "stop") | {"x_groq": {"usage": usage}}):
        costs = list[Spent]()
        await answered(events(delta({"content": "Mars"}), end), costs=costs)
        assert costs[-1] == spent(5, 3)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (
            {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            Counts(input_tokens=100, output_tokens=20),
        ),
        # counted among the output
        (
            {"prompt_tokens": 9, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 40}},
            Counts(input_tokens=9, output_tokens=50, reasoning_tokens=40),
        ),
        # more than that, so not among it
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 40}},
            Counts(input_tokens=9, output_tokens=45, reasoning_tokens=40),
        ),
        # caches
        (
            {"prompt_tokens": 900, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 800}},
            Counts(input_tokens=900, output_tokens=5, cached_input_tokens=800),
        ),
        (
            {"prompt_tokens": 900, "completion_tokens": 5, "prompt_cache_hit_tokens": 800},
            Counts(input_tokens=900, output_tokens=5, cached_input_tokens=800),
        ),
        (
            {"input_tokens": 100, "output_tokens": 5, "cache_read_input_tokens": 800},
            Counts(input_tokens=900, output_tokens=5, cached_input_tokens=800),
        ),
        # not all is said
        ({"completion_tokens": 5, "total_tokens": 105}, Counts(input_tokens=100, output_tokens=5)),
        ({"prompt_tokens": 100, "total_tokens": 105}, Counts(input_tokens=100, output_tokens=5)),
        ({"total_tokens": 105}, Counts(input_tokens=105)),
        ({"prompt_tokens": None, "completion_tokens": -5, "total_tokens": True}, Counts()),
        ({"prompt_tokens": 1e300, "completion_tokens": 0.5, "total_tokens": "many"}, Counts()),
        ("nothing", Counts()),
    ],
)
@row("counts what was thought, or was cached", "leaves out a count")
def test_tokens_are_counted_as_they_are_billed(usage: Any, counts: Counts) -> None:
    got = counts_of(usage)
    assert (got.input_tokens, got.output_tokens, got.cached_input_tokens) == (
        counts.input_tokens,
        counts.output_tokens,
        counts.cached_input_tokens,
    )
    if counts.reasoning_tokens:
        assert got.reasoning_tokens == counts.reasoning_tokens


@row("counts what was thought in the total")
@pytest.mark.guard(name="the total is what counts")
@pytest.mark.parametrize("details", [{}, {"completion_tokens_details": {"reasoning_tokens": 5_000}}])
def test_what_the_total_has_more_than_its_parts_is_output(details: dict[str, Any]) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 5_120, **details}
    assert counts_of(usage) == Counts(input_tokens=100, output_tokens=5_020, reasoning_tokens=5_000)


@row("answers with a web page, or packed")
async def test_what_cannot_be_read_is_named() -> None:
    page = await failed(Reply(headers={"Content-Type": "text/html"}, pieces=[b"<html>"]))
    packed = await failed(Reply(headers={"Content-Type": "text/event-stream", "Content-Encoding": "br"}, pieces=[b"x"]))
    assert (page.kind, "check the base URL" in page.message) == (PERMANENT, True)
    assert (packed.kind, 'the encoding "br"' in packed.message) == (TRANSIENT, True)


# ---------------------------------------------------------------- the table


def rows_of_the_table() -> list[str]:
    page = (ROOT / "docs" / "reference" / "endpoints.md").read_text(encoding="utf-8")
    section = page.partition("### Dialects\n")[2].partition("\n### ")[0]
    return [found[1] for found in re.finditer(r"^\| (?!the endpoint|---)(.+?) \|", section, re.MULTILINE)]


def test_each_row_of_the_table_has_a_test_and_each_test_a_row() -> None:
    begins = [begin for said in ROWS.values() for begin in said]
    untested = [row for row in rows_of_the_table() if not any(row.startswith(begin) for begin in begins)]
    unknown = [begin for begin in begins if not any(row.startswith(begin) for row in rows_of_the_table())]
    assert (untested, unknown) == ([], [])
    assert len(rows_of_the_table()) >= 24
