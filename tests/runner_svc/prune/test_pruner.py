"""PruneExecutions over a running runner: what goes, what stays, and what is answered afterwards."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from runner_svc.core.decide.turn import State
from runner_svc.publish.metrics import figures_of
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Removal, Row, Store
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import StorageFailed
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import Clock, PlannerOfTexts, Running, running

HUMAN = plan_pb2.TaskSpec(validation=plan_pb2.Validation(criteria=["is good"], human=True))
PLANS = PlannerOfTexts({"p": HUMAN}, two="a; b <- a", other="x", asking="p")
NOT_FOUND = grpc.StatusCode.NOT_FOUND
REFUSED = grpc.StatusCode.FAILED_PRECONDITION
Ref = runner_pb2.ExecutionRef
Answer = runner_pb2.PruneExecutionsResponse
ALL_OLD = -1.0  # seconds of grace: every content is older than a second ahead


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes the store; called again, it has everything that it had."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "journal.db")
    memory = MemoryStore()
    return lambda: memory


@pytest.fixture
async def runner(store: Callable[[], Store], tmp_path: Path) -> AsyncIterator[Running]:
    async with running(PLANS, tmp_path / "db", store=store(), prune_grace=ALL_OLD) as up:
        yield up


async def prune(runner: Running, age: int = 0, **more: Any) -> Answer:
    request = runner_pb2.PruneExecutionsRequest(**more)
    request.older_than.FromSeconds(age)
    answers = [answer async for answer in runner.stub.PruneExecutions(request)]
    assert [answer.done for answer in answers] == [*[False] * (len(answers) - 1), True]
    return answers[-1]


async def finished(runner: Running, texts: tuple[str, str] = ("of a", "of b"), *, reuse: bool = False) -> Ref:
    """Runs the plan "two" to its end."""
    request = runner_pb2.StartExecutionRequest(plan_id="two")
    request.settings.reuse = reuse
    ref = Ref(execution_id=(await runner.stub.StartExecution(request)).execution.execution_id)
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        if not reuse:
            for text in texts:
                await executor.make(await executor.assigned(), text)
                await validator.judge(await validator.assigned())
        await ended(runner, ref)
    await runner.outputs.drained()
    return ref


async def ended(runner: Running, ref: Ref) -> None:
    async with asyncio.timeout(30):
        async for _ in runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, follow=True)):
            pass


async def get(runner: Running, ref: Ref) -> pb.Execution:
    return (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution


async def listed(runner: Running) -> list[str]:
    found = (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions
    return [execution.execution_id for execution in found]


async def artifact(runner: Running, ref: Ref, task: str) -> str:
    request = runner_pb2.GetArtifactRequest(ref=ref, task_id=task)
    return b"".join([answer.chunk async for answer in runner.stub.GetArtifact(request)]).decode()


async def events(runner: Running, ref: Ref, after: int = 0) -> list[pb.Event]:
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=after)
    answers = [answer async for answer in runner.stub.WatchExecution(request)]
    return [event for answer in answers for event in answer.events.events]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def has(store: Store, text: str) -> bool:
    """Tells whether the store itself still has a content."""
    return await store.content(digest_of(text)) is not None


def store_of(runner: Running) -> Store:
    return runner.engine._store


# ---------------------------------------------------------------- what goes


async def test_a_pruned_execution_is_gone_with_all_that_only_it_refers_to(
    runner: Running, store: Callable[[], Store], tmp_path: Path
) -> None:
    first, second = await finished(runner, ("1a", "1b")), await finished(runner, ("2a", "2b"))
    journal = await events(runner, first)
    told = await prune(runner, keep_last=1)
    assert (told.executions, told.events, told.contents, told.content_bytes) == (1, len(journal), 2, 4)
    await gone(runner, first)
    assert await listed(runner) == [second.execution_id]
    assert [await has(store_of(runner), text) for text in ("1a", "1b", "2a", "2b")] == [False, False, True, True]
    assert (await prune(runner, keep_last=1)) == Answer(done=True)
    await whole(runner, second, ("2a", "2b"))
    if isinstance(store_of(runner), MemoryStore):
        return
    await store_of(runner).close()
    async with running(PLANS, tmp_path / "db", store=store()) as again:
        await gone(again, first)
        assert await listed(again) == [second.execution_id]
        await whole(again, second, ("2a", "2b"))


async def gone(runner: Running, ref: Ref) -> None:
    """Checks that every question about an execution is answered with EXECUTION_NOT_FOUND."""
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND) as refusal:
        await get(runner, ref)
    assert refusal.error is not None
    assert "was pruned" in (refusal.error.details() or "")
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
        await events(runner, ref)
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
        await artifact(runner, ref, "a")
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
        await runner.stub.ListPrompts(runner_pb2.ListPromptsRequest(ref=ref, task_id="a"))
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="a"))


async def whole(runner: Running, ref: Ref, texts: tuple[str, str]) -> None:
    """Checks that an execution answers as ever."""
    assert (await get(runner, ref)).state == pb.EXECUTION_STATE_SUCCEEDED
    assert (await artifact(runner, ref, "a"), await artifact(runner, ref, "b")) == texts
    journal = await events(runner, ref)
    assert [event.sequence for event in journal] == [*range(1, len(journal) + 1)]
    request = runner_pb2.GetCandidateRequest(ref=ref, task_id="b")
    chunks = [answer.chunk async for answer in runner.stub.GetCandidate(request)]
    assert b"".join(chunks).decode() == texts[1]


async def test_a_dry_run_tells_what_the_prune_does_then_and_changes_nothing(runner: Running) -> None:
    refs = [await finished(runner, (f"{n}a", "the same in all")) for n in range(3)]
    for keeps in (True, False):
        told = await prune(runner, dry_run=True, keep_last=1, keep_artifacts=keeps)
        assert await listed(runner) == [ref.execution_id for ref in reversed(refs)]
        await whole(runner, refs[0], ("0a", "the same in all"))
        assert told.executions == 2
        assert told.contents == (0 if keeps else 2)
    assert await prune(runner, keep_last=1) == told


@pytest.mark.guard(name="what is at work is not pruned")
async def test_only_what_is_at_rest_is_pruned(runner: Running) -> None:
    ends = await finished(runner)
    states = {}
    for change in ("running", "paused", "stopped"):
        ref = states[change] = await runner.start("two")
        if change == "paused":
            await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
        if change == "stopped":
            await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
    asks = await waits_for_person(runner)
    assert (await prune(runner)).executions == 2
    assert await listed(runner) == [ref.execution_id for ref in (asks, states["paused"], states["running"])]
    await gone(runner, ends)
    await gone(runner, states["stopped"])
    await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=states["paused"]))


async def waits_for_person(runner: Running) -> Ref:
    ref = await runner.start("asking")
    async with raw_worker(runner, EXECUTOR, "e", slots=4) as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        while (await get(runner, ref)).awaiting_person == 0:
            assign = await executor.assigned()
            if assign.task.task_id == "p":
                await executor.make(assign)
                await validator.judge(await validator.assigned())
    return ref


@pytest.mark.guard(name="the newest are kept")
async def test_the_newest_of_each_plan_stay(runner: Running) -> None:
    refs = [await finished(runner) for _ in range(3)]
    other = await runner.start("other")
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=other))
    assert (await prune(runner, keep_last=2)).executions == 1
    assert await listed(runner) == [ref.execution_id for ref in (other, refs[2], refs[1])]
    assert (await prune(runner, keep_last=9)).executions == 0


@pytest.mark.guard(name="a stopped execution is as old as its last event")
async def test_what_came_to_rest_a_short_while_ago_stays_however_old_it_is(tmp_path: Path) -> None:
    clock = Clock()
    async with running(PLANS, tmp_path, clock=clock) as runner:
        ends, stops = await finished(runner), await runner.start("other")
        clock.ahead = 1_000.0
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=stops))
        assert (await prune(runner, 2_000)).executions == 0
        assert (await prune(runner, 500)).executions == 1
        await gone(runner, ends)
        assert (await prune(runner, 500)).executions == 0
        clock.ahead = 2_000.0
        assert (await prune(runner, 500)).executions == 1
        assert await listed(runner) == []


async def test_a_request_without_an_age_is_refused(runner: Running) -> None:
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await anext(aiter(runner.stub.PruneExecutions(runner_pb2.PruneExecutionsRequest())))


async def test_a_request_id_of_a_pruned_execution_is_free_again(runner: Running) -> None:
    ref = await runner.start("two", "an id")
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref, request_id="another id"))
    await prune(runner)
    assert (await runner.start("two", "an id")) != ref
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref, request_id="another id"))


async def test_the_newest_execution_of_a_plan_is_the_newest_that_is_left(runner: Running) -> None:
    paused = await runner.start("two")
    await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=paused))
    stopped = await runner.start("two")
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=stopped))
    await prune(runner)
    assert (await get(runner, Ref(plan_id="two"))).execution_id == paused.execution_id
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=paused))
    await prune(runner)
    with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
        await get(runner, Ref(plan_id="two"))


async def test_files_of_an_execution_stay_and_those_that_were_looked_for_are_left_out(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        await finished(runner)
        paths = [runner.outputs.path("two", task) for task in ("a", "b")]
    paths[0].unlink()
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await prune(runner)).executions == 1
        await runner.outputs.drained()
        assert not runner.loops[1].done()
        assert paths[1].exists()


# ---------------------------------------------------------------- contents and maps


async def test_a_content_goes_with_the_last_execution_that_refers_to_it(runner: Running) -> None:
    await finished(runner, ("shared", "1b"))
    await finished(runner, ("shared", "2b"))
    await prune(runner, keep_last=1)
    assert [await has(store_of(runner), text) for text in ("shared", "1b", "2b")] == [True, False, True]
    await prune(runner)
    assert [await has(store_of(runner), text) for text in ("shared", "2b")] == [False, False]


@pytest.mark.guard(name="what a journal refers to is not dropped")
async def test_what_a_later_execution_has_kept_stays_with_it(runner: Running) -> None:
    first = await finished(runner, ("1a", "1b"))
    second = await finished(runner, reuse=True)
    assert (await prune(runner, keep_last=1)).executions == 1
    await gone(runner, first)
    await whole(runner, second, ("1a", "1b"))
    assert {await has(store_of(runner), text) for text in ("1a", "1b")} == {True}  # not only in the runner's memory
    third = await finished(runner, reuse=True)
    await whole(runner, third, ("1a", "1b"))


@pytest.mark.guard(name="what running executions may keep is not dropped")
async def test_what_was_offered_to_an_execution_is_kept_by_it_after_its_makers_are_gone(runner: Running) -> None:
    first = await finished(runner, ("1a", "1b"))
    request = runner_pb2.StartExecutionRequest(plan_id="two")
    second = Ref(execution_id=(await runner.stub.StartExecution(request)).execution.execution_id)
    assert (await prune(runner)).contents == 0
    await gone(runner, first)
    async with raw_worker(runner, EXECUTOR, "w"):
        await ended(runner, second)
    await whole(runner, second, ("1a", "1b"))
    assert {await has(store_of(runner), text) for text in ("1a", "1b")} == {True}


async def test_a_young_content_stays_for_the_event_that_may_be_about_to_name_it(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        await finished(runner, ("1a", "1b"))
        await runner.engine.contents.put(digest_of("new"), b"new")
        told = await prune(runner)
        assert (told.executions, told.contents) == (1, 0)
        assert {await has(store_of(runner), text) for text in ("new", "1a", "1b")} == {True}


@pytest.mark.guard(name="a map that is being set is not dropped")
async def test_maps_go_that_no_execution_and_no_layout_needs(runner: Running) -> None:
    old, new = PlannerOfTexts(two="a; b"), PlannerOfTexts(two="a; b; c")
    stored = store_of(runner)
    ref = await runner.start("two")
    unneeded, coming = await old.fetch("two"), await new.fetch("two")
    await stored.put_map(unneeded.map.key, unneeded.parts)
    with runner.engine.setting(coming.map.key):
        await stored.put_map(coming.map.key, coming.parts)
        assert (await prune(runner)).maps == 1
        assert await stored.map_parts(unneeded.map.key) is None
        assert await stored.map_parts(coming.map.key) is not None
    assert (await prune(runner)).maps == 1
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
    assert (await prune(runner)).maps == 0
    assert await runner.start("two") != ref  # of the layout, whose map is still there


async def test_sums_over_all_executions_count_those_that_were_pruned(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w") as executor:
        lease = (await executor.assigned()).lease_id
        await executor.say(usage=worker_pb2.Usage(lease_id=lease, model="m", input_tokens=7, output_tokens=3))
        await executor.say(abandon=worker_pb2.Abandon(lease_id=lease, reason="enough"))
        await executor.assigned()
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
    before = await runner.engine.ask(figures_of)
    assert (await prune(runner)).executions == 1
    after = await runner.engine.ask(figures_of)
    assert after.usage == before.usage != {}


# ---------------------------------------------------------------- pruned to artifacts


@pytest.mark.guard(name="artifacts of what was pruned are not dropped")
async def test_with_its_artifacts_kept_an_execution_can_be_read_and_its_results_are_kept_by_later_ones(
    runner: Running,
) -> None:
    first = await finished(runner, ("1a", "1b"))
    before = await get(runner, first)
    told = await prune(runner, keep_artifacts=True)
    assert (told.executions, told.contents) == (1, 0)
    await read_only(runner, first, before, ("1a", "1b"))
    assert (await prune(runner, keep_artifacts=True)).executions == 0, "once is enough"
    second = await finished(runner, reuse=True)
    await whole(runner, second, ("1a", "1b"))
    assert (await prune(runner, keep_last=1)).executions == 1
    await gone(runner, first)
    await whole(runner, second, ("1a", "1b"))


async def read_only(runner: Running, ref: Ref, before: pb.Execution, texts: tuple[str, str]) -> None:
    """Checks that an execution answers what is still known of it, and names the prune for the rest."""
    now = await get(runner, ref)
    assert now.HasField("pruned_at")
    now.ClearField("pruned_at")
    assert now == before
    assert ref.execution_id in await listed(runner)
    assert (await artifact(runner, ref, "a"), await artifact(runner, ref, "b")) == texts
    snapshot = [a async for a in runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, follow=True))]
    assert [task.status for answer in snapshot for task in answer.snapshot.tasks] == [pb.TASK_STATUS_DONE] * 2
    assert await events(runner, ref, after=now.sequence) == []
    with refused("EXECUTION_PRUNED", REFUSED):
        await events(runner, ref)
    with refused("EXECUTION_PRUNED", REFUSED):
        await anext(aiter(runner.stub.GetCandidate(runner_pb2.GetCandidateRequest(ref=ref, task_id="a"))))
    with refused("EXECUTION_PRUNED", REFUSED):
        await runner.stub.ListPrompts(runner_pb2.ListPromptsRequest(ref=ref, task_id="a"))
    with refused("EXECUTION_PRUNED", REFUSED):
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="a"))


async def test_rejected_candidates_go_although_the_artifacts_are_kept(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        await executor.make(await executor.assigned(), "bad")
        await validator.judge(await validator.assigned(), pb.OUTCOME_FAIL)
        for text in ("good", "of b"):
            await executor.make(await executor.assigned(), text)
            await validator.judge(await validator.assigned())
        await ended(runner, ref)
    await prune(runner, keep_artifacts=True)
    assert [await has(store_of(runner), text) for text in ("bad", "good", "of b")] == [False, True, True]


async def test_what_was_pruned_to_its_artifacts_is_there_after_a_restart(tmp_path: Path) -> None:
    await restarted(tmp_path, is_spoiled=False)


@pytest.mark.guard(name="what was pruned to its artifacts outlives a checkpoint")
async def test_what_was_pruned_to_its_artifacts_outlives_a_checkpoint_that_cannot_be_read(tmp_path: Path) -> None:
    await restarted(tmp_path, is_spoiled=True)


async def restarted(tmp_path: Path, *, is_spoiled: bool) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, prune_grace=ALL_OLD) as runner:
        first = await finished(runner, ("1a", "1b"))
        before = await get(runner, first)
        await prune(runner, keep_artifacts=True)
        second = await finished(runner, ("2a", "2b"))
        stopped = await runner.start("two")
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=stopped))
    for _ in range(3):
        if is_spoiled:
            store._runner = b"\xff"
        async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
            await read_only(runner, first, before, ("1a", "1b"))
            await whole(runner, second, ("2a", "2b"))
            await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=stopped))
            await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=stopped))
            assert not await runner.engine.ask(lambda state: state.quarantined)


@pytest.mark.guard(name="what was pruned to its artifacts keeps its place")
async def test_what_was_pruned_to_its_artifacts_keeps_its_place_without_a_checkpoint(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, prune_grace=ALL_OLD) as runner:
        before = await runner.start("two")
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=before))
        await finished(runner, ("1a", "1b"))
        await prune(runner, keep_artifacts=True)
        after = await runner.start("other")
        kept = await runner.engine.ask(lambda state: ([known.id for known in state.in_order()], state.created.newest))
        assert (kept[0][0], kept[0][2]) == (before.execution_id, after.execution_id)
    store._runner = b"\xff"
    async with running(PLANS, tmp_path, store=store) as runner:
        found = await runner.engine.ask(lambda state: ([known.id for known in state.in_order()], state.created.newest))
        assert found == kept


@pytest.mark.guard(name="what was pruned to its artifacts stays as it is")
async def test_no_command_moves_what_was_pruned_to_its_artifacts(runner: Running) -> None:
    ref = await runner.start("two")
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref, request_id="stop"))
    assert (await prune(runner, keep_artifacts=True)).executions == 1
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref, request_id="stop"))  # as before
    for call in (
        runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref)),
        runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref)),
        runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)),
        runner.stub.SetBudget(runner_pb2.SetBudgetRequest(ref=ref)),
    ):
        with refused("EXECUTION_PRUNED", REFUSED):
            await call
    assert (await get(runner, ref)).state == pb.EXECUTION_STATE_STOPPED


@pytest.mark.guard(name="nothing is written about what was pruned")
async def test_a_worker_that_is_late_changes_nothing_of_what_was_pruned(runner: Running) -> None:
    first, second = await runner.start("two"), await runner.start("other")
    async with raw_worker(runner, EXECUTOR, "w", slots=2) as executor:
        leases = [(await executor.assigned()).lease_id for _ in range(2)]
        for ref in (first, second):
            await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        await prune(runner, keep_artifacts=True)
        await artifact_of_nothing(runner, first)  # it is in memory now
        await executor.say(
            failure=worker_pb2.Failure(lease_id=leases[0], kind=pb.FAILURE_KIND_TRANSIENT, message="late")
        )
        await executor.say(usage=worker_pb2.Usage(lease_id=leases[1], model="m", input_tokens=7))
        await executor.hear("superseded")
        await runner.start("other")  # the runner goes on, and so does its worker's stream
        assert (await executor.assigned()).task.task_id in ("x", "a")
    assert not await runner.engine.ask(lambda state: state.quarantined)


async def artifact_of_nothing(runner: Running, ref: Ref) -> None:
    with refused("ARTIFACT_NOT_FOUND", NOT_FOUND):
        await artifact(runner, ref, "a")


# ---------------------------------------------------------------- beside the work


async def test_one_prune_at_a_time(runner: Running) -> None:
    await finished(runner)
    request = runner_pb2.PruneExecutionsRequest()
    request.older_than.FromSeconds(0)
    is_held, goes_on = asyncio.Event(), asyncio.Event()

    async def hold(_: State) -> None:
        is_held.set()
        await goes_on.wait()

    holding = asyncio.create_task(runner.engine.between_turns(hold))
    await is_held.wait()
    two = [asyncio.create_task(_read(runner.stub.PruneExecutions(request))) for _ in range(2)]
    (refused_one,), (other,) = await asyncio.wait(two, return_when=asyncio.FIRST_COMPLETED)
    with refused("STORE_BUSY", REFUSED):
        await refused_one
    goes_on.set()
    await asyncio.gather(holding, other)
    await prune(runner)


async def test_a_client_that_leaves_ends_its_prune_and_the_next_one_goes_on(runner: Running) -> None:
    refs = [await finished(runner, (f"{n}a", f"{n}b")) for n in range(2)]
    request = runner_pb2.PruneExecutionsRequest()
    request.older_than.FromSeconds(0)
    call = runner.stub.PruneExecutions(request)
    assert (await anext(aiter(call))).executions == 2
    call.cancel()
    async with asyncio.timeout(10):
        while await _is_busy(runner):
            pass
    for ref in refs:
        await gone(runner, ref)
    assert not [n for n in range(2) if await has(store_of(runner), f"{n}a")]


async def _is_busy(runner: Running) -> bool:
    try:
        await prune(runner)
    except grpc.aio.AioRpcError as error:
        if error.code() != REFUSED:
            raise
        return True
    return False


async def _read(call: Any) -> None:
    async for _ in call:
        pass


class RefusingStore(MemoryStore):
    """Fails removals: before they are written, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = ""

    async def remove(self, removal: Removal) -> None:
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise StorageFailed("the disk refused")
        await super().remove(removal)
        if fails == "after":
            raise StorageFailed("the connection was lost")


@pytest.mark.parametrize("fails", ["before", "after"])
async def test_a_removal_that_the_store_refused_is_whole_or_gone(tmp_path: Path, fails: str) -> None:
    store = RefusingStore()
    async with running(PLANS, tmp_path, store=store, prune_grace=ALL_OLD) as runner:
        first, second = await finished(runner, ("1a", "1b")), await finished(runner, ("2a", "2b"))
        store.fails = fails
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await prune(runner, keep_last=1)
        if fails == "before":
            await whole(runner, first, ("1a", "1b"))
        else:
            await gone(runner, first)
        await whole(runner, second, ("2a", "2b"))
        assert (await prune(runner, keep_last=1)).contents == 2
        await gone(runner, first)
        await whole(runner, second, ("2a", "2b"))


class WaitingStore(MemoryStore):
    """Waits in the middle of a read of a journal."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def read(self, journal: str, after: int, limit: int) -> list[Row]:
        if journal and not self.goes_on.is_set():
            self.reads.set()
            await self.goes_on.wait()
        return list(await super().read(journal, after, limit))


@pytest.mark.guard(name="a reader of what is pruned is told so")
async def test_a_watcher_that_reads_what_is_being_pruned_is_told_so(tmp_path: Path) -> None:
    store = WaitingStore()
    async with running(PLANS, tmp_path, store=store, prune_grace=ALL_OLD) as runner:
        ref = await finished(runner)
        watching = asyncio.create_task(events(runner, ref))
        async with asyncio.timeout(10):
            await store.reads.wait()
        await prune(runner)
        store.goes_on.set()
        with refused("EXECUTION_NOT_FOUND", NOT_FOUND):
            await watching


async def test_work_goes_on_while_executions_are_pruned(runner: Running) -> None:
    old = [await finished(runner, (f"{n}a", f"{n}b")) for n in range(3)]
    ref = await runner.start("two")
    watching = asyncio.create_task(ended(runner, ref))
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        pruning = asyncio.create_task(prune(runner))
        for text in ("new a", "new b"):
            await executor.make(await executor.assigned(), text)
            await validator.judge(await validator.assigned())
        await watching
    assert (await pruning).executions in (3, 4)
    await gone(runner, old[0])
    assert not await runner.engine.ask(lambda state: state.quarantined)
