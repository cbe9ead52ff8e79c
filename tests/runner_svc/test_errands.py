"""Errands: work between two turns, on a state that is durable, whatever happens around it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
import pytest

from runner_svc.core.decide.turn import State
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import ExecutionId
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Listed, Row
from signoff.errors import ShuttingDown, StorageFailed
from signoff.v1 import execution_pb2, runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.runner import PlannerOfTexts, running

PLANS = PlannerOfTexts(two="a; b <- a")


class SlowlyRefusingStore(MemoryStore):
    """Refuses a write once it is told to, while `refuses` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: asyncio.Event | None = None
        self.writes = asyncio.Event()

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        if self.refuses is not None:
            self.writes.set()
            await self.refuses.wait()
            raise StorageFailed("the disk refused")
        await super().append(rows, contents, listed, named)


@pytest.mark.guard(name="errands are done on a durable state")
async def test_an_errand_sees_nothing_of_what_the_store_has_refused(tmp_path: Path) -> None:
    store = SlowlyRefusingStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two")

        async def look(state: State) -> ExecutionState:
            return state.executions[ExecutionId(ref.execution_id)].state

        store.refuses = asyncio.Event()
        pausing = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
        await store.writes.wait()
        looking = asyncio.create_task(runner.engine.between_turns(look))
        await asyncio.sleep(0)
        store.refuses.set()
        store.refuses = None
        assert await looking is ExecutionState.RUNNING
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await pausing


async def test_an_errand_that_fails_has_the_state_built_anew_and_the_runner_goes_on(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("two")

        async def tear(state: State) -> None:
            state.executions.clear()
            raise StorageFailed("the disk refused")

        with pytest.raises(StorageFailed):
            await runner.engine.between_turns(tear, changes_state=True)
        found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        assert found.execution.state == execution_pb2.EXECUTION_STATE_RUNNING


async def test_errands_take_turns_and_one_whose_caller_has_gone_is_left_out(tmp_path: Path) -> None:
    done = list[int]()

    async with running(PLANS, tmp_path) as runner:

        async def note(number: int) -> None:
            await asyncio.sleep(0)
            done.append(number)

        tasks = [asyncio.create_task(runner.engine.between_turns(lambda _, n=n: note(n))) for n in range(4)]  # type: ignore[misc]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert done == [0, 1, 3]


async def test_an_errand_that_waits_when_the_runner_ends_is_told(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        runner.loops[0].cancel()
        await asyncio.gather(runner.loops[0], return_exceptions=True)
        with pytest.raises(ShuttingDown):
            await runner.engine.between_turns(lambda _: asyncio.sleep(0))
