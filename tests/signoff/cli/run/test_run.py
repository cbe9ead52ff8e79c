"""Pieces of `signoff run`: what it goes on with, and what Ctrl-C does. The whole is a system test."""

from __future__ import annotations

import asyncio
import signal

import pytest

from signoff.cli.run.interrupts import Interrupts
from signoff.cli.run.start_execution import start_or_resume, unless_ended
from signoff.client.client import Client
from signoff.client.inputs import ResolvedInputs
from signoff.client.values import by_execution
from signoff.errors import WrongState
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2
from tests.support.servers.fake_runner import EXECUTION_ID, PLAN_ID, FakeRunner, execution, listening

Started, Resumed = runner_pb2.StartExecutionRequest, runner_pb2.ResumeExecutionRequest


async def asked_after(
    state: pb.ExecutionState.ValueType,
    *,
    digest: str = "same",
    new: bool = False,
    settings: pb.ExecutionSettings | None = None,
    given: str = "",
) -> tuple[object, list[str]]:
    """Returns the request to a runner that has an execution in a state, and the notices for the user."""
    runner, said = FakeRunner(execution=execution(state), warnings=["no worker can do a"]), list[str]()
    runner.execution.map_digest = digest
    header = plan_pb2.MapHeader(plan_id=PLAN_ID, map_digest="same", task_count=3)
    async with listening(runner) as address, Client(runner=address) as client:
        inputs = ResolvedInputs(digest=given)
        await start_or_resume(client, header, settings, said.append, new=new, inputs=inputs)
    return runner.asked[-1], said


@pytest.mark.parametrize("state", [pb.EXECUTION_STATE_RUNNING, pb.EXECUTION_STATE_PAUSED, pb.EXECUTION_STATE_STOPPED])
async def test_an_unfinished_execution_of_the_same_plan_goes_on(state: pb.ExecutionState.ValueType) -> None:
    request, said = await asked_after(state)
    assert isinstance(request, Resumed)
    assert request.ref.execution_id == EXECUTION_ID
    assert said[0].startswith("going on with x-1, which was ")
    assert said[1:] == ["warning: no worker can do a"]


@pytest.mark.guard(name="an execution that ends first is followed to its end")
@pytest.mark.parametrize("state", [pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_FAILED])
async def test_one_that_ends_before_it_is_resumed_is_followed_to_its_end(state: pb.ExecutionState.ValueType) -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=7), ends_as=state)
    runner.execution.map_digest = "same"
    header = plan_pb2.MapHeader(plan_id=PLAN_ID, map_digest="same", task_count=3)
    async with listening(runner) as address, Client(runner=address) as client:
        begun = await start_or_resume(client, header, None, lambda _: None, new=False)
    assert (begun.execution.execution_id, begun.execution.state, begun.before) == (EXECUTION_ID, state, 7)


@pytest.mark.guard(name="an execution that ends first is followed to its end")
async def test_so_is_one_that_ends_before_ctrl_c_stops_it() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING), ends_as=pb.EXECUTION_STATE_SUCCEEDED)
    ref = by_execution(EXECUTION_ID)
    async with listening(runner) as address, Client(runner=address) as client:
        ended = await unless_ended(client, ref, client.stop(ref))
    assert ended.state == pb.EXECUTION_STATE_SUCCEEDED


async def test_an_order_that_is_refused_for_another_reason_stays_refused() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING), ends_as=pb.EXECUTION_STATE_PAUSED)
    ref = by_execution(EXECUTION_ID)
    async with listening(runner) as address, Client(runner=address) as client:
        with pytest.raises(WrongState):
            await unless_ended(client, ref, client.resume(ref))


@pytest.mark.parametrize("state", [pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_FAILED])
async def test_a_finished_execution_is_followed_by_a_new_one(state: pb.ExecutionState.ValueType) -> None:
    request, said = await asked_after(state)
    assert isinstance(request, Started)
    assert said == ["warning: no worker can do a"]


async def test_a_changed_plan_starts_anew() -> None:
    request, _ = await asked_after(pb.EXECUTION_STATE_STOPPED, digest="other")
    assert isinstance(request, Started)


@pytest.mark.guard(name="other inputs begin a new execution")
async def test_other_inputs_start_anew_and_that_is_said() -> None:
    request, said = await asked_after(pb.EXECUTION_STATE_STOPPED, given="0" * 64)
    assert isinstance(request, Started)
    assert said[0] == "x-1, which is unfinished, was given other inputs: this is a new execution"


async def test_new_starts_anew() -> None:
    request, _ = await asked_after(pb.EXECUTION_STATE_STOPPED, new=True)
    assert isinstance(request, Started)


async def test_settings_are_given_to_a_new_execution_and_said_to_be_ignored_by_an_old_one() -> None:
    settings = pb.ExecutionSettings(max_failures=1)
    request, _ = await asked_after(pb.EXECUTION_STATE_FAILED, settings=settings)
    assert isinstance(request, Started)
    assert request.settings.max_failures == 1
    _, said = await asked_after(pb.EXECUTION_STATE_PAUSED, settings=settings)
    assert said[1] == "the settings on the command line are for new executions: this one keeps its own"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_first_signal_asks_and_the_second_ends_at_once(number: signal.Signals, code: int) -> None:
    killed = asyncio.Event()

    async def work() -> int:
        with Interrupts(on_second=killed.set) as interrupts:
            signal.raise_signal(number)
            await interrupts.first.wait()
            assert not killed.is_set()
            signal.raise_signal(number)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return interrupts.exit_code
        return 0

    assert await asyncio.wait_for(asyncio.create_task(work()), 10) == code
    assert killed.is_set()
