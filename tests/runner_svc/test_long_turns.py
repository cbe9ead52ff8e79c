"""The turns of the runner's loop over 20,000 tasks stay below ten times the promised length, on any machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.core.model import commands, signals
from runner_svc.core.model.map import NO_PARENT, Map
from runner_svc.core.model.pass_rules import Passed
from runner_svc.core.model.values import Content, ExecutionId, LeaseId, Outcome, Role, SessionId, WorkerName
from runner_svc.engine import Engine
from runner_svc.publish.feed import Feed
from runner_svc.services.hub import Hub
from runner_svc.services.watching import watch
from runner_svc.store.memory import MemoryStore
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.v1 import runner_pb2
from tests.support.longest_turn import longest_turns

TASKS = 20_000
GROSS = 0.5  # seconds of CPU: ten times what is promised
E1 = ExecutionId("e1")
EXECUTOR, VALIDATOR = SessionId("x"), SessionId("v")


def plan() -> Map:
    """All tasks wait for the first."""
    return Map(
        plan_id="plan",
        idea="",
        digest="d",
        task_ids=[f"t{n}" for n in range(TASKS)],
        group_ids=[],
        parents=[NO_PARENT] * TASKS,
        waits_for=[(), *[(0,)] * (TASKS - 1)],
        stages=[1, *[2] * (TASKS - 1)],
        reads=[()] * TASKS,
        makes=[""] * TASKS,
        specs=[b""] * TASKS,
    )


class Workers(Hub):
    """The hub, and two workers that do their work at once."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self.given: asyncio.Queue[commands.Assign] = asyncio.Queue()

    def perform(self, orders: Sequence[commands.Command]) -> None:
        for command in orders:
            if isinstance(command, commands.Assign):
                self.given.put_nowait(command)

    async def work(self, engine: Engine) -> None:
        while True:
            given = await self.given.get()
            await engine.report(done(given, engine.now()))


def done(given: commands.Assign, at: float) -> signals.Signal:
    if given.session == VALIDATOR:
        return signals.VerdictGiven(
            at=at, session=VALIDATOR, lease=given.lease, outcome=Outcome.PASS, passed=Passed(frozenset({1}))
        )
    content = Content(digest=f"of {given.task}", size=1, media_type="", maker="m")
    return signals.CandidateMade(at=at, session=EXECUTOR, lease=LeaseId(given.lease), content=content, body=b"x")


def joined(session: SessionId, role: Role, at: float) -> Iterator[signals.Signal]:
    worker = WorkerName(session)
    yield signals.WorkerJoined(
        at=at, session=session, worker=worker, role=role, slots=TASKS, held=frozenset(), makers=frozenset()
    )
    yield signals.CreditGranted(at=at, session=session, window=2**32 - 1)


async def snapshot(engine: Engine, store: MemoryStore, hub: Hub) -> int:
    """Returns the tasks of a snapshot."""
    request, seen = runner_pb2.WatchExecutionRequest(), 0
    async for answer in watch(engine, store, hub, E1, request, ConcurrencyLimit(1, "snapshots")):
        seen += len(runner_pb2.WatchExecutionResponse.FromString(answer).snapshot.tasks)
    return seen


async def counted(engine: Engine, status: int) -> None:
    """Returns when all tasks have a status."""
    while (await engine.ask(lambda state: state.execution(E1).counts[status])) < TASKS:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_no_turn_of_the_loop_is_long_however_many_tasks_begin_end_or_are_taken_back() -> None:
    store, feed = MemoryStore(), Feed()
    hub = Workers(feed)
    patient = StreamTimings(accept_deadline=3600.0)  # these workers accept nothing, and a busy machine takes its time
    engine = Engine(store, performer=hub, feed=feed, timings=patient)
    engine.observe(hub)
    layout = plan()
    layout.prepare()  # as the thread that reads it does
    await engine.open()
    tasks = [asyncio.create_task(engine.run()), asyncio.create_task(hub.work(engine))]
    with longest_turns() as turns:
        now = engine.now()
        await engine.submit(signals.SetLayout(at=now, request_id="", map=layout), lambda _: None)
        await engine.submit(signals.StartExecution(at=now, request_id="", execution=E1, plan_id=""), lambda _: None)
        await engine.report(*joined(EXECUTOR, Role.EXECUTOR, now), *joined(VALIDATOR, Role.VALIDATOR, now))
        await counted(engine, 4)
        assert await snapshot(engine, store, hub) == TASKS
        await engine.report(signals.WorkerLost(at=engine.now(), session=EXECUTOR, reason="it left", orderly=True))
        retry = signals.RetryTask(at=engine.now(), request_id="", execution=E1, task_id="t0")
        await engine.submit(retry, lambda _: None)
        await counted(engine, 1)
        assert await snapshot(engine, store, hub) == TASKS
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert turns.longest < GROSS, turns.story()
