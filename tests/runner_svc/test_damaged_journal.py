"""Rows of the journal whose bytes a disk or a person has changed: one costs its execution, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from runner_svc.codec.journal.entries import event_to_proto
from runner_svc.codec.journal.rows import RowDamaged, event_of
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model import events
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import RUNNER, ExecutionId, Phase
from runner_svc.recovery.recovery import Recovery
from runner_svc.store.port import Row
from signoff.v1 import execution_pb2, runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.runner_svc.test_engine_bugs import PLANS, QUARANTINED, SUCCEEDED, Unreadable, described, work_off
from tests.support.servers.runner import Running, running

Ref = runner_pb2.ExecutionRef
FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
NO_EVENT, NOTHING = b"\xff\xff no event", b""
OF_ANOTHER = execution_pb2.Event(sequence=1, task_id="a").SerializeToString()


def no_event(row: Row) -> bytes:
    return NO_EVENT


def nothing(row: Row) -> bytes:
    return NOTHING


def of_another_row(row: Row) -> bytes:
    return OF_ANOTHER


@pytest.mark.guard(name="a row is the event of its place")
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (NOTHING, "expected event 2 of e, but its row has an event with the sequence 0"),
        (OF_ANOTHER, "expected event 2 of e, but its row has an event with the sequence 1"),
    ],
)
def test_bytes_that_are_not_the_event_of_their_row_are_damaged(body: bytes, why: str) -> None:
    with pytest.raises(RowDamaged, match=why):
        event_of(Row("e", 2, body))


def test_bytes_that_are_no_event_are_damaged() -> None:
    with pytest.raises(RowDamaged, match="expected event 2 of the runner, but the bytes of its row are no event"):
        event_of(Row(RUNNER, 2, NO_EVENT))


@asynccontextmanager
async def damaged_at_the_end(
    folder: Path, damage: Callable[[Row], bytes], *, checkpoint: bool = False
) -> AsyncIterator[tuple[Running, Ref, Ref]]:
    """A runner that was started on a journal of which the last row is damaged; the execution of it, and another."""
    store = Unreadable()
    async with running(PLANS, folder, store=store) as runner:
        bad, good = await runner.start("two"), await runner.start("one")
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=bad))
        if checkpoint:
            await runner.engine.checkpoint()
    (*_, last) = await store.read(bad.execution_id, 0, 100)
    store.mend(Row(last.journal, last.sequence, damage(last)))
    async with running(PLANS, folder, store=store) as runner:
        yield runner, bad, good


@pytest.mark.guard(name="a row is the event of its place")
@pytest.mark.parametrize("damage", [nothing, of_another_row])
async def test_an_execution_with_a_row_of_another_event_is_quarantined_and_the_others_go_on(
    tmp_path: Path, damage: Callable[[Row], bytes]
) -> None:
    async with damaged_at_the_end(tmp_path, damage) as (runner, bad, good):
        found = await described(runner, bad)
        assert (found.state, found.plan_id) == (QUARANTINED, "two")
        assert "but its row has an event with the sequence" in found.reason
        await work_off(runner, good)
        assert (await described(runner, good)).state == SUCCEEDED


@pytest.mark.guard(name="a row is the event of its place")
async def test_a_runner_whose_own_journal_is_damaged_starts_and_works(tmp_path: Path) -> None:
    store = Unreadable()
    async with running(PLANS, tmp_path, store=store) as runner:
        await runner.start("one")
        await runner.start("two")
    (*_, last) = await store.read(RUNNER, 0, 100)
    store.mend(Row(RUNNER, last.sequence, NOTHING))
    async with running(PLANS, tmp_path, store=store) as runner:
        await work_off(runner, await runner.start("late"))


@pytest.mark.parametrize("damage", [NOTHING, NO_EVENT, OF_ANOTHER])
async def test_the_own_journal_is_read_to_its_end_however_many_rows_are_damaged(damage: bytes) -> None:
    store = Unreadable()
    await store.append([Row(RUNNER, number, damage) for number in (1, 2, 3)], {})
    machine, _ = await Recovery(store).machine(StreamTimings(), ModelTables())
    assert machine.state.sequence == 3


@pytest.mark.guard(name="a row that was skipped is skipped again")
async def test_what_the_runner_counts_is_not_counted_twice_because_a_row_is_damaged() -> None:
    spent = {"": {(Phase.EXECUTE, "m"): Usage(requests=1)}}
    pruned = events.ExecutionsPruned(at=1.0, removed=1, pruned_to_artifacts=0, usage=spent, canaries=())
    entries = [events.Entry(RUNNER, number, pruned) for number in (1, 2, 3)]
    store = Unreadable()
    await store.append(
        [Row(RUNNER, each.sequence, event_to_proto(each, None).SerializeToString()) for each in entries], {}
    )
    store.spoil(RUNNER, 2)
    recovery = Recovery(store)
    machine, _ = await recovery.machine(StreamTimings(), ModelTables())
    await recovery.checkpoints.take(machine.state, lambda _: False)
    store._covered = 0  # so that all rows are read once more
    again, _ = await recovery.machine(StreamTimings(), ModelTables())
    assert again.state.pruned == machine.state.pruned
    assert [*again.state.pruned.usage[""].values()] == [Usage(requests=2)]


async def test_a_second_damaged_row_takes_nothing_from_what_is_known_of_an_execution(tmp_path: Path) -> None:
    store = Unreadable()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two")
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
    store.spoil(ref.execution_id, 2)
    store.spoil(ref.execution_id, 3)
    async with running(PLANS, tmp_path, store=store) as runner:
        found = await described(runner, ref)
        assert (found.state, found.plan_id, found.sequence) == (QUARANTINED, "two", 3)
        assert "expected event 2" in found.reason


# ---------------------------------------------------------------- who reads a journal


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("damage", [no_event, nothing, of_another_row])
async def test_a_watcher_of_a_damaged_journal_is_told_so(
    tmp_path: Path, damage: Callable[[Row], bytes], checkpoint: bool
) -> None:
    async with damaged_at_the_end(tmp_path, damage, checkpoint=checkpoint) as (runner, bad, _):
        request = runner_pb2.WatchExecutionRequest(ref=bad, after_sequence=0)
        with refused("EXECUTION_QUARANTINED", FAILED_PRECONDITION) as answer:
            async for _ in runner.stub.WatchExecution(request):
                pass
        assert answer.error is not None
        assert f"the journal of execution {bad.execution_id} could not be read" in str(answer.error.details())


@pytest.mark.guard(name="no damaged row is passed over")
@pytest.mark.parametrize("damage", [no_event, nothing])
async def test_a_row_that_may_have_been_about_a_task_is_not_passed_over(
    tmp_path: Path, damage: Callable[[Row], bytes]
) -> None:
    async with damaged_at_the_end(tmp_path, damage, checkpoint=True) as (runner, bad, _):
        with refused("EXECUTION_QUARANTINED", FAILED_PRECONDITION):
            async for _ in runner.stub.GetCandidate(runner_pb2.GetCandidateRequest(ref=bad, task_id="b")):
                pass


async def test_a_stopped_execution_whose_age_cannot_be_read_is_not_pruned(tmp_path: Path) -> None:
    async with damaged_at_the_end(tmp_path, no_event, checkpoint=True) as (runner, bad, good):
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=good))
        request = runner_pb2.PruneExecutionsRequest()
        request.older_than.FromSeconds(0)
        (*_, sums) = [answer async for answer in runner.stub.PruneExecutions(request)]
        assert (sums.executions, sums.done) == (1, True)
        assert await runner.engine.ask(lambda state: [*state.created]) == [ExecutionId(bad.execution_id)]
