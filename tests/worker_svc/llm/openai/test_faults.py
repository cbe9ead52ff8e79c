"""The true client against an independent fault-injecting server: each fault becomes its documented failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from llmock.pytest_plugin import LLMock

from signoff.v1 import execution_pb2
from tests.support.servers.model_server import without_proxies
from tests.support.work.givens import Heard, task, to_execute
from worker_svc.assignment import CandidateResult, FailureResult, Result
from worker_svc.executor import Executor
from worker_svc.llm.config.settings import models_from_settings

TRANSIENT, PERMANENT = execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT
TOO_SMALL = execution_pb2.FAILURE_KIND_TOO_SMALL
OUTAGE = execution_pb2.FAILURE_KIND_OUTAGE
RATE_LIMITED, BUDGET = execution_pb2.FAILURE_KIND_RATE_LIMITED, execution_pb2.FAILURE_KIND_BUDGET


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


async def executed(llmock: LLMock, report: Heard | None = None, **env: str) -> Result:
    """Returns an executor's result of a task; the environment configures the executor, as a user would."""
    executor = Executor(models_from_settings("gpt-4o-mini", {**llmock.env(), **env}, role="executor"))
    try:
        return await executor(to_execute(task("Markdown")), report or Heard())
    finally:
        await executor.close()


async def test_without_a_fault_there_is_a_candidate_and_its_cost(llmock: LLMock) -> None:
    llmock.reply("# Mars\n\nIt is red.")
    heard = Heard()
    result = await executed(llmock, heard)
    assert isinstance(result, CandidateResult)
    assert result.content == b"# Mars\n\nIt is red."
    model, spent = heard.costs[-1]
    assert (model, spent.requests) == ("gpt-4o-mini", 1)
    assert spent.input_tokens > 0
    assert spent.output_tokens > 0
    assert len(heard.pieces) > 1


@pytest.mark.parametrize(
    ("break_it", "kind", "says"),
    [
        (lambda server: server.rate_limit(retry_after=2.0), RATE_LIMITED, "answered 429"),
        (lambda server: server.fail(429, code="insufficient_quota"), BUDGET, "nothing left to spend"),
        (lambda server: server.fail(402), BUDGET, "nothing left to spend"),
        (lambda server: server.context_overflow(times=3), TOO_SMALL, "the prompt is too long for this model"),
        (lambda server: server.limits(context_window=20), TOO_SMALL, "the prompt is too long for this model"),
        (lambda server: server.fail(401), PERMANENT, "check OPENAI_API_KEY"),
        (lambda server: server.fail(403), PERMANENT, "may not use this model"),
        (lambda server: server.fail(404, code="model_not_found"), PERMANENT, "check the model's name"),
        (lambda server: server.fail(408), OUTAGE, "answered 408"),
        (lambda server: server.fail(409), TRANSIENT, "answered 409"),
        (lambda server: server.fail(500), OUTAGE, "answered 500"),
        (lambda server: server.fail(502), OUTAGE, "answered 502"),
        (lambda server: server.outage(), OUTAGE, "answered 503"),
        (lambda server: server.truncate(after_chunks=2), TRANSIENT, "broke off its answer"),
        (lambda server: server.disconnect(after_chunks=2), TRANSIENT, "broke off its answer"),
        (lambda server: server.corrupt(after_chunks=2), TRANSIENT, "cannot be read"),
        (lambda server: server.call_tool("search"), TRANSIENT, "though none was offered"),
    ],
)
async def test_each_fault_has_its_kind(
    llmock: LLMock, break_it: Callable[[LLMock], LLMock], kind: execution_pb2.FailureKind.ValueType, says: str
) -> None:
    break_it(llmock)
    result = await executed(llmock)
    assert isinstance(result, FailureResult)
    assert (result.kind, says in result.message) == (kind, True), result.message


async def test_the_time_a_provider_asks_for_is_passed_on(llmock: LLMock) -> None:
    llmock.rate_limit(retry_after=2.0)
    result = await executed(llmock)
    assert isinstance(result, FailureResult)
    assert result.retry_after == timedelta(seconds=2)


async def test_the_true_quota_of_a_minute_is_a_rate_limit_with_its_time(llmock: LLMock) -> None:
    llmock.limits(rpm=1)
    assert isinstance(await executed(llmock), CandidateResult)
    result = await executed(llmock)
    assert isinstance(result, FailureResult)
    assert result.kind == RATE_LIMITED
    assert result.retry_after is not None
    assert timedelta(0) < result.retry_after <= timedelta(minutes=1)


async def test_a_stall_in_the_middle_is_given_up_when_nothing_comes(
    llmock: LLMock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("models") / "models.toml"
    file.write_text('[models.impatient]\nmodel = "gpt-4o-mini"\ntimeout = 0.3\n')
    llmock.stall(after_chunks=2, seconds=3.0)
    heard = Heard()
    async with asyncio.timeout(3):
        result = await executed(llmock, heard, SIGNOFF_MODELS=str(file))
    assert isinstance(result, FailureResult)
    assert (result.kind, "nothing came for 0.3 s" in result.message) == (TRANSIENT, True), result.message
    assert heard.pieces


async def test_what_comes_again_after_a_fault_is_an_answer(llmock: LLMock) -> None:
    llmock.disconnect(after_chunks=1)
    assert isinstance(await executed(llmock), FailureResult)
    assert isinstance(await executed(llmock), CandidateResult)
    llmock.assert_resilient()
