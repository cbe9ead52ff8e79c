"""A task's requirements over real sockets: capable workers, a person's verdict, and its costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from runner_svc.prices import Price, Prices
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL

SPECS = {
    "fetched": plan_pb2.TaskSpec(
        executor=plan_pb2.ExecutorSpec(
            name="fetch", model="large", run_timeout=Duration(seconds=7), idle_timeout=Duration(seconds=3)
        ),
    ),
    "seen": plan_pb2.TaskSpec(validation=plan_pb2.Validation(human=True)),
}
PRICES = Prices("EUR", {"m": Price(input=1000.0, output=2000.0)})


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    planner = PlannerOfTexts(SPECS, fetching="fetched; plain", seeing="seen; after <- seen", one="a")
    async with running(planner, tmp_path, prices=PRICES) as up:
        yield up


async def task_of(runner: Running, ref: runner_pb2.ExecutionRef, task_id: str) -> execution_pb2.TaskState:
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_NAMED, task_ids=[task_id])
    return (await runner.stub.GetExecution(request)).tasks[0]


# ---------------------------------------------------------------- who can do it


async def test_a_task_goes_to_the_worker_that_offers_what_it_asks_for(runner: Running) -> None:
    async with (
        raw_worker(runner, EXECUTOR, "plain") as plain,
        raw_worker(runner, EXECUTOR, "able", handlers=["fetch"], models=["small", "large"]) as able,
    ):
        await runner.start("fetching")
        assigned, other = await able.assigned(), await plain.assigned()
    assert (assigned.task.task_id, assigned.model, other.task.task_id, other.model) == ("fetched", "large", "plain", "")
    assert (assigned.run_timeout.seconds, assigned.idle_timeout.seconds) == (7, 3)
    assert (other.run_timeout.seconds, other.idle_timeout.seconds) == (1800, 120)


async def test_what_nobody_can_do_is_said_at_the_start_after_a_pause_and_when_asked(runner: Running) -> None:
    async with raw_worker(runner, EXECUTOR, "w1", handlers=["fetch"], models=["small"]) as worker:
        await worker.say(pong=worker_pb2.Pong())
        started = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id="fetching"))
        assert sorted(started.warnings) == [
            "fetched asks for the handler fetch, the model large, and no connected executor has that",
            "plain asks for the handler model, and no connected executor has that",
        ]
        ref = runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
        resumed = await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref))
        assert sorted(resumed.warnings) == sorted(started.warnings)
        waiting = (await task_of(runner, ref, "fetched")).waiting
    assert waiting.waiting_for == execution_pb2.WAITING_FOR_CAPABLE_WORKER
    assert waiting.message.endswith("the handler fetch, the model large")


async def test_clients_see_what_workers_can_do(runner: Running) -> None:
    async with (
        raw_worker(runner, EXECUTOR, "able", handlers=["fetch", "model"], models=["small"]),
        raw_worker(runner, VALIDATOR, "v1"),
    ):
        workers = (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).workers
    assert [(w.name, list(w.handlers), list(w.models)) for w in workers] == [
        ("able", ["fetch", "model"], ["small"]),
        ("v1", ["judge"], []),
    ]


async def test_a_worker_that_offers_too_much_is_refused(runner: Running) -> None:
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        async with raw_worker(runner, EXECUTOR, "w1", handlers=[f"f{n}" for n in range(1001)]):
            pass


# ---------------------------------------------------------------- a person's verdict


def verdict(ref: runner_pb2.ExecutionRef, outcome: int = PASS, **more: Any) -> runner_pb2.JudgeTaskRequest:
    kind = execution_pb2.Outcome.ValueType(outcome)
    return runner_pb2.JudgeTaskRequest(ref=ref, task_id="seen", outcome=kind, **more)


@pytest.fixture
async def asked(runner: Running) -> AsyncIterator[tuple[runner_pb2.ExecutionRef, RawWorker]]:
    """Brings task `seen` to where it waits for a person; its executor is still connected."""
    ref = await runner.start("seeing")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        await executor.make(await executor.assigned())
        async with raw_worker(runner, VALIDATOR, "v1", handlers=["command"]) as validator:
            await validator.judge(await validator.assigned())
        yield ref, executor


Asked = tuple[runner_pb2.ExecutionRef, RawWorker]


async def test_an_execution_waits_for_a_person_and_says_so(runner: Running, asked: Asked) -> None:
    ref, _ = asked
    task = await task_of(runner, ref, "seen")
    assert task.waiting.waiting_for == execution_pb2.WAITING_FOR_PERSON
    execution = (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution
    assert (execution.state, execution.awaiting_person) == (execution_pb2.EXECUTION_STATE_RUNNING, 1)


async def test_an_approved_candidate_lets_the_others_go_on(runner: Running, asked: Asked) -> None:
    ref, executor = asked
    await runner.stub.JudgeTask(verdict(ref, person="ada"))
    assert (await executor.assigned()).task.task_id == "after"
    assert (await task_of(runner, ref, "seen")).artifact.digest


async def test_a_rejected_candidate_is_made_again_with_the_reason(runner: Running, asked: Asked) -> None:
    ref, executor = asked
    await runner.stub.JudgeTask(verdict(ref, FAIL, reason="name the year", person="ada"))
    again = await executor.assigned()
    assert (again.attempt, again.feedback.summary) == (2, "name the year")
    assert again.feedback.previous_candidate.inline == b"made"


async def test_a_verdict_is_given_once_and_repeating_it_changes_nothing(runner: Running, asked: Asked) -> None:
    ref, _ = asked
    first = await runner.stub.JudgeTask(verdict(ref, request_id="r1"))
    again = await runner.stub.JudgeTask(verdict(ref, request_id="r1"))
    assert again.execution.sequence >= first.execution.sequence
    with refused("WRONG_STATE", grpc.StatusCode.FAILED_PRECONDITION):
        await runner.stub.JudgeTask(verdict(ref, request_id="r2"))


@pytest.mark.parametrize(
    "bad",
    [
        lambda ref: verdict(ref, FAIL),
        lambda ref: verdict(ref, execution_pb2.OUTCOME_ERROR),
        lambda ref: verdict(ref, person="x" * 200),
        lambda ref: verdict(ref, FAIL, reason="x" * 10_000),
    ],
)
async def test_a_verdict_that_makes_no_sense_is_refused(
    runner: Running, bad: Callable[[runner_pb2.ExecutionRef], runner_pb2.JudgeTaskRequest]
) -> None:
    ref = await runner.start("seeing")
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await runner.stub.JudgeTask(bad(ref))


# ---------------------------------------------------------------- what it cost


def cost(lease_id: str, tokens: int, model: str = "m") -> worker_pb2.Usage:
    return worker_pb2.Usage(lease_id=lease_id, model=model, input_tokens=tokens, output_tokens=1, requests=1)


async def test_costs_are_priced_and_what_has_no_price_is_unknown(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        assign = await executor.assigned()
        await executor.say(usage=cost(assign.lease_id, 10))
        await executor.say(usage=cost(assign.lease_id, 20))
        await executor.say(usage=cost(assign.lease_id, 5, model="unheard-of"))
        await executor.make(assign)
    answer = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
    assert answer.execution.currency == "EUR"
    told = [(t.model, t.input_tokens, t.output_tokens, t.cost_nanos, t.unpriced_tokens) for t in answer.execution.usage]
    assert told == [("m", 20, 1, 22_000_000, 0), ("unheard-of", 5, 1, 0, 6)]
    assert (await task_of(runner, ref, "a")).usage == answer.execution.usage


async def test_costs_that_a_worker_repeats_after_a_cut_count_once(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as first:
        assign = await first.assigned()
        await first.say(usage=cost(assign.lease_id, 10))
        await first.say(pong=worker_pb2.Pong())
    async with raw_worker(runner, EXECUTOR, "w1", held=[assign.lease_id]) as second:
        await second.hear("keep")
        await second.say(usage=cost(assign.lease_id, 10))
        await second.make(assign)
        await second.say(usage=cost(assign.lease_id, 10))
    execution = (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution
    assert [total.input_tokens for total in execution.usage] == [10]
