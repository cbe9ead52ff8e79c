"""Checkpoints: a runner that starts on one has the state of the runner that took it, and reads only later events."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from structlog.testing import capture_logs

from runner_svc.codec.checkpoints import record_from_bytes, status_from_bytes, task_to_proto
from runner_svc.codec.journal.entries import event_to_proto
from runner_svc.core.model.states import ExecutionState, TaskStatus
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import (
    RUNNER,
    Budget,
    Content,
    CriterionResult,
    LeaseId,
    Outcome,
    Phase,
    Settings,
    VerdictBy,
    WorkerName,
)
from runner_svc.core.state.attempts import NONE_FAILED, FailedAttempts
from runner_svc.core.state.task_record import Lease, Rejection, TaskRecord
from runner_svc.recovery import visitors
from runner_svc.recovery.recovery import Recovery
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Checkpoint, Checkpointed, Listed, Row
from signoff.errors import StorageFailed
from signoff.v1 import checkpoint_pb2, execution_pb2, runner_pb2, worker_pb2
from tests.runner_svc.core.test_any_order import Walk
from tests.runner_svc.services.test_runner_service import refused
from tests.support import invariants, story
from tests.support.draws import so_many
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, parts_of, running

PLANS = PlannerOfTexts(two="a; b <- a", other="x")
ONE_JUDGE_ERROR = Settings(max_judge_errors=1)
ALL, SUCCEEDED = runner_pb2.TASK_SELECTION_ALL, execution_pb2.EXECUTION_STATE_SUCCEEDED


class WatchedStore(MemoryStore):
    """The reference store. It counts rows that a start reads, and can refuse checkpoints and archived executions."""

    def __init__(self) -> None:
        super().__init__()
        self.rows_read = 0
        self.refuses = False
        self.hangs: asyncio.Event | None = None  #: set when an append has begun that never ends

    async def everything(self, after: int, limit: int) -> tuple[list[Row], int]:
        rows, position = await super().everything(after, limit)
        self.rows_read += len(rows)
        return list(rows), position

    async def checkpoint(self, taken: Checkpoint) -> None:
        if self.refuses:
            raise StorageFailed("the disk refused")
        await super().checkpoint(taken)

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        if self.hangs is not None:
            self.hangs.set()
            await asyncio.get_running_loop().create_future()
        await super().append(rows, contents, listed, named)

    async def checkpointed_tasks(self, journal: str) -> list[tuple[int, bytes]]:
        if self.refuses:
            raise StorageFailed("the disk refused")
        return list(await super().checkpointed_tasks(journal))


# ---------------------------------------------------------------- the state


async def journal(store: MemoryStore, walk: Walk) -> None:
    """Appends the events that the walk has added to its history."""
    rows = []
    for entry in walk.run.entries[len(store.rows) :]:
        plan = None if entry.execution == RUNNER else walk.run.map
        rows.append(Row(entry.execution, entry.sequence, event_to_proto(entry, plan).SerializeToString()))
    await store.append(rows, {})


@pytest.mark.guard(name="restored counters")
async def test_after_any_history_a_restart_from_a_checkpoint_gives_the_live_state_and_goes_on() -> None:
    for seed in range(so_many(20, long=40)):
        walk, store, chance = Walk(seed), MemoryStore(), random.Random(seed)
        await store.put_map(walk.run.map.key, [part.SerializeToString() for part in parts_of(walk.run.map)])
        recovery = Recovery(store)
        for _ in range(60):
            walk.step()
            await journal(store, walk)
            if chance.random() < 0.2:
                await recovery.checkpoints.take(walk.run.machine.state, lambda _: False)
            if chance.random() < 0.1:
                await _restart(recovery, walk, seed)
        walk.finish()


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_budget_holds_as_before_after_a_restart_from_a_checkpoint(restarts: bool) -> None:
    walk, store = Walk(0), MemoryStore()
    team = (story.executor("w1"), story.validator("v1"))
    limited = Settings(budget=Budget(tokens=5_000))
    walk.run = story.given("a; b", *team, story.started_with(limited), story.spent("a", 3_000))
    if restarts:
        await store.put_map(walk.run.map.key, [part.SerializeToString() for part in parts_of(walk.run.map)])
        await journal(store, walk)
        recovery, held = Recovery(store), [walk.run.lease("a")]
        await recovery.checkpoints.take(walk.run.machine.state, lambda _: False)
        await _restart(recovery, walk, 0)
        walk.run.when(story.executor("w1", held=held), story.validator("v1"))
    walk.run.when(story.candidate("a"), story.passed("a"))
    overview = walk.run.execution.overview()
    assert (overview.state, overview.reason) == (
        ExecutionState.PAUSED,
        "the budget of the execution is used up: 3,000 of 5,000 tokens are spent, and the next attempt may take 3,000",
    )


@pytest.mark.guard(name="checkpoint keeps every change")
async def test_what_a_resume_has_changed_is_in_the_next_checkpoint(tmp_path: Path) -> None:
    walk, store = Walk(0), MemoryStore()
    walk.run = story.given("a", story.executor("w1"), story.validator("v1"), story.started_with(ONE_JUDGE_ERROR))
    walk.run.when(story.candidate("a"), story.judge_broke("a"))
    assert walk.run.execution.stuck
    await store.put_map(walk.run.map.key, [part.SerializeToString() for part in parts_of(walk.run.map)])
    recovery = Recovery(store)
    for step in (story.passes(0.0), story.worker_lost("v1", orderly=True), story.resumed):
        walk.run.when(step)
        await journal(store, walk)
        await recovery.checkpoints.take(walk.run.machine.state, lambda _: False)
    await _restart(recovery, walk, 0)


async def _restart(recovery: Recovery, walk: Walk, seed: int) -> None:
    live = walk.run.machine.state
    machine, _ = await recovery.machine(live.roster.timings, live.roster.tables)
    assert list(machine.state.overviews()) == list(live.overviews()), f"seed {seed}"
    machine.state.maps.update(live.maps)
    for execution_id, execution in live.executions.items():
        restored = machine.state.executions[execution_id]
        restored.map = execution.map  # the same, but for the kinds of its sequences
        assert invariants.durable(restored) == invariants.durable(execution), f"seed {seed}"
    assert machine.state.requests == live.requests
    assert machine.state.layouts == live.layouts
    machine.restore(walk.run.at)
    walk.run.machine = machine
    walk.run.sessions.clear()


_TEXTS = some.text(max_size=8)
_CONTENTS = some.none() | some.builds(
    Content,
    digest=_TEXTS,
    size=some.integers(0, 2**40),
    media_type=_TEXTS,
    attempt=some.integers(0, 9),
    signed_off_by=some.none() | some.builds(VerdictBy, _TEXTS, some.booleans()),
)
_RESULTS = some.builds(CriterionResult, criterion=_TEXTS, outcome=some.sampled_from(Outcome), reason=_TEXTS)
_TIMES = some.floats(0, 2e9)
_NAMES = some.none() | some.text(min_size=1, max_size=8)
_KINDS = some.tuples(some.sampled_from(Phase), _TEXTS)  # of usage: phase and model
_TOKENS = some.integers(0, 2**40)
_AMOUNTS = some.builds(
    Usage,
    input_tokens=_TOKENS,
    output_tokens=_TOKENS,
    requests=some.integers(0, 9),
    cost_nanos=_TOKENS,
    unpriced_tokens=_TOKENS,
)


@given(
    some.builds(
        TaskRecord,
        attempt=some.integers(0, 99),
        failures=some.integers(0, 99),
        losses=some.integers(0, 99),
        judge_errors=some.integers(0, 99),
        rollbacks=some.integers(0, 99),
        lease=some.none() | some.builds(Lease, _TEXTS.map(LeaseId), some.sampled_from(Phase), _TEXTS.map(WorkerName)),
        executed_under=_NAMES,
        judged_under=_NAMES,
        candidate=_CONTENTS,
        artifact=_CONTENTS,
        withdrawn=_CONTENTS,
        rejected=_CONTENTS,
        checkpoint=_CONTENTS,
        rejection=some.none() | some.builds(Rejection, _TEXTS, some.frozensets(_TEXTS, max_size=3)),
        no_progress=some.booleans(),
        fingerprint=_TEXTS,
        too_small=some.lists(_TEXTS, max_size=2).map(tuple),
        feedback=_TEXTS,
        failed_attempts=some.just(NONE_FAILED)
        | some.builds(
            FailedAttempts,
            lines=some.lists(_TEXTS, min_size=1, max_size=2).map(tuple),
            dropped=some.integers(0, 9),
        ),
        results=some.lists(_RESULTS, max_size=2).map(tuple),
        last_failure=_TEXTS,
        retry_at=_TIMES,
        avoid=_NAMES,
        given_up=some.booleans(),
        first_assigned_at=_TIMES,
        changed_at=_TIMES,
        usage=some.none() | some.dictionaries(_KINDS, _AMOUNTS, min_size=1, max_size=3),
        open_usage=some.none()
        | some.dictionaries(
            _TEXTS.map(LeaseId), some.dictionaries(_TEXTS, _AMOUNTS, min_size=1, max_size=2), min_size=1, max_size=2
        ),
    ),
    some.sampled_from(TaskStatus),
)
@settings(max_examples=so_many(70, long=200), deadline=None, derandomize=True)
def test_a_record_comes_back_as_it_was(record: TaskRecord, status: TaskStatus) -> None:
    body = task_to_proto(status, record).SerializeToString()
    assert (status_from_bytes(body), record_from_bytes(body)) == (status, record)


def test_the_record_strategy_draws_every_field() -> None:
    """Add a new field of TaskRecord here and in the test above: checkpoints must keep it, too."""
    assert {field.name for field in dataclasses.fields(TaskRecord)} == {
        field.name for field in checkpoint_pb2.TaskCheckpoint.DESCRIPTOR.fields
    } - {"status"}


# ---------------------------------------------------------------- the runner


async def finish(runner: Running, plan_id: str) -> runner_pb2.ExecutionRef:
    """Runs a plan to its end."""
    ref = await runner.start(plan_id)
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        for _ in map_tasks(plan_id):
            await executor.make(await executor.assigned(), f"text of {plan_id}")
            await validator.judge(await validator.assigned())
    await runner.outputs.drained()
    await layout_set(runner)
    return ref


async def layout_set(runner: Running) -> None:
    """Causes one more event, and so a checkpoint when one is taken after every turn."""
    await runner.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id="other"))


def map_tasks(plan_id: str) -> list[str]:
    return PLANS.texts[plan_id].split(";")


@pytest.mark.guard(name="restart from the checkpoint")
async def test_a_restart_reads_what_came_after_the_checkpoint_however_long_the_history(tmp_path: Path) -> None:
    store = WatchedStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=10) as runner:
        for _ in range(20):
            await finish(runner, "two")
    assert len(store.rows) > 200
    store.rows_read = 0
    async with running(PLANS, tmp_path, store=store) as runner:
        assert store.rows_read < 20
        listed = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())
        assert [execution.state for execution in listed.executions] == [SUCCEEDED] * 20


@pytest.mark.guard(name="an older store gets its index")
async def test_a_store_of_an_earlier_version_gets_its_index_when_it_is_opened(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        ended = [await finish(runner, "two"), await finish(runner, "other")]
        goes_on = await runner.start("two")
    await store.list_anew([], is_whole=False)  # as that version leaves it
    async with running(PLANS, tmp_path, store=store) as runner:
        asked = runner_pb2.ListExecutionsRequest(states=[SUCCEEDED])
        found = [execution.execution_id for execution in (await runner.stub.ListExecutions(asked)).executions]
        assert found == [ref.execution_id for ref in reversed(ended)]
        everything = (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions
        assert everything[0].execution_id == goes_on.execution_id
        assert len(everything) == 3
    assert await store.is_listed()


async def test_what_has_ended_stays_in_the_store_and_is_shown_used_and_run_again_all_the_same(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path, checkpoint_every=1) as runner:
        ref = await finish(runner, "two")
        await finish(runner, "other")
        assert await in_memory(runner) == set()
        shown = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        assert (shown.execution.state, shown.execution.counts.done) == (SUCCEEDED, 2)
        assert await in_memory(runner) == set(), "the overview needs nothing from the store"
        shown = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=ALL))
        assert [task.task_id for task in shown.tasks] == ["a", "b"]
        assert await in_memory(runner) == {ref.execution_id}
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="b"))
        async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
            await executor.make(await executor.assigned(), "another text")
            await validator.judge(await validator.assigned())
        await runner.outputs.drained()
        shown = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        assert shown.execution.state == SUCCEEDED
    assert "another text" in (tmp_path / "two" / "b" / "output.json").read_text()


async def test_a_result_that_comes_after_its_execution_was_archived_is_acknowledged_or_kept(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path, checkpoint_every=1) as runner:
        ref = await runner.start("other")
        async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
            assign = await executor.assigned()
            await executor.make(assign, "text")
            await validator.judge(await validator.assigned())
            await runner.outputs.drained()
            await layout_set(runner)
            assert await in_memory(runner) == set()
            await executor.make(assign, "text")
        history = await runner.engine.contents._store.read(ref.execution_id, 0, 100)
        assert len(history) == 7, "a repeated result is acknowledged and changes nothing"


async def given_back_and_archived(runner: Running) -> tuple[runner_pb2.ExecutionRef, str]:
    """Returns an execution that has ended and is archived, and a lease that "late" held and gave back."""
    ref = await runner.start("other")
    async with raw_worker(runner, EXECUTOR, "late") as first:
        lease = (await first.assigned()).lease_id
        await first.say(draining=worker_pb2.Draining())
        await first.say(abandon=worker_pb2.Abandon(lease_id=lease))
        async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
            await executor.make(await executor.assigned(), "text")
            await validator.judge(await validator.assigned())
    await runner.outputs.drained()
    await layout_set(runner)
    assert await in_memory(runner) == set()
    return ref, lease


async def test_a_late_result_of_an_archived_execution_is_kept_under_a_lease_that_was_given(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path, checkpoint_every=1) as runner:
        ref, lease = await given_back_and_archived(runner)
        async with raw_worker(runner, EXECUTOR, "late") as late:
            usage = worker_pb2.Usage(lease_id=lease, model="m", input_tokens=7)
            await late.say(usage=usage)
            await late.say(candidate=candidate(lease, b"late"))
            assert (await late.hear("superseded")).lease_id == lease
        rows = await runner.engine.contents._store.read(ref.execution_id, 0, 100)
        kinds = [execution_pb2.Event.FromString(row.body).WhichOneof("kind") for row in rows]
        assert kinds[-2:] == ["usage_recorded", "orphan_stored"]


@pytest.mark.guard(name="only leases that were given bring executions in")
async def test_a_worker_that_names_leases_of_archived_executions_brings_none_into_memory(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path, checkpoint_every=1) as runner:
        ref, lease = await given_back_and_archived(runner)
        forged = [f"{ref.execution_id}.{task}.1" for task in ("0", "7", "x", "9999999999")]
        async with raw_worker(runner, EXECUTOR, "rogue", held=[lease, *forged]) as rogue:
            for _ in (lease, *forged):
                await rogue.hear("stop")
            await rogue.say(accepted=worker_pb2.Accepted(lease_id=lease))
            await rogue.say(progress=worker_pb2.Progress(lease_id=lease))
            for name in forged:
                await rogue.say(usage=worker_pb2.Usage(lease_id=name, model="m", input_tokens=7))
                await rogue.say(candidate=candidate(name, b"late"))
                assert (await rogue.hear("superseded")).lease_id == name
            assert await in_memory(runner) == set()


async def test_an_execution_that_has_not_ended_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    store = WatchedStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        ref = await runner.start("two", "r1")
        async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
            await executor.make(await executor.assigned(), "text of a")
            await validator.judge(await validator.assigned())
            held = await executor.assigned()
    store.rows_read = 0
    async with running(PlannerOfTexts(), tmp_path, store=store) as runner:
        assert store.rows_read == 0
        assert await runner.start("two", "r1") == ref, "a repeated request answers as before the restart"
        async with (
            raw_worker(runner, EXECUTOR, "w", held=[held.lease_id]) as executor,
            raw_worker(runner, VALIDATOR, "v") as validator,
        ):
            await executor.hear("keep")
            await executor.make(held, "text of b")
            await validator.judge(await validator.assigned())
        shown = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=ALL))
        assert [task.attempt for task in shown.tasks] == [1, 1]
        assert shown.execution.state == SUCCEEDED


async def test_a_checkpoint_the_store_refuses_harms_nothing_and_is_taken_later(tmp_path: Path) -> None:
    store = WatchedStore()
    store.refuses = True
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        ref = await finish(runner, "two")
        assert await in_memory(runner) == {ref.execution_id}
        assert await store.checkpointed() == Checkpointed(position=0, runner=b"", executions=[])
        store.refuses = False
        await finish(runner, "other")
        assert await in_memory(runner) == set()


@pytest.mark.guard(name="no checkpoint of what is not durable")
async def test_a_runner_that_ends_in_the_middle_of_a_commit_keeps_no_state_that_is_ahead_of_the_journal(
    tmp_path: Path,
) -> None:
    store = WatchedStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        await runner.start("two")
        store.hangs = asyncio.Event()
        second = asyncio.create_task(runner.start("two"))
        await store.hangs.wait()
        runner.loops[0].cancel()
        await asyncio.gather(runner.loops[0], return_exceptions=True)
        with capture_logs() as logs:
            await runner.engine.checkpoint()
        assert logs == [], "it was not even tried"
        second.cancel()
    store.hangs = None
    async with running(PLANS, tmp_path, store=store) as runner:
        listed = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())
        assert len(listed.executions) == 1


async def test_a_store_that_cannot_bring_an_execution_back_says_so_and_can_be_asked_again(tmp_path: Path) -> None:
    store = WatchedStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        ref = await finish(runner, "two")
        await finish(runner, "other")
        store.refuses = True
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=ALL))
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="b"))
        store.refuses = False
        shown = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=ALL))
        assert [task.task_id for task in shown.tasks] == ["a", "b"]


@pytest.mark.guard(name="files before the archive")
async def test_an_execution_whose_files_are_not_written_yet_is_not_archived(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        (tmp_path / "other").write_text("a file where the plan's folder should be")
        await finish(runner, "other")
        await finish(runner, "two")
    (tmp_path / "other").unlink()
    async with running(PLANS, tmp_path, store=store) as runner:
        await runner.outputs.drained()
    assert "text of other" in (tmp_path / "other" / "x" / "output.json").read_text()


# ---------------------------------------------------------------- what questions have brought in


@pytest.mark.guard(name="what was brought in leaves again")
@pytest.mark.guard(name="the one that was used longest ago leaves first")
@pytest.mark.parametrize("bound", ["MOST_VISITORS", "MOST_TASKS"])
async def test_old_executions_that_questions_have_brought_in_leave_again_without_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(visitors, bound, 2)  # each has one task
    async with running(PLANS, tmp_path, checkpoint_every=1) as runner:
        refs = [await finish(runner, "other") for _ in range(4)]
        for asked in (0, 1, 0, 2):
            await shown(runner, refs[asked])
        assert await in_memory(runner) == {refs[asked].execution_id for asked in (0, 2)}
        for ref in refs:
            assert (await shown(runner, ref)).tasks[0].status == execution_pb2.TASK_STATUS_DONE
        assert await in_memory(runner) == {ref.execution_id for ref in refs[2:]}


@pytest.mark.guard(name="what has changed waits for a checkpoint")
async def test_an_old_execution_that_goes_on_stays_when_others_are_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "MOST_VISITORS", 1)
    async with running(PLANS, tmp_path, checkpoint_every=1) as runner:
        refs = [await finish(runner, "other") for _ in range(3)]
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=refs[0], task_id="x"))
        for ref in refs[1:]:
            await shown(runner, ref)
        assert await in_memory(runner) == {refs[0].execution_id, refs[2].execution_id}
        async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
            await executor.make(await executor.assigned(), "another text")
            await validator.judge(await validator.assigned())
        await runner.outputs.drained()
        await layout_set(runner)
        assert await in_memory(runner) == set(), "the checkpoint has archived them all"
        assert (await shown(runner, refs[0])).execution.state == SUCCEEDED


async def shown(runner: Running, ref: runner_pb2.ExecutionRef) -> runner_pb2.GetExecutionResponse:
    """Returns an execution with its tasks, which brings it in."""
    return await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=ALL))


async def in_memory(runner: Running) -> set[str]:
    """Returns the executions that the runner has in memory."""
    return await runner.engine.ask(lambda state: set[str](state.executions))
