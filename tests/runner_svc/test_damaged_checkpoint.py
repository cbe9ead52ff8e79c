"""Rows of the checkpoint or of the index that are gone or damaged: the journal has all of it, and a start reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runner_svc.store.memory import MemoryStore
from signoff.v1 import checkpoint_pb2, execution_pb2, runner_pb2
from tests.runner_svc.test_engine_bugs import PLANS, described, work_off
from tests.support.servers.runner import Running, running

Damage = Callable[[MemoryStore, str], None]


def gone(store: MemoryStore, execution: str) -> None:
    del store._executions[execution]


def with_another_id(store: MemoryStore, execution: str) -> None:
    kept = checkpoint_pb2.ExecutionCheckpoint.FromString(store._executions[execution])
    kept.execution.execution_id = "damaged"
    store._executions[execution] = kept.SerializeToString()


def under_another_name(store: MemoryStore, execution: str) -> None:
    store._executions = {name if name != execution else "damaged": body for name, body in store._executions.items()}


async def kept(folder: Path, store: MemoryStore) -> list[runner_pb2.ExecutionRef]:
    """Leaves a checkpoint of three executions, of which the first is paused afterwards."""
    async with running(PLANS, folder, store=store) as runner:
        refs = [await runner.start(plan) for plan in ("two", "one", "two")]
        await runner.engine.checkpoint()
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=refs[0]))
    return refs


async def order(runner: Running) -> list[str]:
    return await runner.engine.ask(lambda state: [*state.created])


@pytest.mark.guard(name="a checkpoint is compared with the journals")
@pytest.mark.guard(name="what a checkpoint lacks keeps its place")
async def test_an_execution_that_the_checkpoint_has_lost_is_built_from_its_journal_in_its_place(tmp_path: Path) -> None:
    store = MemoryStore()
    refs = await kept(tmp_path, store)
    gone(store, refs[0].execution_id)
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, refs[0])).state == execution_pb2.EXECUTION_STATE_PAUSED
        assert await order(runner) == [ref.execution_id for ref in refs]
        assert await runner.engine.ask(lambda state: state.created.newest["two"]) == refs[2].execution_id
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=refs[0]))
        await work_off(runner, refs[0])


@pytest.mark.guard(name="a damaged id is no execution")
async def test_an_execution_whose_id_is_damaged_in_the_checkpoint_is_there_once(tmp_path: Path) -> None:
    store = MemoryStore()
    refs = await kept(tmp_path, store)
    with_another_id(store, refs[0].execution_id)
    async with running(PLANS, tmp_path, store=store) as runner:
        assert await order(runner) == [ref.execution_id for ref in refs]
        assert (await described(runner, refs[0])).state == execution_pb2.EXECUTION_STATE_PAUSED


@pytest.mark.parametrize("damage", [gone, with_another_id, under_another_name])
async def test_the_next_checkpoint_has_again_what_was_lost(tmp_path: Path, damage: Damage) -> None:
    store = MemoryStore()
    refs = await kept(tmp_path, store)
    damage(store, refs[0].execution_id)
    for _ in range(2):
        async with running(PLANS, tmp_path, store=store) as runner:
            await runner.engine.checkpoint()
    async with running(PLANS, tmp_path, store=store) as runner:
        assert await order(runner) == [ref.execution_id for ref in refs]


async def test_an_execution_that_has_ended_and_was_lost_is_there_again(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("one")
        await work_off(runner, ref)
        await runner.outputs.drained()
        await runner.engine.checkpoint()
    gone(store, ref.execution_id)
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, ref)).counts.done == 1


@pytest.mark.guard(name="the index gets what it lacks")
async def test_an_execution_that_the_index_has_lost_is_listed_again(tmp_path: Path) -> None:
    store = MemoryStore()
    refs = await kept(tmp_path, store)
    async with running(PLANS, tmp_path, store=store):
        assert await store.is_listed()
    del store._listed[refs[1].execution_id]
    async with running(PLANS, tmp_path, store=store) as runner:
        listed = (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions
        assert [found.execution_id for found in listed] == [ref.execution_id for ref in reversed(refs)]
