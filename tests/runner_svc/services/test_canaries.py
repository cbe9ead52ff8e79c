"""Canaries over real sockets: validators get them like candidates, and clients see the tallies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc
import pytest

from runner_svc.store.memory import MemoryStore
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.runner_svc.prune.test_pruner import ALL_OLD, prune
from tests.runner_svc.services.test_late_results import until_event
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL
GOOD = plan_pb2.Canary(candidate="42, by Adams", good=True)
BAD = plan_pb2.Canary(candidate="trust me", good=False)
LARGE = plan_pb2.Canary(candidate="long " * 20_000, good=False)


def planner() -> PlannerOfTexts:
    specs = {
        "known": plan_pb2.TaskSpec(validation=plan_pb2.Validation(criteria=["is good"], canaries=[GOOD, BAD])),
        "large": plan_pb2.TaskSpec(validation=plan_pb2.Validation(criteria=["is good"], canaries=[LARGE])),
    }
    return PlannerOfTexts(specs, knowing="known", growing="large")


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(planner(), tmp_path) as up:
        yield up


async def start(runner: Running, plan_id: str, rate: float = 1.0, tokens: int | None = None) -> runner_pb2.ExecutionRef:
    budget = plan_pb2.Budget(tokens=tokens)
    settings = execution_pb2.ExecutionSettings(canary_rate=rate, reuse=False, budget=budget)
    request = runner_pb2.StartExecutionRequest(plan_id=plan_id, settings=settings)
    return runner_pb2.ExecutionRef(execution_id=(await runner.stub.StartExecution(request)).execution.execution_id)


async def judge_both(runner: Running, outcomes: tuple[int, int]) -> list[worker_pb2.Assign]:
    """Makes a task, and judges its canary and its candidate; returns the assignments of both judgings."""
    given = []
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        await executor.make(await executor.assigned(), "mine")
        async with raw_worker(runner, VALIDATOR, "v1", models=["judge-1"]) as validator:
            for outcome in outcomes:
                given.append(await validator.assigned())
                await validator.judge(given[-1], execution_pb2.Outcome.ValueType(outcome))
    return given


async def execution_of(runner: Running, ref: runner_pb2.ExecutionRef) -> execution_pb2.Execution:
    return (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution


@pytest.mark.guard(name="workers are not told of canaries")
async def test_no_worker_is_told_what_is_a_canary(runner: Running) -> None:
    await start(runner, "knowing")
    canary, real = await judge_both(runner, (PASS, PASS))
    assert (canary.candidate.inline, real.candidate.inline) == (b"42, by Adams", b"mine")
    for assign in (canary, real):
        assert not assign.task.validation.canaries
        assign.candidate.ClearField("inline")
        assign.candidate.digest, assign.candidate.size_bytes = "", 0
        assign.lease_id = ""
    assert canary == real


async def test_clients_are_told_what_validators_made_of_them(runner: Running) -> None:
    first = await start(runner, "knowing")
    await judge_both(runner, (FAIL, PASS))
    assert (await execution_of(runner, first)).state == execution_pb2.EXECUTION_STATE_SUCCEEDED
    await start(runner, "knowing")
    await judge_both(runner, (PASS, PASS))
    told = (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).canaries
    assert list(told) == [execution_pb2.CanaryTally(model="judge-1", good=2, false_rejects=1)]
    assert list((await execution_of(runner, first)).canaries) == [
        execution_pb2.CanaryTally(model="judge-1", good=1, false_rejects=1)
    ]


@pytest.mark.guard(name="sums outlive what is pruned")
async def test_figures_count_executions_that_were_pruned(tmp_path: Path) -> None:
    store = MemoryStore()
    for told_before in (False, True):
        async with running(planner(), tmp_path, store=store, checkpoint_every=1) as runner:
            if not told_before:
                await start(runner, "knowing")
                await judge_both(runner, (FAIL, PASS))
                request = runner_pb2.PruneExecutionsRequest()
                request.older_than.FromSeconds(0)
                assert [answer.executions async for answer in runner.stub.PruneExecutions(request)][-1] == 1
            told = (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).canaries
            assert list(told) == [execution_pb2.CanaryTally(model="judge-1", good=1, false_rejects=1)]


async def test_a_large_one_can_be_read_under_its_lease(runner: Running) -> None:
    ref = await start(runner, "growing")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        await executor.make(await executor.assigned(), "mine")
        async with raw_worker(runner, VALIDATOR, "v1", max_frame_bytes=64 * 1024) as validator:
            assign = await validator.assigned()
            assert assign.candidate.by_reference
            body = await read(runner, ref, assign)
    assert body == LARGE.candidate.encode()


async def read(runner: Running, ref: runner_pb2.ExecutionRef, assign: worker_pb2.Assign) -> bytes:
    request = runner_pb2.GetArtifactRequest(
        ref=ref, task_id=assign.candidate.task_id, lease_id=assign.lease_id, digest=assign.candidate.digest
    )
    return b"".join([answer.chunk async for answer in runner.stub.GetArtifact(request)])


async def test_figures_survive_a_restart_and_so_does_a_judging_that_is_under_way(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(planner(), tmp_path, store=store, checkpoint_every=1) as runner:
        ref = await start(runner, "knowing")
        await judge_both(runner, (PASS, PASS))
        other = await start(runner, "knowing")
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            await executor.make(await executor.assigned(), "mine")
            lease = (await validator.assigned()).lease_id
    async with running(planner(), tmp_path, store=store, checkpoint_every=1) as again:
        async with raw_worker(again, VALIDATOR, "v1", held=[lease], models=["judge-1"]) as validator:
            await validator.hear("keep")
            await validator.judge(worker_pb2.Assign(lease_id=lease), FAIL)
            assert (await validator.assigned()).candidate.inline == b"mine"
        told = (await again.stub.ListWorkers(runner_pb2.ListWorkersRequest())).canaries
        assert list(told) == [execution_pb2.CanaryTally(model="judge-1", good=2, false_rejects=1)]
        assert (await execution_of(again, ref)).canaries[0].good == 1
        assert (await execution_of(again, other)).canaries[0].false_rejects == 1


class StoreOfAnEarlierVersion(MemoryStore):
    """Keeps maps as 47ee0cd did: without the canaries of their tasks."""

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        kept = [plan_pb2.MapPart.FromString(part) for part in parts]
        for task in (task for part in kept for task in part.tasks.tasks):
            task.spec.validation.ClearField("canaries")
        await super().put_map(key, [part.SerializeToString() for part in kept])


@pytest.mark.guard(name="a map may lack its canaries")
@pytest.mark.guard(name="canaries count without their map")
async def test_a_canary_that_an_earlier_version_has_not_kept_is_undecided_and_holds_nothing_up(tmp_path: Path) -> None:
    store = StoreOfAnEarlierVersion()
    async with running(planner(), tmp_path, store=store) as runner:
        ref = await start(runner, "knowing", tokens=1_000_000)
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            await executor.make(await executor.assigned(), "mine")
            lease = (await validator.assigned()).lease_id
            spent = worker_pb2.Usage(lease_id=lease, model="judge-1", input_tokens=30, output_tokens=3, requests=1)
            await validator.say(usage=spent)
            await until_event(runner, ref, "usage_recorded")
    for has_judged in (False, True):
        async with running(planner(), tmp_path, store=store, prune_grace=ALL_OLD) as again:
            assert not await again.engine.ask(lambda state: state.quarantined)
            if not has_judged:
                async with raw_worker(again, VALIDATOR, "v1", held=[lease], models=["judge-1"]) as validator:
                    await validator.hear("keep")
                    assert not (await prune(again)).executions
                    await validator.judge(worker_pb2.Assign(lease_id=lease), PASS)
                    await validator.judge(await validator.assigned(), PASS)
            told = (await again.stub.ListWorkers(runner_pb2.ListWorkersRequest())).canaries
            assert list(told) == [execution_pb2.CanaryTally(model="judge-1", undecided=1)]
            assert (await execution_of(again, ref)).state == execution_pb2.EXECUTION_STATE_SUCCEEDED


async def test_a_rate_out_of_bounds_is_refused(runner: Running) -> None:
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await start(runner, "knowing", rate=1.5)


@pytest.mark.guard(name="watchers are told of canaries with their verdict")
async def test_a_watch_tells_which_lease_is_a_canarys_with_its_verdict_and_not_before(runner: Running) -> None:
    ref = await start(runner, "knowing")
    live = runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=True))
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned(), "mine")
        canary = await validator.assigned()
        before = [event for event in await told(runner, ref) if event.HasField("task_assigned")]
        seen = execution_pb2.TaskAssigned(
            lease_id=canary.lease_id, attempt=1, phase=execution_pb2.PHASE_VALIDATE, worker="v1", model=""
        )
        assert before[-1].task_assigned == seen, "its assignment looks like any other"
        assert not (await execution_of(runner, ref)).canaries
        await validator.judge(canary, PASS)
        await validator.judge(await validator.assigned(), PASS)
    after = await told(runner, ref)
    assert [event async for answer in live for event in answer.events.events] == after
    assert not any(event.task_assigned.canary for event in after)
    (judged,) = [event.canary_judged for event in after if event.HasField("canary_judged")]
    assert (judged.lease_id, judged.canary) == (canary.lease_id, 1)


async def told(runner: Running, ref: runner_pb2.ExecutionRef) -> list[execution_pb2.Event]:
    """Returns the events that a watcher receives up to now."""
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=False)
    return [event async for answer in runner.stub.WatchExecution(request) for event in answer.events.events]


async def test_what_is_shown_of_a_task_is_the_same_while_a_canary_is_judged_and_while_its_candidate_is(
    runner: Running,
) -> None:
    ref = await start(runner, "knowing")
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
    shown = []
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned(), "mine")
        for _ in range(2):
            assign = await validator.assigned()
            shown.append((await runner.stub.GetExecution(request)).tasks[0])
            await validator.judge(assign, PASS)
    assert shown[0] == shown[1]
