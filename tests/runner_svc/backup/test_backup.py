"""A backup fills a store of any kind, which then answers as the one did that was backed up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from runner_svc.backup.export import parts_of
from runner_svc.backup.filling import Filling, check_empty
from runner_svc.contents import LARGE_BYTES, Contents
from runner_svc.objects.folder import FolderObjects
from runner_svc.objects.port import Objects
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Checkpoint, InObjects, Row, Store
from runner_svc.store.postgres import PostgresStore
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import ConfigurationError, StorageFailed
from signoff.rpc.backed_up import tells_of_loss
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.v1 import checkpoint_pb2, runner_pb2
from signoff.v1 import execution_pb2 as pb
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


async def test_a_damaged_row_is_backed_up_as_it_is_and_costs_its_execution_alone(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path / "db", store=store) as runner:
        damaged, sound = await finished(runner), await finished(runner)
        at = next(at for at, row in enumerate(store._rows) if (row.journal, row.sequence) == (damaged.execution_id, 3))
        store._rows[at] = Row(damaged.execution_id, 3, b"")
        parts = await backed_up(runner)
    restored = MemoryStore()
    await filled(restored, parts)
    async with running(PlannerOfTexts(), tmp_path / "again", store=restored) as runner:
        assert (await get(runner, damaged)).state == pb.EXECUTION_STATE_QUARANTINED
        assert (await get(runner, sound)).state == pb.EXECUTION_STATE_SUCCEEDED


@pytest.mark.guard(name="a row that no message holds is cut")
@pytest.mark.guard(name="pieces of a row are put together")
async def test_rows_that_no_message_holds_come_in_pieces_and_are_whole_again(new: Callable[[], Store]) -> None:
    store, large = MemoryStore(), bytes(MAX_FRAME_BYTES)
    head = pb.Execution(execution_id="old", idea="i" * len(large))
    head.pruned_at.seconds = 1
    body = checkpoint_pb2.ExecutionCheckpoint(execution=head).SerializeToString()
    tasks = [("old", number, bytes([number]) * size) for number, size in enumerate((1, 2 * MAX_FRAME_BYTES, 0, 1))]
    await store.checkpoint(Checkpoint(runner=b"", executions=[("old", body)], tasks=tasks))
    rows = [Row("a", 1, b"x"), Row("a", 2, large * 2 + b"2"), Row("a", 3, large + b"3"), Row("", 1, b"y")]
    await store.append(rows, {})
    parts = [part async for part in parts_of(store, Contents(store), len(rows))]
    assert max(part.ByteSize() for part in parts) < MAX_FRAME_BYTES
    end = await filled(new(), parts)
    assert (end.events, end.executions) == (4, 1)
    again = new()
    await again.open()
    assert [*(await again.everything(0, 10))[0]] == rows
    assert [*(await again.checkpointed()).executions] == [body]
    assert [("old", *task) for task in await again.checkpointed_tasks("old")] == tasks
    await again.close()


async def test_only_an_empty_store_is_restored_into(tmp_path: Path) -> None:
    store = MemoryStore()
    await store.append([Row("a", 1, b"x")], {})
    with pytest.raises(ConfigurationError, match="expected an empty store"):
        await filled(store, await parts_of_one(tmp_path))


# ---------------------------------------------------------------- contents that are lost

SMALL, LARGE = b"small", b"x" * (2 * LARGE_BYTES)


def digest_of(body: bytes) -> str:
    return sha256(body).hexdigest()


async def backed_up_contents(store: MemoryStore, objects: FolderObjects) -> list[Part]:
    return [part async for part in parts_of(store, Contents(store, objects), 0)]


MADE = pytest.mark.guard(name="a lost content keeps no backup from being made")
HALF = pytest.mark.guard(name="half a damaged content is in no backup")
RESTORED = pytest.mark.guard(name="a content that was lost before is restored as lost")


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(SMALL, marks=[MADE, RESTORED]),
        pytest.param(LARGE, marks=[MADE, HALF, RESTORED]),
        pytest.param("object", marks=[MADE, RESTORED]),
    ],
    ids=["small", "large", "object"],
)
async def test_a_lost_or_damaged_content_is_named_and_all_else_is_backed_up_and_restored(
    lost: bytes | str, tmp_path: Path
) -> None:
    bodies = [SMALL, LARGE, b"another", b"y" * len(LARGE), b""]
    store, objects = MemoryStore(), FolderObjects(tmp_path / "objects")
    await objects.open()
    for body in bodies:
        await Contents(store, objects).put(digest_of(body), body)
    gone = digest_of(LARGE if isinstance(lost, str) else lost)
    file = tmp_path / "objects" / gone[:2] / gone
    if lost == "object":
        file.unlink()
    elif lost == LARGE:
        file.write_bytes(LARGE[:-1] + b"z")
    else:
        store._contents[gone] = b"others"
    parts = await backed_up_contents(store, objects)
    last_of = {part.content.digest: part.content for part in parts if part.HasField("content")}
    assert [digest for digest, content in last_of.items() if tells_of_loss(content)] == [gone]
    restored, into = MemoryStore(), FolderObjects(tmp_path / "into")
    await into.open()
    end = await filled(restored, parts, into)
    assert end.contents == len(bodies) - 1
    for body in bodies:
        if digest_of(body) != gone:
            assert await Contents(restored, into).get(digest_of(body)) == body
        else:
            with pytest.raises(StorageFailed, match="it is not there"):
                await Contents(restored, into).get(gone)


async def test_an_empty_content_is_never_lost(tmp_path: Path) -> None:
    store, objects = MemoryStore(), FolderObjects(tmp_path)
    await store.put_content(digest_of(b""), b"")
    for body in (b"", b"others"):
        store._contents[digest_of(b"")] = body
        parts = await backed_up_contents(store, objects)
        restored = MemoryStore()
        assert (await filled(restored, parts)).contents == 1
        assert await restored.content(digest_of(b"")) == b""


async def test_while_the_store_is_away_there_is_no_backup(tmp_path: Path) -> None:
    class Away(MemoryStore):
        async def content(self, digest: str) -> bytes | InObjects | None:
            raise StorageFailed("the disk does not answer")

    store, objects = Away(), FolderObjects(tmp_path)
    await store.put_content(digest_of(SMALL), SMALL)
    with pytest.raises(StorageFailed, match="does not answer"):
        await backed_up_contents(store, objects)
