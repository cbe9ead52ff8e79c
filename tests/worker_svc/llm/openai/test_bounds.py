"""Answers are read within bounds, and without keys."""

from __future__ import annotations

from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.secrets.redaction import Secrets
from signoff.secrets.stream import HIDDEN
from signoff.v1 import execution_pb2
from tests.support.longest_turn import longest_turns
from tests.support.servers import model_server
from tests.support.servers.model_server import ModelServer, Script, status, streams, without_proxies
from tests.support.work.givens import Heard, task, to_execute
from tests.worker_svc.llm.openai.test_model import KEY, question
from worker_svc.assignment import FailureResult
from worker_svc.executor import Executor
from worker_svc.llm.account import BYTES_PER_TOKEN, tokens_of
from worker_svc.llm.openai.bounds import ERROR_BYTES, LEAST_CHARS, Bounds, TooMuch
from worker_svc.llm.openai.client import checked_url
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.openai.partial_answer import BoundedText, PartialAnswer
from worker_svc.llm.openai.question import Sampling
from worker_svc.llm.openai.sse import Events
from worker_svc.llm.port import ModelAnswer, ModelFailure
from worker_svc.spent import OnSpent, Spent, unheard

HEX = KEY.encode().hex()
BASE64 = b64encode(b"?" + KEY.encode() + b"??").decode()
PERCENT = "".join(f"%{ord(character):02X}" for character in KEY)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


async def ask(
    script: Script, bounds: Bounds | None = None, sampling: Sampling | None = None, on_spent: OnSpent = unheard
) -> ModelAnswer:
    async with ModelServer(script) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY, bounds=bounds, sampling=sampling)
        try:
            return await model.complete(question(), lambda _: None, on_spent)
        finally:
            await model.close()


# ---------------------------------------------------------------- bounds


class Searching(Secrets):
    """Secrets that remember the longest text that was searched for them."""

    longest = 0

    def without(self, text: str) -> str:
        self.longest = max(self.longest, len(text))
        return super().without(text)


@pytest.mark.guard(name="words are cut before they are searched")
async def test_of_an_error_in_a_stream_only_the_beginning_is_searched_for_secrets() -> None:
    secrets = Searching([KEY])
    error = {"error": {"message": f"{KEY} " + "no " * 200_000}}
    for script in (model_server.events(error), model_server.events([error])):
        async with ModelServer(script) as server:
            model = OpenAIModel("m", base_url=server.base_url, api_key=KEY, secrets=secrets)
            with pytest.raises(ModelFailure, match=r"reported an error: \[secret\] no no no"):
                await model.complete(question(), lambda _: None)
            await model.close()
    assert secrets.longest == ERROR_BYTES


@pytest.mark.guard(name="what is no answer is cut before it is counted")
@pytest.mark.parametrize(
    "delta",
    [{"refusal": "no " * 1000}, {"tool_calls": [{"function": {"name": "search", "arguments": "no " * 1000}}]}],
)
def test_of_what_is_no_answer_no_more_than_an_event_is_counted(delta: dict[str, Any]) -> None:
    partial = PartialAnswer(bounds=Bounds(event_bytes=300))
    partial.take({"choices": [{"delta": delta}]}, lambda _: None)
    assert partial.streamed.estimate == tokens_of("no " * 100)


@pytest.mark.guard(name="an answer is bounded")
async def test_an_answer_beyond_its_bound_is_given_up_and_what_it_cost_is_reported() -> None:
    script, costs = streams(*["word " * 20] * 20, usage=None), list[Spent]()
    with pytest.raises(ModelFailure, match="wrote more than 1000 characters of text") as caught:
        await ask(script, Bounds(chars=1_000), on_spent=costs.append)
    assert caught.value.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert 1_100 / BYTES_PER_TOKEN < costs[-1].estimated_output_tokens < 500


async def test_what_the_endpoint_has_counted_so_far_is_no_estimate() -> None:
    counted = {"usage": {"prompt_tokens": 40, "completion_tokens": 99}, "choices": []}
    text = {"choices": [{"delta": {"content": "x" * 2_000}}]}
    costs = list[Spent]()
    with pytest.raises(ModelFailure):
        await ask(model_server.events(counted, text), Bounds(chars=1_000), on_spent=costs.append)
    assert (costs[-1].input_tokens, costs[-1].output_tokens, costs[-1].estimated_input_tokens) == (40, 99, 0)
    assert costs[-1].estimated_output_tokens >= 2_000 / BYTES_PER_TOKEN - 99


async def test_an_answer_that_was_to_be_short_has_a_lower_bound() -> None:
    script = streams(*["x" * 10_000] * 8)
    assert len((await ask(script)).text) == 80_000
    with pytest.raises(ModelFailure, match=f"more than {LEAST_CHARS} characters"):
        await ask(script, sampling=Sampling(max_tokens=100))


def test_bounds_follow_from_the_most_tokens_and_never_grow() -> None:
    usual = Bounds()
    assert usual.within(10**9, 1_000.0) == usual
    assert usual.within(10**9, 100.0).idle == 80.0, "before the runner's own clock"
    assert usual.within(10**9) == usual
    assert usual.within(4_000).chars == 128_000


@pytest.mark.guard(name="an event is bounded")
def test_a_line_without_end_is_not_kept() -> None:
    events = Events(Bounds(event_bytes=1_000))
    with pytest.raises(TooMuch, match="an event of more than 1000 bytes"):
        assert [list(events.feed(b"x" * 100)) for _ in range(100)] == []


@pytest.mark.guard(name="only pieces put off the end")
async def test_chunks_with_nothing_in_them_do_not_put_off_the_end() -> None:
    chunk = b'data: {"choices": [{"delta": {"content": ""}}]}\n\n'
    reply = model_server.Reply(headers={"Content-Type": "text/event-stream"}, pieces=[chunk] * 300, pause=0.02)
    async with ModelServer(reply) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY, idle_seconds=0.2)
        with pytest.raises(ModelFailure, match=r"nothing came for 0.2 s"):
            await model.complete(question(), lambda _: None)
        await model.close()


def test_many_small_pieces_are_one_text() -> None:
    written = BoundedText(most=100_000, what="text")
    for number in range(20_000):
        written.add(str(number % 10))
    assert written.text == "0123456789" * 2_000


BODY = "data: one\r\n\r\ndata:two\ndata: three\r\r: a comment\n\nevent: x\nid: 7\ndata: ünï\n\ndata: last"


@given(st.lists(st.integers(0, len(BODY.encode())), max_size=20))
def test_events_are_the_same_wherever_a_body_is_cut(cuts: list[int]) -> None:
    body, events = BODY.encode(), Events(Bounds())
    edges = [0, *sorted(cuts), len(body)]
    found = [data for start, end in pairwise(edges) for data in events.feed(body[start:end])]
    assert [data.decode() for data in (*found, *events.end())] == ["one", "two\nthree", "ünï", "last"]


# ---------------------------------------------------------------- secrets


@pytest.mark.guard(name="no key in what a model streams")
@pytest.mark.parametrize("written", [KEY, HEX, HEX.upper(), BASE64, PERCENT, f"\\u0073{KEY[1:]}"])
@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_a_key_in_an_answer_or_in_thinking_is_not_passed_on(written: str, size: int) -> None:
    pieces, heard = [written[at : at + size] for at in range(0, len(written), size)], list[str]()
    deltas = [{"content": piece} for piece in ["It is ", *pieces, "."]]
    thoughts = [{"reasoning": piece} for piece in ["Hm, ", *pieces, "?"]]
    chunks = [{"choices": [{"delta": delta}]} for delta in (*thoughts, *deltas)]
    async with ModelServer(model_server.events(*chunks, {"choices": [{"finish_reason": "stop"}]})) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY)
        answer = await model.complete(question(), heard.append)
        await model.close()
    whole = "".join(heard)
    assert whole.endswith(answer.text)
    assert written not in whole
    assert whole.count(HIDDEN) == 2
    assert whole.startswith("Hm, ")
    assert answer.text.startswith("It is ")
    assert answer.text.endswith(".")


async def test_a_refusal_hides_a_key_that_would_be_cut_in_two() -> None:
    for script in (status(400, "x" * 470 + KEY), model_server.refuses("x" * 490 + KEY)):
        with pytest.raises(ModelFailure) as caught:
            await ask(script)
        assert KEY[:6] not in caught.value.message


async def test_keys_of_other_models_of_the_worker_are_hidden_too() -> None:
    async with ModelServer(status(401, "not hunter-two-22 but another-key-of-ours")) as server:
        base_url = server.base_url.replace("http://", "http://me:hunter-two-22@")
        model = OpenAIModel("m", base_url=base_url, api_key=KEY, secrets=Secrets(["another-key-of-ours"]))
        executor = Executor(model)
        failed = await executor(to_execute(task("")), Heard())
        await executor.close()
    assert isinstance(failed, FailureResult)
    assert f"not {HIDDEN} but {HIDDEN}" in failed.message
    assert "hunter" not in failed.message


def test_a_url_that_is_none_is_shown_without_its_query() -> None:
    with pytest.raises(Exception, match="expected a URL") as caught:
        checked_url("ftp://me:secret-1@example.com/v1?key=secret-2")
    assert "secret" not in str(caught.value)


def test_the_beginning_of_a_key_at_the_end_of_an_answer_stays() -> None:
    partial, deltas = PartialAnswer(Secrets([KEY])), list[str]()
    partial.take({"choices": [{"delta": {"content": f"{KEY[:10]}"}, "finish_reason": "stop"}]}, deltas.append)
    assert deltas == []
    partial.end(deltas.append)
    assert "".join(deltas) == partial.answer("m").text == KEY[:10]


@pytest.mark.parametrize("name", ["content", "reasoning", "reasoning_content"])
async def test_a_large_piece_is_searched_in_portions_and_told_whole(name: str) -> None:
    text, deltas = "\\u0041%41&#65;" * 40_000 + KEY, list[str]()
    chunks = [{"choices": [{"delta": {name: text, "content": "!"}}]}] if name != "content" else []
    chunks += [{"choices": [{"delta": {"content": text}}]}] if name == "content" else []
    async with ModelServer(model_server.events(*chunks, {"choices": [{"finish_reason": "stop"}]})) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY)
        with longest_turns() as turns:
            await model.complete(question(), deltas.append)
        await model.close()
    assert turns.longest < 0.15, turns.story()
    assert "".join(deltas).removesuffix("!") == text.replace(KEY, HIDDEN)
