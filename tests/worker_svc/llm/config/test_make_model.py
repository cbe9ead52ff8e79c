"""One conformance suite over every adapter of the model port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.support.servers.model_server import (
    ModelServer,
    Recorded,
    Reply,
    Script,
    stalled,
    status,
    streams,
    without_proxies,
)
from tests.support.work.givens import task, to_execute, to_judge, verdicts
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.port import Model, ModelFailure, ModelRequest
from worker_svc.mock import MockModel, MockOptions
from worker_svc.prompts.messages import Asking, execute_messages, judge_messages, judge_schema
from worker_svc.spent import Spent
from worker_svc.validate.judge.answer import JudgeRequest, opinions_in
from worker_svc.validate.judge.repeats import ShownCandidate

A_NONCE = "0123456789abcdef"
CRITERIA = ("names Mars", "is short")


class Bench:
    """The models of one adapter, in the states that the suite needs."""

    def __init__(
        self,
        works: Callable[[], AbstractAsyncContextManager[Model]],
        fails: Callable[[], AbstractAsyncContextManager[Model]],
        hangs: Callable[[], AbstractAsyncContextManager[Model]],
    ) -> None:
        self.works, self.fails, self.hangs = works, fails, hangs


def served(*scripts: Script) -> Callable[[], AbstractAsyncContextManager[Model]]:
    @asynccontextmanager
    async def model() -> AsyncIterator[Model]:
        async with ModelServer(*scripts) as server:
            model = OpenAIModel("scripted", base_url=server.base_url, api_key="sk-test")
            yield model
            await model.close()

    return model


def mocked(options: MockOptions) -> Callable[[], AbstractAsyncContextManager[Model]]:
    @asynccontextmanager
    async def model() -> AsyncIterator[Model]:
        model = MockModel(options)
        yield model
        await model.close()

    return model


def answering(request: Recorded) -> Reply:
    """Judges when the request has criteria, works otherwise; streams a character at a time."""
    return streams(
        *(verdicts("pass", "pass", nonce=A_NONCE) if "# Criteria" in str(request.body) else "Mars and Venus")
    )


@pytest.fixture(params=["openai", "mock"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    without_proxies(monkeypatch)
    if request.param == "openai":
        return Bench(served(answering), served(status(500)), served(stalled("Ma")))
    return Bench(mocked(MockOptions()), mocked(MockOptions(fail=1, judge_error=1)), mocked(MockOptions(delay=3600)))


def work() -> ModelRequest:
    assignment = to_execute(task("Markdown"))
    return ModelRequest(messages=execute_messages(assignment), assignment=assignment)


def judgement() -> ModelRequest:
    assignment = to_judge("Mars", task("Markdown", criteria=CRITERIA))
    assert assignment.candidate is not None
    return ModelRequest(
        messages=judge_messages(assignment, assignment.candidate, CRITERIA, Asking(nonce=A_NONCE)),
        assignment=assignment,
        json_object_wanted=True,
        schema=judge_schema(len(CRITERIA)),
        strict=True,
        criteria=CRITERIA,
        nonce=A_NONCE,
    )


async def test_an_answer_comes_in_pieces_and_whole_with_its_cost(bench: Bench) -> None:
    async with bench.works() as model:
        pieces, costs = list[str](), list[Spent]()
        answer = await model.complete(work(), pieces.append, costs.append)
    assert len(pieces) > 1
    assert answer.text in "".join(pieces)
    assert answer.text
    assert answer.finish_reason == "stop"
    assert costs[-1].input_tokens > 0
    assert costs[-1].output_tokens > 0
    assert (costs[-1].requests, costs[-1].estimated_input_tokens, costs[-1].estimated_output_tokens) == (1, 0, 0)


async def test_a_judgement_is_one_verdict_for_each_criterion(bench: Bench) -> None:
    async with bench.works() as model:
        answer = await model.complete(judgement(), lambda _: None)
    asked = JudgeRequest(criteria=CRITERIA, nonce=A_NONCE, shown=ShownCandidate("Mars"))
    assert len(opinions_in(answer.text, asked)) == len(CRITERIA)


@pytest.mark.parametrize("request_of", [work, judgement])
async def test_a_failure_is_typed_and_names_the_model(bench: Bench, request_of: Callable[[], ModelRequest]) -> None:
    async with bench.fails() as model:
        with pytest.raises(ModelFailure, match=r"mock|scripted") as caught:
            await model.complete(request_of(), lambda _: None)
    assert caught.value.message == str(caught.value)


async def test_cancelling_ends_the_call_at_once(bench: Bench) -> None:
    async with bench.hangs() as model:
        call = asyncio.create_task(model.complete(work(), lambda _: None))
        await asyncio.sleep(0)
        call.cancel()
        async with asyncio.timeout(5):
            with pytest.raises(asyncio.CancelledError):
                await call


async def test_many_questions_at_once_get_their_own_answers(bench: Bench) -> None:
    async with bench.works() as model:
        answers = await asyncio.gather(*(model.complete(work(), lambda _: None) for _ in range(20)))
    assert {answer.text for answer in answers} == {answers[0].text}


async def test_name_and_settings_are_stable_and_hold_no_key(bench: Bench) -> None:
    async with bench.works() as model:
        assert model.name in {"scripted", "mock"}
        assert model.settings == model.settings
        assert "sk-test" not in str(model.settings)


async def test_closing_twice_is_harmless(bench: Bench) -> None:
    async with bench.works() as model:
        await model.complete(work(), lambda _: None)
        await model.close()
        await model.close()
