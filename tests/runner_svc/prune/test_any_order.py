"""Executions are run, stopped, restarted and pruned in any order: what is left answers as if nothing had gone."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.runner_svc.prune.test_pruner import (
    ALL_OLD,
    PLANS,
    REFUSED,
    Ref,
    artifact,
    events,
    finished,
    gone,
    has,
    listed,
    prune,
    store_of,
)
from tests.runner_svc.services.test_runner_service import refused
from tests.support.draws import so_many
from tests.support.servers.runner import Running, running

STEPS = 14
TEXTS = ("one", "two", "three")
AT_REST = (pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_STOPPED)


@dataclass(slots=True)
class Known:
    """The answers of an execution."""

    tasks: runner_pb2.GetExecutionResponse
    events: list[pb.Event]
    artifacts: dict[str, str]

    @property
    def is_at_rest(self) -> bool:
        return self.tasks.execution.state in AT_REST


@dataclass(slots=True)
class Model:
    """The obvious: every execution by its id, in order, as it answered when it was last asked."""

    chance: random.Random
    known: dict[str, Known] = field(default_factory=dict)
    histories: set[str] = field(default_factory=set)  #: those that still have one

    async def ask(self, runner: Running, ref: Ref) -> None:
        self.known[ref.execution_id] = await asked(runner, ref, with_history=True)
        self.histories.add(ref.execution_id)

    async def do(self, runner: Running) -> None:
        step = self.chance.choice(["finish", "finish", "reuse", "stop", "pause", "resume", "prune", "prune", "prune"])
        if step == "prune":
            await self.prune(runner)
        elif step == "resume":
            await self.resume(runner)
        elif step == "finish":
            await self.ask(runner, await finished(runner, (self.chance.choice(TEXTS), self.chance.choice(TEXTS))))
        elif step == "reuse" and self.may_reuse:
            await self.ask(runner, await finished(runner, reuse=True))
        else:
            ref = await runner.start("other")
            if step == "stop":
                await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
            else:
                await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
            await self.ask(runner, ref)

    @property
    def may_reuse(self) -> bool:
        return any(known.artifacts for known in self.known.values())

    async def resume(self, runner: Running) -> None:
        """Resumes a stopped execution, and stops it again."""
        for name in [name for name, known in self.known.items() if known.tasks.execution.plan_id == "other"][:1]:
            ref = Ref(execution_id=name)
            resume, stop = runner_pb2.ResumeExecutionRequest(ref=ref), runner_pb2.StopExecutionRequest(ref=ref)
            if name not in self.histories:
                with refused("EXECUTION_PRUNED", REFUSED):
                    await runner.stub.ResumeExecution(resume)
                continue
            await runner.stub.ResumeExecution(resume)
            await runner.stub.StopExecution(stop)
            await self.ask(runner, ref)

    async def prune(self, runner: Running) -> None:
        keep_last, keeps = self.chance.randrange(3), self.chance.random() < 0.5
        chosen = self.chosen(keep_last, keeps)
        told = await prune(runner, keep_last=keep_last, keep_artifacts=keeps, dry_run=True)
        done = await prune(runner, keep_last=keep_last, keep_artifacts=keeps)
        assert (told, done.executions) == (done, len(chosen))
        self.histories -= {*chosen}
        for name in chosen if not keeps else ():
            del self.known[name]
            await gone(runner, Ref(execution_id=name))

    def chosen(self, keep_last: int, keeps: bool) -> list[str]:
        chosen = []
        for plan_id in ("two", "other"):
            names = [name for name, known in self.known.items() if known.tasks.execution.plan_id == plan_id]
            old = names[: max(0, len(names) - keep_last)]
            chosen += [name for name in old if self.known[name].is_at_rest and (not keeps or name in self.histories)]
        return chosen

    async def check(self, runner: Running) -> None:
        assert await listed(runner) == [*reversed(self.known)]
        for name, known in self.known.items():
            found = await asked(runner, Ref(execution_id=name), with_history=name in self.histories)
            assert found.tasks.execution.HasField("pruned_at") == (name not in self.histories)
            found.tasks.execution.ClearField("pruned_at")
            assert (found.tasks, found.artifacts) == (known.tasks, known.artifacts)
            assert found.events == (known.events if name in self.histories else [])
        needed = {text for known in self.known.values() for text in known.artifacts.values()}
        assert {text for text in TEXTS if await has(store_of(runner), text)} >= needed


async def asked(runner: Running, ref: Ref, *, with_history: bool) -> Known:
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
    tasks = await runner.stub.GetExecution(request)
    tasks.ClearField("output_files")  # they are those of the newest execution that is left
    done = [task.task_id for task in tasks.tasks if task.status == pb.TASK_STATUS_DONE]
    artifacts = {task_id: await artifact(runner, ref, task_id) for task_id in done}
    return Known(tasks, await events(runner, ref) if with_history else [], artifacts)


@asynccontextmanager
async def started(folder: Path, store: Store, every: int) -> AsyncIterator[Running]:
    async with running(PLANS, folder / "db", store=store, prune_grace=ALL_OLD, checkpoint_every=every) as runner:
        yield runner


@pytest.mark.parametrize("seed", range(so_many(4, long=60)))
async def test_after_any_history_with_prunes_what_is_left_answers_as_ever(seed: int, tmp_path: Path) -> None:
    model = Model(random.Random(seed))
    memory = MemoryStore()
    for _ in range(4):  # starts of the runner
        store = memory if seed % 2 else SqliteStore(tmp_path / "journal.db")
        async with started(tmp_path, store, model.chance.choice([1, 7, 5_000])) as runner:
            for _ in range(STEPS // 4):
                await model.do(runner)
                await model.check(runner)
