"""Hostile clients: meanwhile the planner answers others, and it ends when it is asked to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from signoff.rpc.channel import connect
from signoff.rpc.ends import answers_of
from signoff.rpc.statuses import reason_of
from signoff.v1 import planner_pb2, planner_pb2_grpc
from tests.support.longest_turn import read_report
from tests.support.servers.service import Service
from tests.support.values.trees import atomic, generated_plan, plan_json

PLAN = plan_json(atomic("1", makes="x"), atomic("2", reads=("x",)))
SLOW = generated_plan(6)  # seconds of CPU
MIB = 1 << 20
ENDS_WITHIN = 20.0  # seconds: the grace of two, and what an end takes on a busy machine
LONGEST_TURN = (
    0.25  # seconds of CPU of the service's loop: five times what is promised, for other tests run beside this
)

Call = grpc.aio.StreamStreamCall[planner_pb2.CompilePlanRequest, planner_pb2.CompilePlanResponse]
Messages = Iterator[planner_pb2.CompilePlanRequest]


class Planner:
    """A planner in a process of its own, whose loop is watched."""

    def __init__(self, folder: Path) -> None:
        self.report, self.data = folder / "turns.json", folder / "db"
        flags = (str(self.report), "planner_svc", "--data-dir", str(self.data), "--grace", "2")
        self.service = Service(
            name="planner", module="tests.support.longest_turn", flags=flags, folder=folder, listens=True
        )

    async def start(self) -> None:
        await self.service.start()
        self.channel = connect(self.service.address)
        self.stub: planner_pb2_grpc.PlannerServiceAsyncStub = planner_pb2_grpc.PlannerServiceStub(self.channel)

    async def compiles(self, plan_id: str = "good", within: float = 60.0) -> None:
        """Returns when a small plan has been compiled, as for any other client."""
        async with asyncio.timeout(within):
            answers = [answer async for answer in self.stub.CompilePlan(sent(PLAN, plan_id))]
        assert answers[-1].HasField("part")

    async def refused(self, messages: Messages | AsyncIterator[planner_pb2.CompilePlanRequest]) -> str:
        """Returns the reason for which a stream is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in answers_of(self.stub.CompilePlan(messages)):
                pass
        return reason_of(caught.value)

    async def ends(self) -> None:
        """Sends SIGTERM, and checks that the planner and its processes end in order and in time."""
        children = children_of(self.service.pid)
        begun = time.monotonic()
        assert await self.service.terminate() == 0
        assert time.monotonic() - begun < ENDS_WITHIN
        assert not [pid for pid in children if is_running(pid)]
        await self.channel.close()
        assert "bug" not in self.service.said()

    async def turns_are_short(self) -> None:
        turns = read_report(self.report)
        assert turns.longest < LONGEST_TURN, turns.story()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
async def planner(tmp_path: Path) -> AsyncIterator[Planner]:
    planner = Planner(tmp_path)
    await planner.start()
    yield planner
    await planner.channel.close()
    with suppress(ProcessLookupError):
        await planner.service.kill()


def sent(data: bytes, plan_id: str = "") -> Messages:
    yield planner_pb2.CompilePlanRequest(plan_id=plan_id)
    for first in range(0, len(data), MIB):
        yield planner_pb2.CompilePlanRequest(plan_json=data[first : first + MIB])


async def left_open(count: int = 1) -> AsyncIterator[planner_pb2.CompilePlanRequest]:
    for _ in range(count):
        yield planner_pb2.CompilePlanRequest(plan_json=b" ")
    await asyncio.Event().wait()


async def endless() -> AsyncIterator[planner_pb2.CompilePlanRequest]:
    while True:
        yield planner_pb2.CompilePlanRequest(plan_json=b" " * MIB)


async def reason_for(call: Call) -> str:
    try:
        await opened(call, suppressed=())
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    except asyncio.CancelledError:
        return "CANCELLED"
    return ""


async def opened(
    call: Call,
    suppressed: tuple[type[BaseException], ...] = (grpc.aio.AioRpcError, asyncio.CancelledError),
) -> None:
    """Reads a call to its end, good or bad."""
    with suppress(*suppressed):
        async for _ in answers_of(call):
            pass


async def test_streams_that_are_left_open_keep_nobody_waiting_and_end_with_the_service(planner: Planner) -> None:
    calls = [planner.stub.CompilePlan(left_open(n)) for n in range(20)]
    reading = [asyncio.create_task(opened(call)) for call in calls]
    await planner.compiles()

    await planner.ends()
    await asyncio.gather(*reading)
    await planner.turns_are_short()


async def test_more_streams_than_there_are_places_for_are_refused_and_places_come_back(planner: Planner) -> None:
    calls = [planner.stub.CompilePlan(left_open()) for _ in range(80)]
    reading = [asyncio.create_task(reason_for(call)) for call in calls]
    done, held = await asyncio.wait(reading, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result() for task in done} == {"PLANNER_BUSY"}
    assert len(held) >= 64

    for call in calls:
        call.cancel()
    await asyncio.gather(*reading)
    await planner.compiles()
    await planner.ends()


async def test_a_stream_that_never_ends_is_cut_off_at_the_bound_of_a_plan(planner: Planner) -> None:
    call = planner.stub.CompilePlan(endless())
    reading = asyncio.create_task(opened(call))
    for n in range(5):
        await planner.compiles(f"good{n}")
    call.cancel()
    await reading

    await planner.compiles()
    await planner.ends()
    await planner.turns_are_short()


async def test_ten_large_plans_of_nothing_at_once_are_no_plans(planner: Planner) -> None:
    reasons = await asyncio.gather(*(planner.refused(sent(b" " * (20 * MIB), f"n{n}")) for n in range(10)))

    assert set(reasons) == {"PLAN_INVALID"}
    await planner.compiles()
    await planner.ends()
    await planner.turns_are_short()


async def test_compiling_and_going_away_in_a_loop_leaves_nothing_behind(planner: Planner) -> None:
    for n in range(15):
        call = planner.stub.CompilePlan(sent(SLOW, f"gone{n}"))
        reading = asyncio.create_task(opened(call))
        await asyncio.sleep(0.02 * n)
        call.cancel()
        await reading

    await planner.compiles()
    await planner.ends()
    left = [path for folder in planner.data.iterdir() for path in folder.iterdir() if path.name.startswith(".")]
    assert left == []
    await planner.turns_are_short()


async def test_sigterm_ends_the_service_in_the_middle_of_slow_compiles(planner: Planner) -> None:
    slow = [asyncio.create_task(opened(planner.stub.CompilePlan(sent(SLOW, f"slow{n}")))) for n in range(6)]
    await planner.compiles(within=60)

    await planner.ends()
    await asyncio.gather(*slow)


async def test_a_killed_service_takes_its_compiles_along(planner: Planner) -> None:
    slow = asyncio.create_task(opened(planner.stub.CompilePlan(sent(SLOW, "slow"))))
    await planner.compiles(within=60)
    children = children_of(planner.service.pid)
    os.kill(planner.service.pid, signal.SIGKILL)

    async with asyncio.timeout(20):
        while any(is_running(pid) for pid in children):  # noqa: ASYNC110 - the kernel sends no event for them
            await asyncio.sleep(0.02)
    assert children
    await slow


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_bytes_that_are_no_messages_and_options_that_come_late_are_refused(planner: Planner) -> None:
    late = [planner_pb2.CompilePlanRequest(plan_json=b"{"), planner_pb2.CompilePlanRequest(plan_id="late")]

    assert await planner.refused(iter(late)) == "INVALID_FIELD"
    assert await planner.refused(iter([])) == "INVALID_FIELD"
    assert await planner.refused(sent(b"\xff" * 5_000, "bad")) == "PLAN_INVALID"
    await planner.compiles()
    await planner.ends()


async def test_the_loop_stays_free_while_a_large_plan_is_compiled_sent_and_listed(planner: Planner) -> None:
    tasks = [atomic(f"t{n}", *([f"t{n - 1}"] if n else []), description="x" * 500) for n in range(20_000)]
    data = json.dumps({"idea": "large" * 1_000, "tasks": tasks}).encode()

    answers = [answer async for answer in planner.stub.CompilePlan(sent(data, "large"))]
    stored = [answer async for answer in planner.stub.GetPlan(planner_pb2.GetPlanRequest(plan_id="large"))]

    assert sum(len(answer.part.tasks.tasks) for answer in answers) == 20_000
    assert len(stored) > 10
    await planner.ends()
    await planner.turns_are_short()
