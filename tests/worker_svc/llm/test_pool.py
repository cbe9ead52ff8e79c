"""Several models behind one port."""

from __future__ import annotations

import dataclasses

import pytest

from signoff.v1 import execution_pb2
from tests.support.work.givens import ONE, Heard, Saying, task, to_execute
from worker_svc.assignment import CandidateResult, FailureResult
from worker_svc.executor import Executor
from worker_svc.llm.pool import Member, ModelPool
from worker_svc.llm.port import ModelFailure, ModelRequest
from worker_svc.prompts.messages import execute_messages


def named(name: str, *answers: str | ModelFailure, **settings: str) -> Saying:
    model = Saying(*(answers or (f"by {name}",)))
    model.name, model.names, model.settings = name, (name,), settings
    return model


def request(model: str) -> ModelRequest:
    assignment = to_execute(task())
    return ModelRequest(messages=execute_messages(assignment), assignment=assignment, model=model)


@pytest.fixture
def models() -> tuple[Saying, Saying]:
    return named("small"), named("large", temperature="1")


@pytest.fixture
def pool(models: tuple[Saying, Saying]) -> ModelPool:
    small, large = models
    return ModelPool([Member(model=small, preset="draft"), Member(model=large, preset="final", aliases=("large-2",))])


async def test_a_request_reaches_the_model_it_names_and_the_default_when_it_names_none(pool: ModelPool) -> None:
    asked = {name: (await pool.complete(request(name), lambda _: None)).text for name in ("", *pool.names)}
    assert asked == {
        "": "by small",
        "draft": "by small",
        "small": "by small",
        "final": "by large",
        "large": "by large",
        "large-2": "by large",
    }


async def test_a_name_that_is_unknown_is_a_permanent_failure_that_lists_the_known_ones(
    pool: ModelPool, models: tuple[Saying, Saying]
) -> None:
    with pytest.raises(ModelFailure) as caught:
        await pool.complete(request("huge"), lambda _: None)
    assert caught.value.kind == execution_pb2.FAILURE_KIND_PERMANENT
    assert caught.value.message == (
        'expected a model among draft, small, final, large, large-2, but the task asks for "huge"'
    )
    assert not [asked for model in models for asked in model.requests]


def test_the_default_speaks_for_the_pool(pool: ModelPool) -> None:
    assert (pool.name, pool.settings) == ("small", {})
    assert pool.maker_parts("") == ("small", {})
    assert pool.maker_parts("final") == ("large", {"temperature": "1"})


async def test_closing_the_pool_closes_every_model(pool: ModelPool, models: tuple[Saying, Saying]) -> None:
    await pool.close()
    assert [model.closed for model in models] == [True, True]


# ---------------------------------------------------------------- the executor over it


async def test_the_executor_asks_the_model_that_the_assignment_names_and_says_who_made_it(pool: ModelPool) -> None:
    executor, heard, made = Executor(pool), Heard(), []
    for model in ("", "final", "large"):
        result = await executor(dataclasses.replace(to_execute(), model=model), heard)
        assert isinstance(result, CandidateResult)
        made.append((result.content, result.maker))
    default, other = executor.offer.makers
    assert made == [(b"by small", default), (b"by large", other), (b"by large", other)]
    assert [cost[0] for cost in heard.costs] == ["small", "large", "large"]


def test_the_offer_has_every_name_and_each_maker_once_the_default_first(pool: ModelPool) -> None:
    offer = Executor(pool).offer
    assert offer.models == ("draft", "small", "final", "large", "large-2")
    assert len(offer.makers) == 2
    assert offer.makers[0] == Executor(ModelPool([Member(model=named("small"))])).offer.makers[0]


async def test_an_assignment_for_a_model_that_is_not_here_fails_for_good(pool: ModelPool) -> None:
    heard = Heard()
    result = await Executor(pool)(dataclasses.replace(to_execute(), model="huge"), heard)
    assert isinstance(result, FailureResult)
    assert result.kind == execution_pb2.FAILURE_KIND_PERMANENT
    assert heard.costs == []


async def test_what_the_task_says_of_temperature_and_tokens_changes_the_request_and_not_the_maker() -> None:
    model = named("small")
    executor, spec = Executor(ModelPool([Member(model=model)])), task()
    spec.executor.temperature, spec.executor.max_tokens = 0.0, 7
    plain, again = await executor(to_execute(), Heard()), await executor(to_execute(spec), Heard())
    assert [(asked.temperature, asked.max_tokens) for asked in model.requests] == [(None, None), (0.0, 7)]
    assert plain == again


async def test_what_a_failure_has_cost_is_told_all_the_same() -> None:
    failure = ModelFailure.permanent("too long")
    heard = Heard()
    await Executor(ModelPool([Member(model=named("small", failure))]))(to_execute(), heard)
    assert heard.costs == [("small", ONE)]
