"""WatchExecution: a snapshot, then every event once, in order, resumable anywhere."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import grpc
import pytest

from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.publish.feed import Feed, Watcher
from runner_svc.publish.last_thoughts import LastThoughts
from runner_svc.services import watching
from runner_svc.services.snapshots import Snapshot
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(PlannerOfTexts(two="a; b <- a", ten="; ".join(f"t{n}" for n in range(10))), tmp_path) as up:
        yield up


async def work(executor: RawWorker, validator: RawWorker, times: int) -> None:
    for _ in range(times):
        await executor.make(await executor.assigned())
        await validator.judge(await validator.assigned())


Answers = AsyncIterator[runner_pb2.WatchExecutionResponse]


def watch(runner: Running, ref: runner_pb2.ExecutionRef, **how: Any) -> Answers:
    return aiter(runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, **how)))


async def events_of(answers: Answers) -> list[execution_pb2.Event]:
    async with asyncio.timeout(20):
        return [event async for answer in answers for event in answer.events.events]


async def test_a_snapshot_and_the_events_after_it_are_the_whole_story(runner: Running) -> None:
    ref = await runner.start("two")
    answers = watch(runner, ref, follow=True)
    first = await anext(answers)
    assert [task.task_id for task in first.snapshot.tasks] == ["a", "b"]
    assert first.snapshot.last
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await work(executor, validator, 2)
    events = await events_of(answers)
    start = first.snapshot.execution.sequence
    assert [event.sequence for event in events] == list(range(start + 1, start + 1 + len(events)))
    assert events[-1].WhichOneof("kind") == "execution_succeeded"


async def test_every_point_can_be_resumed_from_and_gives_exactly_what_is_missing(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await work(executor, validator, 2)
    everything = await events_of(watch(runner, ref, after_sequence=0))
    assert [event.sequence for event in everything] == list(range(1, len(everything) + 1))
    for after in range(len(everything) + 1):
        assert await events_of(watch(runner, ref, after_sequence=after, follow=True)) == everything[after:]


async def test_watchers_that_come_while_events_are_written_miss_nothing(runner: Running) -> None:
    ref = await runner.start("ten")
    watchers = []
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        for n in range(10):
            watchers.append(asyncio.create_task(events_of(watch(runner, ref, after_sequence=n, follow=True))))
            await work(executor, validator, 1)
        found = [await watcher for watcher in watchers]
    for after, events in enumerate(found):
        assert events == found[0][after:]


async def test_the_story_of_one_task_has_only_its_events(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await work(executor, validator, 2)
    story = await events_of(watch(runner, ref, after_sequence=0, task_ids=["b"]))
    assert [event.WhichOneof("kind") for event in story] == [
        "task_assigned",
        "candidate_stored",
        "task_assigned",
        "verdict_passed",
    ]


async def test_a_sequence_in_the_future_is_refused(runner: Running) -> None:
    ref = await runner.start("two")
    with refused("SEQUENCE_AHEAD", grpc.StatusCode.OUT_OF_RANGE):
        await events_of(watch(runner, ref, after_sequence=1000))


async def test_thinking_reaches_only_those_who_asked_for_it(runner: Running) -> None:
    ref = await runner.start("two")
    curious, other = watch(runner, ref, follow=True, thinking=True), watch(runner, ref, follow=True)
    await anext(curious)
    await anext(other)
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        assign = await executor.assigned()
        assert assign.thinking_wanted
        await executor.say(progress=worker_pb2.Progress(lease_id=assign.lease_id, thinking="hm"))
        thought = await next_thinking(curious)
        assert (thought.task_id, thought.text, thought.attempt) == ("a", "hm", 1)
        await executor.make(assign)
        await validator.judge(await validator.assigned())
        await work(executor, validator, 1)
    async with asyncio.timeout(10):
        assert not [answer async for answer in other if answer.WhichOneof("content") == "thinking"]


async def next_thinking(answers: Answers) -> runner_pb2.Thinking:
    async with asyncio.timeout(10):
        while True:
            answer = await anext(answers)
            if answer.WhichOneof("content") == "thinking":
                return answer.thinking.thinking[0]


async def test_workers_are_told_when_a_watch_begins_and_ends_if_no_thinking_is_kept(tmp_path: Path) -> None:
    plans = PlannerOfTexts(two="a; b <- a")
    async with running(plans, tmp_path, thoughts=LastThoughts(0)) as up, raw_worker(up, EXECUTOR, "w1") as executor:
        ref = await up.start("two")
        assign = await executor.assigned()
        assert not assign.thinking_wanted
        call = up.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, follow=True, thinking=True))
        attention = await executor.hear("attention")
        assert (attention.lease_id, attention.thinking_wanted) == (assign.lease_id, True)
        call.cancel()
        assert not (await executor.hear("attention")).thinking_wanted


SLICES = "runner_svc.codec.views.WORK_A_TURN"


@pytest.mark.guard(name="a watcher is excused while its snapshot is written")
async def test_an_execution_that_is_quicker_than_its_snapshot_does_not_cut_the_watcher_off(tmp_path: Path) -> None:
    planner = PlannerOfTexts(many="; ".join(f"t{n}" for n in range(300)))
    begun, lent, write = asyncio.Event(), asyncio.Event(), watching._parts

    async def after_all_is_lent(snapshot: Snapshot, watcher: Watcher) -> deque[bytes]:
        begun.set()
        await lent.wait()
        return await write(snapshot, watcher)

    async with running(planner, tmp_path, feed=Feed(queue_limit=299)) as runner:  # 300 come meanwhile
        ref = await runner.start("many")
        with mock.patch(SLICES, 1), mock.patch.object(watching, "_parts", after_all_is_lent):
            answers = watch(runner, ref, follow=True)
            first = asyncio.ensure_future(anext(answers))
            await begun.wait()
            async with raw_worker(runner, EXECUTOR, "w1", slots=300) as worker:
                for _ in range(300):
                    await worker.assigned()
                lent.set()
                parts = [await first]
                while not parts[-1].snapshot.last:
                    parts.append(await anext(answers))
    assert [task.task_id for part in parts for task in part.snapshot.tasks] == [f"t{n}" for n in range(300)]


async def test_a_rebuild_in_the_middle_of_a_snapshot_ends_the_watch(runner: Running) -> None:
    ref = await runner.start("ten")
    slices = 0

    def one(execution: Execution, tasks: Iterable[int]) -> Iterator[int]:
        nonlocal slices
        slices += 1
        if slices == 3:
            runner.engine.feed.disconnect_all("the runner rebuilds its state from the journal")
        yield from itertools.islice(tasks, 1)

    one_a_slice = mock.patch("runner_svc.services.snapshots.tasks_for_one_turn", one)
    with one_a_slice, refused("UNAVAILABLE", grpc.StatusCode.UNAVAILABLE):
        await anext(watch(runner, ref, follow=True))
    assert slices == 3
    assert not runner.engine._machine.state.executions[ExecutionId(ref.execution_id)].changes.onlookers
