"""RunnerService over a real socket: layouts, commands, questions, artifacts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from unittest import mock

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from signoff.rpc.statuses import reason_of
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    planner = PlannerOfTexts(two="a[p]; b(p) <- a", many="; ".join(f"t{n}" for n in range(30)))
    async with running(planner, tmp_path) as up:
        yield up


def refused(reason: str, code: grpc.StatusCode) -> Refused:
    return Refused(reason, code)


class Refused:
    """A block in which an rpc must fail with this reason and status."""

    def __init__(self, reason: str, code: grpc.StatusCode) -> None:
        self._expected = (reason, code)
        self.error: grpc.aio.AioRpcError | None = None

    def __enter__(self) -> Refused:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        assert isinstance(error, grpc.aio.AioRpcError), f"expected {self._expected}, but got {error!r}"
        assert (reason_of(error), error.code()) == self._expected
        self.error = error
        return True


async def test_starting_without_a_layout_is_refused(runner: Running) -> None:
    with refused("NO_LAYOUT", grpc.StatusCode.FAILED_PRECONDITION):
        await runner.stub.StartExecution(runner_pb2.StartExecutionRequest())


async def test_starting_without_a_plan_id_runs_the_last_layout_set(runner: Running) -> None:
    for plan_id in ("two", "many"):
        answer = await runner.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id=plan_id))
    assert answer.header.task_count == 30
    started = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest())
    assert started.execution.plan_id == "many"
    assert started.execution.state == execution_pb2.EXECUTION_STATE_RUNNING
    assert started.execution.counts.undone == 30


async def test_a_plan_the_planner_does_not_know_is_not_found(runner: Running) -> None:
    with refused("PLAN_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await runner.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id="unknown"))
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await runner.stub.SetLayout(runner_pb2.SetLayoutRequest())


async def test_a_layout_is_streamed_as_it_was_set(runner: Running) -> None:
    with refused("LAYOUT_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await anext(aiter(runner.stub.GetLayout(runner_pb2.GetLayoutRequest())))
    await runner.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id="two"))
    parts = [answer.part async for answer in runner.stub.GetLayout(runner_pb2.GetLayoutRequest(plan_id="two"))]
    assert parts[0].header.plan_id == "two"
    assert [(cell.task_id, cell.column) for cell in parts[1].layout.cells] == [("a", 1), ("b", 2)]


@pytest.mark.guard(name="an execution keeps its map")
async def test_an_execution_shows_the_layout_of_its_own_map_after_another_was_set(tmp_path: Path) -> None:
    planner = PlannerOfTexts(two="a; b <- a")
    async with running(planner, tmp_path) as up:
        ref = await up.start("two")
        planner.texts["two"] = "a; c <- a"
        await up.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id="two"))
        assert await cells(up, runner_pb2.GetLayoutRequest(plan_id="two")) == ["a", "c"]
        assert await cells(up, runner_pb2.GetLayoutRequest(execution=ref)) == ["a", "b"]
        by_plan = runner_pb2.ExecutionRef(plan_id="two")
        assert await cells(up, runner_pb2.GetLayoutRequest(execution=by_plan)) == ["a", "b"]


async def cells(runner: Running, request: runner_pb2.GetLayoutRequest) -> list[str]:
    parts = [answer.part async for answer in runner.stub.GetLayout(request)]
    return [cell.task_id for part in parts for cell in part.layout.cells]


async def test_a_layout_comes_with_its_tasks_when_they_are_asked_for(runner: Running) -> None:
    ref = await runner.start("two")
    request = runner_pb2.GetLayoutRequest(execution=ref, tasks=True)
    parts = [answer.part async for answer in runner.stub.GetLayout(request)]
    assert [part.WhichOneof("part") for part in parts] == ["header", "groups", "tasks", "layout"]
    assert [task.spec.task_id for task in parts[2].tasks.tasks] == ["a", "b"]


async def test_a_layout_of_nothing_or_of_two_things_is_refused(runner: Running) -> None:
    ref = await runner.start("two")
    for request in (
        runner_pb2.GetLayoutRequest(execution=ref, plan_id="two"),
        runner_pb2.GetLayoutRequest(execution=runner_pb2.ExecutionRef()),
    ):
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            await anext(aiter(runner.stub.GetLayout(request)))
    unknown = runner_pb2.GetLayoutRequest(execution=runner_pb2.ExecutionRef(execution_id="unknown"))
    with refused("EXECUTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await anext(aiter(runner.stub.GetLayout(unknown)))


async def test_a_bad_setting_is_refused_with_the_path_of_its_field(runner: Running) -> None:
    settings = execution_pb2.ExecutionSettings(run_timeout=Duration(seconds=-5))
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id="two", settings=settings))
    assert caught.error is not None
    status = rpc_status.from_call(cast("grpc.Call", caught.error))
    violations = error_details_pb2.BadRequest()
    assert status is not None
    assert any(detail.Unpack(violations) for detail in status.details)
    assert violations.field_violations[0].field == "settings.run_timeout"
    assert "expected a duration from 1 to 604800 s, but got -5 s" in status.message


async def test_every_setting_is_answered_with_its_default_filled_in(runner: Running) -> None:
    settings = execution_pb2.ExecutionSettings(max_failures=5)
    request = runner_pb2.StartExecutionRequest(plan_id="two", settings=settings)
    started = await runner.stub.StartExecution(request)
    found = started.execution.settings
    assert (found.max_failures, found.max_losses, found.max_judge_errors, found.max_rollbacks) == (5, 10, 5, 1)
    assert (found.run_timeout.seconds, found.idle_timeout.seconds) == (1800, 120)


async def test_a_start_repeated_with_its_request_id_answers_the_same_execution(runner: Running) -> None:
    first, second = await runner.start("two", "r1"), await runner.start("two", "r1")
    assert first == second
    executions = (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions
    assert [execution.execution_id for execution in executions] == [first.execution_id]


async def test_commands_for_executions_and_tasks_nobody_knows_are_refused(runner: Running) -> None:
    unknown = runner_pb2.ExecutionRef(execution_id="unknown")
    with refused("EXECUTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=unknown))
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest())
    ref = await runner.start("two")
    with refused("TASK_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="z" * 100))


async def test_pause_resume_and_stop_say_the_new_state(runner: Running) -> None:
    ref = await runner.start("two")
    paused = await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref, reason="lunch"))
    assert (paused.execution.state, paused.execution.reason) == (execution_pb2.EXECUTION_STATE_PAUSED, "lunch")
    resumed = await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref))
    assert resumed.execution.state == execution_pb2.EXECUTION_STATE_RUNNING
    by_plan = runner_pb2.ExecutionRef(plan_id="two")
    stopped = await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=by_plan))
    assert stopped.execution.state == execution_pb2.EXECUTION_STATE_STOPPED


async def test_the_newest_execution_of_a_plan_tells_how_far_its_results_are_written(runner: Running) -> None:
    _, writing = runner.loops
    writing.cancel()
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        for _ in range(2):
            await executor.make(await executor.assigned())
            await validator.judge(await validator.assigned())
        request = runner_pb2.GetExecutionRequest(ref=ref)
        assert (await runner.stub.GetExecution(request)).output_files == runner_pb2.OutputFiles(pending=2)
        runner.loops.append(asyncio.create_task(runner.outputs.run()))
        await runner.outputs.drained()
        answer = await runner.stub.GetExecution(request)
        assert answer.HasField("output_files")
        assert answer.output_files == runner_pb2.OutputFiles()
        await runner.start("two")
        assert not (await runner.stub.GetExecution(request)).HasField("output_files")


async def test_tasks_come_in_pages_and_say_what_they_wait_for(runner: Running) -> None:
    ref = await runner.start("many")
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_size=20)
    first = await runner.stub.GetExecution(request)
    request.page_token = first.next_page_token
    second = await runner.stub.GetExecution(request)
    names = [task.task_id for task in [*first.tasks, *second.tasks]]
    assert names == [f"t{n}" for n in range(30)]
    assert second.next_page_token == ""
    assert first.tasks[0].waiting.waiting_for == execution_pb2.WAITING_FOR_EXECUTOR
    assert "no executor is connected" in first.tasks[0].waiting.message
    request.page_token = "not a token"
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await runner.stub.GetExecution(request)


async def test_a_page_goes_on_with_the_next_task_when_those_before_it_were_finished_meanwhile(
    runner: Running,
) -> None:
    ref = await runner.start("many")
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_UNFINISHED, page_size=10)
    first = await runner.stub.GetExecution(request)
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        for _ in range(5):
            await executor.make(await executor.assigned())
            await validator.judge(await validator.assigned())
    request.page_token = first.next_page_token
    second = await runner.stub.GetExecution(request)
    assert [task.task_id for task in [*first.tasks, *second.tasks]] == [f"t{n}" for n in range(20)]


async def test_a_page_is_no_longer_than_what_one_turn_of_the_loop_shows(runner: Running) -> None:
    ref = await runner.start("many")
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_size=5000)
    names: list[str] = []
    with mock.patch("runner_svc.codec.views.WORK_A_TURN", 7 * 50):
        while True:
            page = await runner.stub.GetExecution(request)
            assert len(page.tasks) <= 7
            names += [task.task_id for task in page.tasks]
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    assert names == [f"t{n}" for n in range(30)]


async def test_tasks_that_are_named_come_in_pages_too(runner: Running) -> None:
    ref = await runner.start("many")
    named = runner_pb2.GetExecutionRequest(
        ref=ref, tasks=runner_pb2.TASK_SELECTION_NAMED, task_ids=["t20", "t3", "t7", "t3"], page_size=2
    )
    first = await runner.stub.GetExecution(named)
    named.page_token = first.next_page_token
    second = await runner.stub.GetExecution(named)
    assert [task.task_id for task in [*first.tasks, *second.tasks]] == ["t3", "t7", "t20"]
    assert second.next_page_token == ""


async def test_executions_are_listed_newest_first_in_pages_and_by_plan(runner: Running) -> None:
    refs = [await runner.start(plan_id) for plan_id in ("two", "many", "two")]
    listed = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=2))
    assert [e.execution_id for e in listed.executions] == [refs[2].execution_id, refs[1].execution_id]
    rest = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_token=listed.next_page_token))
    assert [e.execution_id for e in rest.executions] == [refs[0].execution_id]
    of_plan = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(plan_id="many"))
    assert [e.plan_id for e in of_plan.executions] == ["many"]


async def listed(runner: Running, **asked: Any) -> list[str]:
    """Returns the ids of the executions on all pages of a list."""
    found, token = list[str](), ""
    while True:
        answer = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_token=token, **asked))
        found += [execution.execution_id for execution in answer.executions]
        token = answer.next_page_token
        if not token:
            return found


async def test_executions_are_listed_by_state_and_by_time(runner: Running) -> None:
    first, second, third = [(await runner.start(plan_id)).execution_id for plan_id in ("two", "many", "two")]
    await runner.stub.StopExecution(
        runner_pb2.StopExecutionRequest(ref=runner_pb2.ExecutionRef(execution_id=second), reason="enough")
    )
    running, stopped = execution_pb2.EXECUTION_STATE_RUNNING, execution_pb2.EXECUTION_STATE_STOPPED
    assert await listed(runner, states=[running]) == [third, first]
    assert await listed(runner, states=[stopped]) == [second]
    assert await listed(runner, states=[stopped, running], plan_id="many") == [second]
    assert await listed(runner, states=[execution_pb2.EXECUTION_STATE_FAILED]) == []
    times = {
        execution.execution_id: execution.created_at
        for execution in (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions
    }
    assert await listed(runner, created_before=times[second]) == [first]
    assert await listed(runner, created_after=times[second]) == [third, second]
    assert await listed(runner, created_after=times[second], created_before=times[third]) == [second]
    assert await listed(runner, created_after=Timestamp(seconds=2**63 - 1)) == []
    assert await listed(runner, created_before=Timestamp(seconds=-(2**63))) == []


async def test_executions_are_found_by_what_they_wait_for(tmp_path: Path) -> None:
    human = plan_pb2.TaskSpec(validation=plan_pb2.Validation(human=True))
    async with running(PlannerOfTexts({"a": human}, asks="a", fails="b", spends="c", waits="c"), tmp_path) as runner:
        budget = plan_pb2.Budget(tokens=0)
        settings = execution_pb2.ExecutionSettings(max_failures=1, max_rollbacks=0)
        ids = dict[str, str]()
        for plan_id in ("asks", "fails", "spends"):
            settings.ClearField("budget")
            if plan_id == "spends":
                settings.budget.CopyFrom(budget)
            request = runner_pb2.StartExecutionRequest(plan_id=plan_id, settings=settings)
            ids[plan_id] = (await runner.stub.StartExecution(request)).execution.execution_id
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            for _ in range(2):
                assign = await executor.assigned()
                if assign.task.task_id == "a":
                    await executor.make(assign)
                    await validator.judge(await validator.assigned())
                else:
                    failure = worker_pb2.Failure(lease_id=assign.lease_id, kind=execution_pb2.FAILURE_KIND_PERMANENT)
                    await executor.say(failure=failure)
                    await executor.hear("ack")
            person, money, retry = (
                runner_pb2.EXECUTION_NEED_PERSON,
                runner_pb2.EXECUTION_NEED_BUDGET,
                runner_pb2.EXECUTION_NEED_RETRY,
            )
            assert await listed(runner, awaiting=[person]) == [ids["asks"]]
            assert await listed(runner, awaiting=[money]) == [ids["spends"]]
            assert await listed(runner, awaiting=[retry]) == [ids["fails"]]
            assert await listed(runner, awaiting=[person, money, retry]) == [*ids.values()][::-1]
            assert await listed(runner, awaiting=[person], plan_id="fails") == []
            approval = runner_pb2.JudgeTaskRequest(
                ref=runner_pb2.ExecutionRef(plan_id="asks"), task_id="a", outcome=execution_pb2.OUTCOME_PASS
            )
            await runner.stub.JudgeTask(approval)
            assert await listed(runner, awaiting=[person]) == []
            assert await listed(runner, states=[execution_pb2.EXECUTION_STATE_SUCCEEDED]) == [ids["asks"]]


async def test_executions_are_found_by_a_text_in_an_id_or_the_idea(runner: Running) -> None:
    first, second = [(await runner.start(plan_id)).execution_id for plan_id in ("two", "many")]
    assert await listed(runner, text="TWO") == [first]
    assert await listed(runner, text=second[4:20].upper()) == [second]
    idea = (
        await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=runner_pb2.ExecutionRef(execution_id=first)))
    ).execution.idea
    assert await listed(runner, text=idea[1:]) == [second, first]
    assert await listed(runner, text="no such words") == []


async def test_a_need_or_a_state_that_this_version_lacks_finds_nothing(runner: Running) -> None:
    await runner.start("two")
    for number in (30, 31, 99, 2**31 - 1):
        assert await listed(runner, awaiting=[number]) == await listed(runner, states=[number]) == []


@pytest.mark.guard(name="no need is negative")
@pytest.mark.parametrize("number", [-1, -(2**31)])
async def test_a_need_or_a_state_with_a_negative_number_finds_nothing(runner: Running, number: int) -> None:
    await runner.start("two")
    assert await listed(runner, awaiting=[number]) == await listed(runner, states=[number]) == []


async def test_filtered_lists_go_on_from_page_to_page(runner: Running) -> None:
    refs = [(await runner.start(plan_id)).execution_id for plan_id in ("many", "two", "two", "two", "many")]
    assert await listed(runner, plan_id="many") == [refs[4], refs[0]]
    assert await listed(runner, plan_id="two", page_size=1) == refs[3:0:-1]
    assert await listed(runner, page_size=2) == refs[::-1]


async def test_pages_stay_in_step_when_executions_are_created_between_them(runner: Running) -> None:
    refs = [(await runner.start("two")).execution_id for _ in range(4)]
    page = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=2))
    await runner.start("two")
    rest = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_token=page.next_page_token))
    seen = [execution.execution_id for execution in [*page.executions, *rest.executions]]
    assert seen == refs[::-1]


async def test_an_artifact_can_be_read_only_once_it_is_signed_off(runner: Running) -> None:
    ref = await runner.start("two")
    request = runner_pb2.GetArtifactRequest(ref=ref, task_id="a")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned(), "text of a")
        verdict = await validator.assigned()
        with refused("ARTIFACT_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
            await anext(aiter(runner.stub.GetArtifact(request)))
        under_lease = runner_pb2.GetArtifactRequest(
            ref=ref, task_id="a", lease_id=verdict.lease_id, digest=verdict.candidate.digest
        )
        assert await read(runner, under_lease) == b"text of a"
        await validator.judge(verdict)
        assert await read(runner, request) == b"text of a"
        with refused("STALE_LEASE", grpc.StatusCode.FAILED_PRECONDITION):
            await read(runner, under_lease)


async def read(runner: Running, request: runner_pb2.GetArtifactRequest) -> bytes:
    return b"".join([answer.chunk async for answer in runner.stub.GetArtifact(request)])


async def test_workers_are_listed_with_what_they_hold(runner: Running) -> None:
    await runner.start("two")
    async with raw_worker(runner, VALIDATOR, "v1", slots=5), raw_worker(runner, EXECUTOR, "w1", slots=7) as executor:
        await executor.assigned()
        listed = (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).workers
    assert [(worker.name, worker.slots, worker.leases, worker.connected) for worker in listed] == [
        ("w1", 7, 1, True),
        ("v1", 5, 0, True),
    ]


async def test_outputs_are_written_as_files_and_withdrawn_with_their_artifacts(runner: Running, tmp_path: Path) -> None:
    ref = await runner.start("two")
    file = tmp_path / "two" / "a" / "output.json"
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned(), "text of a")
        await validator.judge(await validator.assigned())
        await runner.outputs.drained()
        assert '"content": "text of a"' in file.read_text()
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="a"))
        await runner.outputs.drained()
        assert not file.exists()
