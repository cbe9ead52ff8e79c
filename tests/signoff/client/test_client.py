"""The client against a runner that plays what a test wrote, over real gRPC."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from signoff.client import questions
from signoff.client.client import Client
from signoff.client.runner_connection import RetryPolicy
from signoff.client.values import by_execution, by_plan
from signoff.client.watch import Message, Snapshot
from signoff.errors import (
    ArtifactNotFound,
    ExecutionNotFound,
    InvalidField,
    PromptNotFound,
    SignoffError,
    TaskNotFound,
    Unavailable,
    WrongState,
)
from signoff.rpc.statuses import _BY_REASON, _rebuilt, status_of
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.servers.fake_runner import (
    EXECUTION_ID,
    PLAN_ID,
    FakeRunner,
    assigned,
    created,
    done,
    execution,
    journal,
    listening,
    signed_off,
    started,
    succeeded,
    undone,
)

UNUSED = "127.0.0.1:1"  # a port nothing listens on


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries the client yields and does not wait."""
    monkeypatch.setattr("random.uniform", lambda _low, _high: 0.0)


async def seen_by(client: Client, **options: object) -> list[Message]:
    return [message async for message in client.watch(by_plan(PLAN_ID), **options)]  # type: ignore[arg-type]


async def test_a_watch_across_broken_streams_sees_every_event_once() -> None:
    events = journal(created(), started(), *done("a"), *done("b"), succeeded())
    runner = FakeRunner(
        execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=2),
        tasks=[undone("a"), undone("b")],
        events=events,
        cuts=[1, 5, 0, 2, 1],  # in the snapshot, after two events, at once, after two events, after one
    )
    async with listening(runner) as address, Client(runner=address) as client:
        snapshot, *seen = await seen_by(client)
    assert isinstance(snapshot, Snapshot)
    assert [task.task_id for task in snapshot.tasks] == ["a", "b"]
    assert seen == events[2:]
    asked = [request for request in runner.asked if isinstance(request, runner_pb2.WatchExecutionRequest)]
    assert [request.after_sequence for request in asked] == [0, 0, 4, 4, 6, 7]


async def test_a_watch_by_plan_stays_with_the_execution_it_began_with() -> None:
    runner = FakeRunner(events=journal(created(), started()), cuts=[1])
    async with listening(runner) as address, Client(runner=address) as client:
        await seen_by(client)
    watched = [request for request in runner.asked if isinstance(request, runner_pb2.WatchExecutionRequest)]
    assert [request.ref.execution_id for request in watched] == [EXECUTION_ID, EXECUTION_ID]


async def test_a_watch_goes_on_when_the_runner_comes_back_at_its_address() -> None:
    events = journal(created(), started(), *done("a"))
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=0), events=events, cuts=[3])
    async with listening(runner) as address:
        client = await Client(runner=address).__aenter__()
        messages = client.watch(by_execution(EXECUTION_ID))
        first = [await anext(messages) for _ in range(3)]
    waiting = asyncio.ensure_future(anext(messages))
    async with listening(runner, address):
        rest = [await asyncio.wait_for(waiting, 20), *[message async for message in messages]]
    await client.__aexit__(None, None, None)
    assert [*first[1:], *rest] == events


async def test_leaving_a_watch_early_ends_its_stream() -> None:
    runner = FakeRunner(events=journal(created(), started()))
    async with listening(runner) as address, Client(runner=address) as client:
        messages = client.watch(by_plan(PLAN_ID))
        await anext(messages)
        await messages.aclose()
        assert (await client.get(by_plan(PLAN_ID))).execution_id == EXECUTION_ID


async def test_a_watch_of_an_unknown_plan_is_refused_at_once() -> None:
    async with listening(FakeRunner()) as address, Client(runner=address) as client:
        with pytest.raises(ExecutionNotFound, match="but got nothing"):
            await anext(client.watch(by_plan("nothing")))


async def test_no_runner_there_says_which_address_and_how_to_start_one() -> None:
    async with Client(runner=UNUSED) as client:
        with pytest.raises(Unavailable, match=f"no runner answers at {UNUSED}: `signoff serve` starts one"):
            await client.list()


async def test_without_a_planner_a_plan_blames_the_planner() -> None:
    async with Client(planner=UNUSED) as client:
        with pytest.raises(Unavailable, match=f"no planner answers at {UNUSED}"):
            await client.compile_plan(b"{}")
        with pytest.raises(Unavailable, match=f"no planner answers at {UNUSED}"):
            await client.check_plan(b"{}")


async def test_refusals_arrive_as_the_class_they_were_raised_as() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED), tasks=[undone("a")])
    async with listening(runner) as address, Client(runner=address) as client:
        with pytest.raises(WrongState, match="has succeeded"):
            await client.pause(by_plan(PLAN_ID))
        with pytest.raises(TaskNotFound):
            await client.tasks(by_plan(PLAN_ID), task_ids=("z",))
        with pytest.raises(ArtifactNotFound):
            await client.artifact(by_plan(PLAN_ID), "a")


def test_every_error_of_the_tree_can_be_rebuilt_with_its_text() -> None:
    assert {"WRONG_STATE", "PLAN_NOT_FOUND", "INVALID_FIELD", "STORAGE_FAILED", "SHUTTING_DOWN"} <= set(_BY_REASON)
    for kind in (WrongState, TaskNotFound):
        rebuilt = _rebuilt(kind, "expected this, but got that", _info_of(kind("expected this, but got that")))
        assert (type(rebuilt), str(rebuilt)) == (kind, "expected this, but got that")


def test_a_refused_field_keeps_its_path() -> None:
    error = InvalidField("settings.max_failures", "at least 1", "0")
    rebuilt = _rebuilt(InvalidField, str(error), _info_of(error))
    assert isinstance(rebuilt, InvalidField)
    assert (rebuilt.field, str(rebuilt)) == (error.field, str(error))


def _info_of(error: SignoffError) -> ErrorInfo:
    info = ErrorInfo()
    assert status_of(error).details[0].Unpack(info)
    return info


async def test_every_command_has_a_request_id_of_its_own() -> None:
    runner = FakeRunner()
    async with listening(runner) as address, Client(runner=address) as client:
        await client.pause(by_plan(PLAN_ID), "lunch")
        await client.pause(by_plan(PLAN_ID), "lunch")
    first, second = runner.asked
    assert first.request_id
    assert first.request_id != second.request_id


async def test_tasks_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "PAGE", 2)
    runner = FakeRunner(tasks=[undone(f"t{number}") for number in range(5)])
    async with listening(runner) as address, Client(runner=address) as client:
        tasks = await client.tasks(by_plan(PLAN_ID))
    assert [task.task_id for task in tasks] == ["t0", "t1", "t2", "t3", "t4"]
    assert len(runner.asked) == 3


async def test_an_artifact_is_put_together_from_its_chunks() -> None:
    runner = FakeRunner(tasks=[signed_off("a", b"0123456789", name="report")], contents={"a": b"0123456789"})
    async with listening(runner) as address, Client(runner=address) as client:
        found = await client.artifact(by_plan(PLAN_ID), "a")
    assert (found.content, found.info.name) == (b"0123456789", "report")


async def test_a_damaged_artifact_is_not_handed_out() -> None:
    runner = FakeRunner(tasks=[signed_off("a", b"0123456789")], contents={"a": b"01234"})
    async with listening(runner) as address, Client(runner=address) as client:
        with pytest.raises(Unavailable, match="5 of 10 bytes"):
            await client.artifact(by_plan(PLAN_ID), "a")


async def test_a_layout_arrives_in_one_piece() -> None:
    runner = FakeRunner(tasks=[undone("a"), undone("b")])
    async with listening(runner) as address, Client(runner=address) as client:
        layout = await client.layout(PLAN_ID)
    assert layout.header.task_count == 2
    assert [node.task_id for node in layout.layout.nodes] == ["a", "b"]


async def test_the_map_of_an_execution_arrives_in_one_piece() -> None:
    runner = FakeRunner(tasks=[undone("a"), undone("b")])
    async with listening(runner) as address, Client(runner=address) as client:
        found = await client.map_of(by_execution(EXECUTION_ID))
        layout = await client.layout_of(by_execution(EXECUTION_ID))
    assert [task.spec.task_id for task in found.tasks] == ["a", "b"]
    assert layout.layout == found.layout
    assert [request.execution.execution_id for request in runner.asked] == [EXECUTION_ID] * 2


async def test_a_prompt_and_the_thinking_of_a_task_arrive_whole() -> None:
    content = b'[{"role": "user", "content": "name a planet"}]'
    info = runner_pb2.PromptInfo(attempt=1, digest=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    thought = runner_pb2.GetThinkingResponse(attempt=1, phase=pb.PHASE_EXECUTE, text="hm")
    runner, ref = FakeRunner(prompts=[(info, content)], thoughts=thought), by_plan(PLAN_ID)
    async with listening(runner) as address, Client(runner=address) as client:
        assert await client.prompts(ref, "a", 1) == (info,)
        assert (await client.prompt(ref, "a", info.digest)).content == content
        with pytest.raises(PromptNotFound):
            await client.prompt(ref, "a", "0" * 64)
        assert await client.thinking(ref, "a") == thought
    runner.prompts = [(info, content[:9])]
    async with listening(runner) as address, Client(runner=address) as client:
        with pytest.raises(Unavailable, match="9 of 46 bytes"):
            await client.prompt(ref, "a", info.digest)


async def test_patience_waits_while_it_lasts_and_then_raises_what_it_was_told() -> None:
    error = Unavailable("away")
    patient = RetryPolicy(timedelta(hours=1))
    await patient.wait(error)
    await patient.wait(error)
    with pytest.raises(Unavailable, match="away"):
        await RetryPolicy(timedelta(0)).wait(error)


async def test_costs_are_added_up_once_across_broken_streams() -> None:
    spent = pb.UsageRecorded(lease_id="l", phase=pb.PHASE_EXECUTE, model="m", requests=1, input_tokens=7)
    events = [pb.Event(task_id="a", usage_recorded=spent) for _ in range(5)]
    runner = FakeRunner(events=journal(created(2), *events), cuts=[3, 2])
    async with listening(runner) as address, Client(runner=address) as client:
        costs = await client.costs(by_plan(PLAN_ID))
    assert (costs.task_count, costs.spent.tokens, costs.spent.requests) == (2, 35, 5)


async def test_a_patient_client_repeats_a_command_with_the_same_request_id() -> None:
    runner = FakeRunner()
    async with listening(runner) as address:
        pass  # a port that was ours and is free again
    async with Client(runner=address, patience=timedelta(seconds=30)) as client:
        pausing = asyncio.ensure_future(client.pause(by_plan(PLAN_ID)))
        async with listening(runner, address):
            assert (await asyncio.wait_for(pausing, 20)).state == pb.EXECUTION_STATE_PAUSED
    assert len({request.request_id for request in runner.asked}) == 1


async def test_an_event_seen_by_one_task_watch_is_only_of_that_task() -> None:
    runner = FakeRunner(events=journal(created(2), started(), assigned("a"), assigned("b")))
    async with listening(runner) as address, Client(runner=address) as client:
        seen = await seen_by(client, after=0, follow=False, task_ids=("b",))
    assert [message.task_id for message in seen if isinstance(message, pb.Event)] == ["b"]


async def test_a_plan_that_is_no_bytes_is_refused_in_words() -> None:
    async with Client(planner="127.0.0.1:1") as client:
        with pytest.raises(TypeError, match=r"^expected the bytes of a plan.json, but got str$"):
            await client.compile_plan("text")  # type: ignore[arg-type]


async def test_a_plan_id_that_is_no_text_is_an_error_of_its_own_and_no_cancellation() -> None:
    async with Client(planner=UNUSED) as client:
        with pytest.raises(UnicodeEncodeError):
            await client.compile_plan(b"{}", plan_id="a\udcff")
