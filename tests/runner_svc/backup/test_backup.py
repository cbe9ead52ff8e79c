"""A backup fills a store of any kind, which then answers as the one did that was backed up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from runner_svc.backup.filling import Filling, check_empty
from runner_svc.contents import Contents
from runner_svc.core.model.values import RUNNER
from runner_svc.objects.port import Objects
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Row, Store
from runner_svc.store.postgres import PostgresStore
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import ConfigurationError
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
    get,
    gone,
    prune,
    read_only,
    whole,
)
from tests.runner_svc.services.test_runner_service import refused
from tests.runner_svc.test_engine_bugs import Unreadable
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

Part = runner_pb2.BackUpResponse


async def backed_up(runner: Running) -> list[Part]:
    return [part async for part in runner.stub.BackUp(runner_pb2.BackUpRequest())]


async def given(parts: Sequence[Part]) -> AsyncIterator[Part]:
    for part in parts:
        yield part


async def filled(store: Store, parts: Sequence[Part], objects: Objects | None = None) -> runner_pb2.BackedUpEnd:
    await store.open()
    await check_empty(store)
    end = await Filling(store, Contents(store, objects)).fill(given(parts))
    await store.close()
    return end


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes the store to restore into; called again, it has everything that it had."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "new" / "journal.db")
    if request.param == "postgres":
        address: str = request.getfixturevalue("dsn")
        return lambda: PostgresStore(address)
    memory = MemoryStore()
    return lambda: memory


async def test_a_restored_store_answers_as_the_one_did_and_its_work_goes_on(
    tmp_path: Path, new: Callable[[], Store]
) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    async with running(PLANS, tmp_path / "db", store=store, prune_grace=ALL_OLD, checkpoint_every=7) as runner:
        pruned = await finished(runner, ("1a", "1b"))
        before = await get(runner, pruned)
        await prune(runner, keep_artifacts=True)
        ended = await finished(runner, ("2a", "2b"))
        ref = await runner.start("two", "a request")
        async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
            await executor.make(await executor.assigned(), "3a")
            await validator.judge(await validator.assigned())
            held = await executor.assigned()
            journal = await events(runner, ref)
            parts = await backed_up(runner)
            await executor.make(held, "after the backup")
    end = await filled(new(), parts)
    assert (end.executions, end.maps) == (1, 1)
    async with running(PlannerOfTexts(), tmp_path / "again", store=new(), prune_grace=ALL_OLD) as runner:
        await read_only(runner, pruned, before, ("1a", "1b"))
        await whole(runner, ended, ("2a", "2b"))
        assert await events(runner, ref) == journal
        assert await runner.start("two", "a request") == ref
        async with (
            raw_worker(runner, EXECUTOR, "w", held=[held.lease_id]) as executor,
            raw_worker(runner, VALIDATOR, "v") as validator,
        ):
            await executor.hear("keep")
            await executor.make(held, "3b")
            await validator.judge(await validator.assigned())
        await whole(runner, ref, ("3a", "3b"))
        assert (await prune(runner, keep_last=1)).executions == 2
        await gone(runner, pruned)
        await whole(runner, ref, ("3a", "3b"))


async def test_a_backup_is_of_one_moment_while_work_goes_on(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path / "db", store=SqliteStore(tmp_path / "journal.db")) as runner:
        await finished(runner)
        working = asyncio.create_task(_work(runner))
        backups = [await backed_up(runner) for _ in range(5)]
        await working
    for number, parts in enumerate(backups):
        store = MemoryStore()
        await filled(store, parts)
        async with running(PLANS, tmp_path / str(number), store=store) as runner:
            assert not await runner.engine.ask(lambda state: state.quarantined)
            for execution in (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions:
                ref = Ref(execution_id=execution.execution_id)
                request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
                for task in (await runner.stub.GetExecution(request)).tasks:
                    assert task.status != pb.TASK_STATUS_DONE or await artifact(runner, ref, task.task_id)


async def _work(runner: Running) -> None:
    for number in range(6):
        await finished(runner, (f"{number}a", f"{number}b"))


class HoldingStore(MemoryStore):
    """Waits in the middle of a backup, before its contents."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def sizes(self, after: str, limit: int, older_than: float) -> Sequence[tuple[str, int]]:
        if not self.reads.is_set():
            self.reads.set()
            await self.goes_on.wait()
        return await super().sizes(after, limit, older_than)


@pytest.mark.guard(name="one prune or backup at a time")
async def test_no_prune_takes_away_what_a_backup_is_about_to_read(tmp_path: Path) -> None:
    store = HoldingStore()
    async with running(PLANS, tmp_path, store=store, prune_grace=ALL_OLD) as runner:
        ref = await finished(runner)
        backing = asyncio.create_task(backed_up(runner))
        async with asyncio.timeout(10):
            await store.reads.wait()
        with refused("STORE_BUSY", REFUSED):
            await prune(runner)
        store.goes_on.set()
        assert (await backing)[-1].end.contents == 2
        await prune(runner)
        await gone(runner, ref)


async def test_a_backup_of_a_damaged_journal_costs_what_the_journal_does(tmp_path: Path) -> None:
    store, new = Unreadable(), MemoryStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        bad, good = await finished(runner), await finished(runner)
    store.spoil(bad.execution_id, 2)
    store.spoil(RUNNER, 1)
    async with running(PLANS, tmp_path, store=store) as runner:
        await filled(new, await backed_up(runner))
    async with running(PLANS, tmp_path / "again", store=new) as runner:
        assert (await get(runner, bad)).state == pb.EXECUTION_STATE_QUARANTINED
        await whole(runner, good, ("of a", "of b"))


async def parts_of_one(tmp_path: Path) -> list[Part]:
    async with running(PLANS, tmp_path) as runner:
        await finished(runner)
        return await backed_up(runner)


async def test_a_backup_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    parts = await parts_of_one(tmp_path)
    damaged = [Part.FromString(part.SerializeToString()) for part in parts]
    next(part for part in damaged if part.HasField("content")).content.piece = b"others"
    for wrong, why in (
        (parts[:-1], "no end"),
        ([part for part in parts if not part.HasField("map_part")], "0 maps"),
        ([part for part in parts if not part.HasField("content")], "0 contents"),
        (damaged, "damaged"),
        ([Part(), *parts], "upgrade signoff"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            await filled(MemoryStore(), wrong)


async def test_only_an_empty_store_is_restored_into(tmp_path: Path) -> None:
    store = MemoryStore()
    await store.append([Row("a", 1, b"x")], {})
    with pytest.raises(ConfigurationError, match="expected an empty store"):
        await filled(store, await parts_of_one(tmp_path))
