"""The runner survives its own bugs: a turn that throws costs its cause, and nothing that was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from runner_svc.codec.checkpoints import execution_to_proto, runner_to_proto
from runner_svc.codec.journal.entries import event_to_proto
from runner_svc.core import machine as machine_module
from runner_svc.core.decide.turn import State, TurnFailed
from runner_svc.core.fleet.deadlines import Deadlines, Due
from runner_svc.core.model import events, signals
from runner_svc.core.model.values import ExecutionId, Role, SessionId, WorkerName
from runner_svc.mishaps import Mishaps
from runner_svc.publish.metrics import figures_of, metrics_of
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Checkpoint, Row
from signoff.errors import Unavailable
from signoff.v1 import checkpoint_pb2, execution_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PLANS = PlannerOfTexts(one="a", two="a; b <- a", late="x")
WITHIN = 10.0  # seconds
ALL = runner_pb2.TASK_SELECTION_ALL
RUNNING, SUCCEEDED = execution_pb2.EXECUTION_STATE_RUNNING, execution_pb2.EXECUTION_STATE_SUCCEEDED
QUARANTINED = execution_pb2.EXECUTION_STATE_QUARANTINED
Signals = type[signals.Signal]


class Trouble:
    """Makes the core throw at signals of a kind that meet a condition, after it has handled half of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.is_over = False

    def at(self, kind: Signals, when: Callable[[Any], bool] = lambda _: True) -> None:
        handle = machine_module._HANDLERS[kind]

        def thrown(turn: Any, signal: Any) -> Any:
            if self.is_over or not when(signal):
                return handle(turn, signal)
            handle(turn, signal)  # the state has changed by then
            raise ZeroDivisionError("a bug")

        self._patch.setitem(machine_module._HANDLERS, kind, thrown)


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(monkeypatch)


def failure(lease: str) -> worker_pb2.Failure:
    return worker_pb2.Failure(lease_id=lease, kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="oh")


async def described(runner: Running, ref: runner_pb2.ExecutionRef) -> execution_pb2.Execution:
    answer = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=ALL))
    return answer.execution


async def work_off(runner: Running, ref: runner_pb2.ExecutionRef, name: str = "w1") -> None:
    """Has two new workers finish an execution."""

    async def execute(worker: RawWorker) -> None:
        while True:
            await worker.make(await worker.assigned())

    async def judge(worker: RawWorker) -> None:
        while True:
            await worker.judge(await worker.assigned())

    async with raw_worker(runner, EXECUTOR, name) as executor, raw_worker(runner, VALIDATOR, "v") as v:
        tasks = [asyncio.ensure_future(execute(executor)), asyncio.ensure_future(judge(v))]
        await state_of(runner, ref, SUCCEEDED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ended(worker: RawWorker) -> grpc.StatusCode:
    """Returns how a worker's stream ends. Messages before that are skipped."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        async with asyncio.timeout(WITHIN):
            while await worker.call.read() is not grpc.aio.EOF:
                pass
    code: grpc.StatusCode = await worker.call.code()
    return code


# ---------------------------------------------------------------- frames and commands


@pytest.mark.guard(name="a bug ends no loop")
async def test_a_frame_that_throws_ends_its_own_stream_and_every_execution_goes_on(
    tmp_path: Path, trouble: Trouble
) -> None:
    trouble.at(signals.CandidateMade, lambda signal: signal.content.size == len("bad"))
    async with running(PLANS, tmp_path) as runner:
        ref, other = await runner.start("two"), await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as rogue:
            held = await rogue.assigned()
            with refused("BUG", grpc.StatusCode.INTERNAL):
                await rogue.make(held, "bad")
        async with raw_worker(runner, EXECUTOR, "w1", held=[held.lease_id]) as mended:
            await mended.hear("keep")
            await mended.make(held, "good")
        await work_off(runner, ref)
        await work_off(runner, other)
        assert not runner.loops[0].done()


async def test_what_was_acknowledged_before_the_bug_is_still_there_and_what_came_with_it_can_be_repeated(
    tmp_path: Path, trouble: Trouble
) -> None:
    trouble.at(signals.WorkFailed)
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two")
        async with raw_worker(runner, EXECUTOR, "w1") as worker, raw_worker(runner, VALIDATOR, "v") as judge:
            await worker.make(await worker.assigned())
            await judge.judge(await judge.assigned())
            held = await worker.assigned()
            await worker.say(failure=failure(held.lease_id))
            assert await ended(worker) is grpc.StatusCode.INTERNAL
            assert await ended(judge) is grpc.StatusCode.UNAVAILABLE, "the others come back"
        found = await described(runner, ref)
        assert (found.counts.done, found.sequence) == (1, len(await store.read(ref.execution_id, 0, 100)))


async def test_a_command_that_throws_is_told_so_and_the_next_one_is_taken(tmp_path: Path, trouble: Trouble) -> None:
    trouble.at(signals.StartExecution, lambda signal: signal.plan_id == "one")
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("two")
        with refused("BUG", grpc.StatusCode.INTERNAL):
            await runner.start("one")
        assert (await described(runner, ref)).state == RUNNING
        listed = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())
        assert [found.plan_id for found in listed.executions] == ["two"], "what threw has changed nothing"


async def test_a_question_that_throws_costs_only_whoever_asked(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as worker:
            held = await worker.assigned()
            with pytest.raises(Exception, match="a bug in signoff"):
                await runner.engine.ask(lambda state: 1 // 0)
            await worker.make(held)
        assert (await described(runner, ref)).counts.validating == 1


async def test_an_event_that_cannot_be_written_down_is_a_bug_of_the_frame_that_led_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(entry: events.Entry, plan: Any) -> execution_pb2.Event:
        if isinstance(entry.event, events.CandidateStored) and entry.event.content.size == len("bad"):
            raise OverflowError("no number is that large")
        return event_to_proto(entry, plan)

    monkeypatch.setattr("runner_svc.engine.event_to_proto", written)
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as rogue:
            held = await rogue.assigned()
            with refused("BUG", grpc.StatusCode.INTERNAL):
                await rogue.make(held, "bad")
        async with raw_worker(runner, EXECUTOR, "w1", held=[held.lease_id]) as mended:
            await mended.hear("keep")
            await mended.make(held, "good")
        await work_off(runner, ref)


# ---------------------------------------------------------------- what is kept


class HaltingStore(MemoryStore):
    """The reference store; while `halts`, nothing can be read, as when a disk is slow."""

    def __init__(self) -> None:
        super().__init__()
        self.halts = asyncio.Event()
        self.begun = asyncio.Event()

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        if self.halts.is_set():
            self.begun.set()
            await asyncio.get_running_loop().create_future()
        return await super().everything(after, limit)


async def test_a_state_that_a_bug_has_torn_is_never_kept(tmp_path: Path, trouble: Trouble) -> None:
    trouble.at(signals.CandidateMade)
    store = HaltingStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as rogue:
            held = await rogue.assigned()
            store.halts.set()
            with refused("BUG", grpc.StatusCode.INTERNAL):
                await rogue.make(held)
            await asyncio.wait_for(store.begun.wait(), WITHIN)
            runner.loops[0].cancel()  # the runner is told to end while it reads the journal
            await asyncio.gather(runner.loops[0], return_exceptions=True)
            await runner.engine.checkpoint()
    kept = [checkpoint_pb2.ExecutionCheckpoint.FromString(body) for body in (await store.checkpointed()).executions]
    written = len(await store.read(ref.execution_id, 0, 100))
    assert [found.execution.sequence for found in kept if found.execution.sequence > written] == []


@pytest.mark.guard(name="checkpoints ahead of their journal")
@pytest.mark.guard(name="a false checkpoint is replaced at once")
async def test_a_checkpoint_that_says_more_than_its_journal_is_thrown_away(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        poisoned, healthy = await runner.start("two"), await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as worker:
            await worker.assigned()
        await runner.engine.checkpoint()
        await keep_more_than_happened(runner, store, ExecutionId(poisoned.execution_id))
    async with running(PLANS, tmp_path, store=store) as runner:
        assert await ahead_of_its_journal(store) == []
        assert (await described(runner, poisoned)).counts.done == 0
        await work_off(runner, poisoned)
        await work_off(runner, healthy)
    async with running(PLANS, tmp_path, store=store) as runner:
        assert [(await described(runner, ref)).state for ref in (poisoned, healthy)] == [SUCCEEDED, SUCCEEDED]


async def ahead_of_its_journal(store: MemoryStore) -> list[str]:
    """Returns the executions of which the checkpoint says more than their journals."""
    kept = [checkpoint_pb2.ExecutionCheckpoint.FromString(body) for body in (await store.checkpointed()).executions]
    sequences = {found.execution.execution_id: found.execution.sequence for found in kept}
    heads = await store.heads(list(sequences))
    return [name for name, sequence in sequences.items() if sequence > heads[name]]


async def keep_more_than_happened(runner: Running, store: MemoryStore, execution: ExecutionId) -> None:
    """Takes a checkpoint of events that are in no journal, as 47ee0cd did after an exception."""
    state = runner.engine._machine.state
    live = state.executions[execution]
    event = events.ExecutionPaused(at=1.0, request_id="never", reason="never happened")
    state.apply(events.Entry(execution, live.sequence + 1, event))
    taken = Checkpoint(
        runner=runner_to_proto(state).SerializeToString(),
        executions=[(execution, execution_to_proto(live.overview(), settled=False).SerializeToString())],
        tasks=[],
    )
    await store.checkpoint(taken)


@pytest.mark.guard(name="nothing is kept that is not in the journal")
async def test_a_state_that_is_ahead_of_its_journal_is_found_out_before_it_is_kept(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("one")
        state = runner.engine._machine.state
        live = state.executions[ExecutionId(ref.execution_id)]
        event = events.ExecutionPaused(at=1.0, request_id="", reason="never happened")
        state.apply(events.Entry(live.id, live.sequence + 1, event))
        await runner.engine.checkpoint()
        assert (await described(runner, ref)).state == RUNNING, "it was built anew"
    assert (await store.checkpointed()).position == 0


# ---------------------------------------------------------------- quarantine


@pytest.fixture
def timer_throws(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of plans. When a retry of one of their executions is due, the look at it throws."""
    plans: list[str] = []
    due = Deadlines.due

    def thrown(self: Deadlines, at: float) -> Any:
        for about, key in due(self, at):
            if about is Due.RETRY and isinstance(key, tuple) and key[0].map.plan_id in plans:
                yield about, (key[0], "no task")
            else:
                yield about, key

    monkeypatch.setattr(Deadlines, "due", thrown)
    return plans


async def fail_once(runner: Running) -> None:
    """Has an executor fail the first task it gets. The retry is due soon."""
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        held = await worker.assigned()
        await worker.say(failure=failure(held.lease_id))
        await worker.hear("ack")


async def state_of(runner: Running, ref: runner_pb2.ExecutionRef, wanted: int) -> execution_pb2.Execution:
    """Returns the execution once it is in a state. A question in the turn of a bug is asked again."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                if (found := await described(runner, ref)).state == wanted:
                    return found
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise


@pytest.mark.guard(name="an execution that throws as time passes is quarantined")
async def test_an_execution_that_throws_as_time_passes_is_quarantined_and_the_others_go_on(
    tmp_path: Path, timer_throws: list[str]
) -> None:
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("one")
        timer_throws.append("one")
        await fail_once(runner)
        other = await runner.start("two")
        found = await state_of(runner, ref, QUARANTINED)
        assert "it met a bug (TypeError" in found.reason
        await work_off(runner, other)
        shown = {family.name: family for family in metrics_of(await runner.engine.ask(figures_of))}
        states = {sample.labels["state"]: sample.value for sample in shown["signoff_executions"].samples}
        assert (states["quarantined"], states["succeeded"]) == (1, 1)
        with refused("EXECUTION_QUARANTINED", grpc.StatusCode.FAILED_PRECONDITION):
            await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
        timer_throws.clear()
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref))
        assert (await described(runner, ref)).state == RUNNING
        await work_off(runner, ref)


async def test_a_watch_of_a_quarantined_execution_shows_it_and_ends(tmp_path: Path, timer_throws: list[str]) -> None:
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("one")
        timer_throws.append("one")
        await fail_once(runner)
        await state_of(runner, ref, QUARANTINED)
        for request in (
            runner_pb2.WatchExecutionRequest(ref=ref, follow=True),
            runner_pb2.WatchExecutionRequest(ref=ref, follow=True, after_sequence=0),
        ):
            async with asyncio.timeout(WITHIN):
                answers = [answer async for answer in runner.stub.WatchExecution(request)]
            shown = [answer.snapshot.execution.state for answer in answers if answer.HasField("snapshot")]
            assert shown == ([] if request.HasField("after_sequence") else [QUARANTINED])


@pytest.mark.guard(name="two workers and a bug")
async def test_an_execution_that_throws_through_two_workers_is_quarantined_and_not_through_one(
    tmp_path: Path, trouble: Trouble
) -> None:
    trouble.at(signals.CandidateMade, lambda signal: signal.content.size == len("bad"))
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as worker:
            held = await worker.assigned()
            with refused("BUG", grpc.StatusCode.INTERNAL):
                await worker.make(held, "bad")
        async with raw_worker(runner, EXECUTOR, "w1", held=[held.lease_id]) as worker:
            await worker.hear("keep")
            assert (await described(runner, ref)).state == RUNNING
            await worker.say(credit=worker_pb2.Credit(window=0))
            await worker.say(abandon=worker_pb2.Abandon(lease_id=held.lease_id))
            async with raw_worker(runner, EXECUTOR, "w2") as second:
                other = await second.assigned()
                with refused("BUG", grpc.StatusCode.INTERNAL):
                    await second.make(other, "bad")
        found = await state_of(runner, ref, QUARANTINED)
        assert "messages of w1, w2 about it met a bug" in found.reason


class Unreadable(MemoryStore):
    """The reference store, whose rows can be spoilt."""

    def spoil(self, journal: str, sequence: int) -> None:
        row = Row(journal, sequence, b"\xff\xff no event")
        self._journals[journal][sequence - 1] = row
        self._rows = [row if (old.journal, old.sequence) == (journal, sequence) else old for old in self._rows]

    def mend(self, row: Row) -> None:
        self._journals[row.journal][row.sequence - 1] = row
        self._rows = [row if (old.journal, old.sequence) == (row.journal, row.sequence) else old for old in self._rows]


@asynccontextmanager
async def spoilt(
    folder: Path, sequence: int, *, is_listed: bool = True
) -> AsyncIterator[tuple[Running, Unreadable, Mapping[str, Any]]]:
    """A runner that was started on a journal of which one event cannot be read; `is_listed`: the index knows it."""
    store = Unreadable()
    async with running(PLANS, folder, store=store) as runner:
        bad = await runner.start("two", "r1")
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=bad, request_id="r2"))
        good = await runner.start("one")
    was = (await store.read(bad.execution_id, 0, 100))[sequence - 1]
    store.spoil(bad.execution_id, sequence)
    if not is_listed:
        del store._listed[bad.execution_id]
    async with running(PLANS, folder, store=store) as runner:
        yield runner, store, {"bad": bad, "good": good, "was": was}


@pytest.mark.parametrize("sequence", [pytest.param(1, marks=pytest.mark.guard(name="the index tells the plan")), 2, 3])
@pytest.mark.guard(name="an execution that cannot be replayed is quarantined")
async def test_an_execution_whose_journal_cannot_be_read_is_quarantined_and_the_others_go_on(
    tmp_path: Path, sequence: int
) -> None:
    async with spoilt(tmp_path, sequence) as (runner, store, known):
        found = await described(runner, known["bad"])
        assert (found.state, found.plan_id) == (QUARANTINED, "two")
        assert found.created_at.seconds > 0
        assert "its journal could not be read" in found.reason
        await work_off(runner, known["good"])
        with refused("EXECUTION_QUARANTINED", grpc.StatusCode.FAILED_PRECONDITION):
            await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=known["bad"]))
        listed = await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())
        assert len(listed.executions) == 2
        store.mend(known["was"])
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=known["bad"]))
        await work_off(runner, known["bad"])


@pytest.mark.guard(name="the journal alone names the plan")
@pytest.mark.guard(name="a plan that was unreadable gets its execution back")
async def test_an_execution_that_did_not_even_show_its_plan_is_found_by_it_when_it_can_be_read_again(
    tmp_path: Path,
) -> None:
    async with spoilt(tmp_path, 1, is_listed=False) as (runner, store, known):
        assert (await described(runner, known["bad"])).plan_id == ""
        await runner.engine.checkpoint()
        newer = await runner.start("two")
    store.mend(known["was"])
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, known["bad"])).state == execution_pb2.EXECUTION_STATE_PAUSED
        assert await runner.engine.ask(lambda state: state.created.of_plan) == {
            "two": [known["bad"].execution_id, newer.execution_id],
            "one": [known["good"].execution_id],
        }
        assert await runner.engine.ask(lambda state: state.created.newest["two"]) == newer.execution_id


@pytest.mark.guard(name="executions are kept in the order of their creation")
async def test_executions_stay_in_order_when_one_is_kept_late_because_of_a_quarantine(tmp_path: Path) -> None:
    async with spoilt(tmp_path, 2) as (runner, store, known):
        newer = await runner.start("two")
        store.mend(known["was"])
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=known["bad"]))
        await runner.engine.checkpoint()
        before = await runner.engine.ask(lambda state: [known.id for known in state.in_order()])
    assert before == [known["bad"].execution_id, known["good"].execution_id, newer.execution_id]
    async with running(PLANS, tmp_path, store=store) as runner:
        assert await runner.engine.ask(lambda state: [known.id for known in state.in_order()]) == before
        assert await runner.engine.ask(lambda state: state.created.newest["two"]) == newer.execution_id


@pytest.mark.guard(name="executions are kept in the order of their creation")
async def test_executions_stay_in_order_when_the_clock_is_set_back_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with spoilt(tmp_path, 2) as (runner, store, _):
        now = runner.engine.now
        monkeypatch.setattr(runner.engine, "now", lambda: now() - 3600)
        newer = await runner.start("two")
        await runner.engine.checkpoint()
    async with running(PLANS, tmp_path, store=store) as runner:
        assert await runner.engine.ask(lambda state: state.created.newest["two"]) == newer.execution_id


async def test_a_command_about_a_quarantined_execution_still_counts_once(tmp_path: Path) -> None:
    async with spoilt(tmp_path, 2) as (runner, _, known):
        assert await runner.start("two", "r1") == known["bad"], "the start that created it starts nothing new"
        known_ids = await runner.engine.ask(lambda state: set(state.requests))
        assert {"r1", "r2"} <= known_ids


@pytest.mark.guard(name="a repeated resume leaves the quarantine as it is")
async def test_a_resume_with_an_id_that_was_used_takes_nothing_out_of_quarantine(tmp_path: Path) -> None:
    store = Unreadable()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two", "r1")
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref, request_id="resumed"))
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref, request_id="paused"))
    was = (await store.read(ref.execution_id, 0, 100))[1]
    store.spoil(ref.execution_id, 2)
    async with running(PLANS, tmp_path, store=store) as runner:
        store.mend(was)
        for used in ("resumed", "paused"):
            again = runner_pb2.ResumeExecutionRequest(ref=ref, request_id=used)
            assert (await runner.stub.ResumeExecution(again)).execution.state == QUARANTINED
            assert await runner.engine.ask(lambda state: state.readmitted) == set()
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref, request_id="a new one"))
        await work_off(runner, ref)


@pytest.mark.guard(name="a repeated command is answered in quarantine too")
async def test_a_repeated_command_about_a_quarantined_execution_is_answered_and_a_new_one_is_refused(
    tmp_path: Path,
) -> None:
    async with spoilt(tmp_path, 2) as (runner, _, known):
        again = runner_pb2.PauseExecutionRequest(ref=known["bad"], request_id="r2")
        assert (await runner.stub.PauseExecution(again)).execution.state == QUARANTINED
        with refused("EXECUTION_QUARANTINED", grpc.StatusCode.FAILED_PRECONDITION):
            await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=known["bad"], request_id="new"))


@pytest.mark.guard(name="a command that cannot be replayed still counts once")
async def test_a_command_whose_own_event_throws_at_replay_still_counts_once(tmp_path: Path) -> None:
    store = Unreadable()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two", "r1")
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref, request_id="r2"))
    (*_, row) = await store.read(ref.execution_id, 0, 100)
    event = execution_pb2.Event.FromString(row.body)
    event.task_id = "of another plan"
    store.mend(Row(row.journal, row.sequence, event.SerializeToString()))
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, ref)).state == QUARANTINED
        assert {"r1", "r2"} <= await runner.engine.ask(lambda state: set(state.requests))
        with refused("EXECUTION_QUARANTINED", grpc.StatusCode.FAILED_PRECONDITION):
            await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref, request_id="r3"))
        assert (await described(runner, ref)).sequence == row.sequence


@pytest.mark.parametrize("sequence", [1, 2])
@pytest.mark.guard(name="quarantine outlives checkpoints")
async def test_a_quarantined_execution_is_not_lost_by_a_checkpoint_and_a_restart_tries_again(
    tmp_path: Path, sequence: int
) -> None:
    async with spoilt(tmp_path, sequence) as (runner, store, known):
        await runner.engine.checkpoint()
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, known["bad"])).state == QUARANTINED
        await runner.engine.checkpoint()
    store.mend(known["was"])
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, known["bad"])).state == execution_pb2.EXECUTION_STATE_PAUSED
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=known["bad"]))
        await work_off(runner, known["bad"])


async def test_a_checkpoint_that_cannot_be_read_costs_time_and_nothing_else(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("one")
        await runner.engine.checkpoint()
    store._executions = dict.fromkeys(store._executions, b"\xff\xff")
    async with running(PLANS, tmp_path, store=store) as runner:
        assert (await described(runner, ref)).state == RUNNING
        await work_off(runner, ref)


async def test_an_execution_whose_map_is_lost_is_quarantined_and_its_plan_can_be_started_anew(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref, other = await runner.start("two"), await runner.start("one")
    store._maps = {key: parts for key, parts in store._maps.items() if not key.startswith("two@")}
    async with running(PLANS, tmp_path, store=store) as runner:
        assert "in the store, but it is not there" in (await state_of(runner, ref, QUARANTINED)).reason
        await work_off(runner, other)
        with refused("NO_LAYOUT", grpc.StatusCode.FAILED_PRECONDITION):
            await runner.start("two")
        await work_off(runner, await runner.start("two"))


# ---------------------------------------------------------------- after the commit


class Broken:
    """An observer with a bug."""

    def __init__(self) -> None:
        self.is_broken = True

    def rebuilt(self, state: State) -> None:
        if self.is_broken:
            raise ZeroDivisionError

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        if self.is_broken:
            raise ZeroDivisionError

    def is_settled(self, plan_id: str) -> bool:
        return True


@pytest.mark.guard(name="a bug after the commit")
async def test_what_is_durable_is_answered_and_told_although_something_throws_after_the_commit(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        broken = Broken()
        runner.engine.observe(broken)
        ref = await runner.start("one")
        broken.is_broken = False
        assert (await described(runner, ref)).state == RUNNING
        await work_off(runner, ref)


# ---------------------------------------------------------------- who has to wait


def test_a_worker_whose_messages_meet_bugs_again_and_again_is_kept_away_for_longer_each_time() -> None:
    mishaps, at = Mishaps(), 1_000.0
    joined = signals.WorkerJoined(
        at=at, session=SessionId("s"), worker=WorkerName("rogue"), role=Role.EXECUTOR, slots=1
    )
    state = machine_module.Machine().state
    mishaps.fault_of(TurnFailed(joined, None), state, at)
    mishaps.check_welcome("rogue", at)
    for count, ban in ((2, 5.0), (3, 10.0), (4, 20.0)):
        mishaps.fault_of(TurnFailed(joined, None), state, at)
        with pytest.raises(Unavailable, match=f"{count} messages of rogue met a bug: come back in {ban:.0f} s"):
            mishaps.check_welcome("rogue", at)
        mishaps.check_welcome("rogue", at + ban)
        mishaps.check_welcome("another", at)


def test_bugs_that_come_one_after_the_other_and_nobody_caused_are_met_with_ever_longer_pauses() -> None:
    mishaps = Mishaps()
    pauses = []
    for _ in range(8):
        mishaps.unexplained(1_000.0)
        pauses.append(mishaps.pause(1_000.0))
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert mishaps.pause(1_000.0 + 121) == 0.0
