"""Prunes of real runners over real stores: beside work, after kill -9, and what is answered afterwards."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from runner_svc.store.port import Row, Store
from runner_svc.store.postgres import PostgresStore
from runner_svc.store.sqlite import SqliteStore
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.errors import ExecutionNotFound, Unavailable
from signoff.v1 import execution_pb2 as pb
from tests.support.draws import so_many
from tests.support.processes.cluster import Cluster, Shape
from tests.support.processes.commands import EXAMPLES, ProcessResult, in_turn, signoff
from tests.support.processes.shared_services import services_in
from tests.support.servers.service import Service
from tests.support.values.plans import random_plan

RELEASE_NOTES = EXAMPLES / "release_notes" / "plan.json"
COPIES = 130  # more than go in one transaction
NOW, PATIENCE = timedelta(0), timedelta(seconds=30)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def store_address(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("dsn")) if request.param == "postgres" else ""


# ---------------------------------------------------------------- by the command line


async def test_after_a_prune_every_question_about_what_was_kept_is_answered(tmp_path: Path) -> None:
    async with services_in(tmp_path):
        for _ in range(2):
            ended = await signoff("run", RELEASE_NOTES, "--model", "mock", "--fresh", cwd=tmp_path)
            assert ended.code == 0, ended.err
        newest, *older = [found["execution_id"] for found in await executions(tmp_path)]
        pruned = await signoff("prune", "--older-than", "0s", "--keep-last", "1", "--yes", "--json", cwd=tmp_path)
        assert pruned.code == 0, pruned.err
        assert json.loads(pruned.out)["executions"] == 1
        assert [found["execution_id"] for found in await executions(tmp_path)] == [newest]
        of_task = [(command, "1_1") for command in ("story", "artifact", "candidate", "prompt")]
        for asked in await answers(newest, ("status",), ("why",), ("cost",), ("watch",), *of_task, cwd=tmp_path):
            assert asked.code == 0, asked.err
        for gone in older:
            (asked,) = await answers(gone, ("status",), cwd=tmp_path)
            assert asked.code == 2
        assert (tmp_path / "db" / "release_notes" / "1_1" / "output.json").is_file()
        again = await signoff("run", RELEASE_NOTES, "--model", "mock", "--new", cwd=tmp_path)
        assert again.code == 0, again.err
        assert "kept" in again.out
        pruned = await signoff("prune", "--older-than", "0s", "--keep-artifacts", "--yes", cwd=tmp_path)
        assert pruned.code == 0, pruned.err
        for asked in await answers(newest, ("status",), ("why",), ("watch",), ("artifact", "1_1"), cwd=tmp_path):
            assert asked.code == 0, asked.err
        of_history = (("cost",), ("story", "1_1"), ("candidate", "1_1"), ("prompt", "1_1"), ("retry", "1_1"))
        for asked in await answers(newest, *of_history, cwd=tmp_path):
            assert asked.code == 2, asked.out
            assert "was pruned to its artifacts" in asked.err


async def executions(folder: Path) -> list[dict[str, str]]:
    asked = await signoff("status", "--json", cwd=folder)
    assert asked.code == 0, asked.err
    return [json.loads(line) for line in asked.out.splitlines()]


async def answers(name: str, *questions: tuple[str, ...], cwd: Path) -> list[ProcessResult]:
    """Asks questions about an execution."""
    return await in_turn(*((command, name, *rest) for command, *rest in questions), cwd=cwd)


# ---------------------------------------------------------------- beside work


@pytest.mark.long
async def test_executions_go_on_and_are_watched_while_older_ones_are_pruned(tmp_path: Path, store_address: str) -> None:
    chance = random.Random(1)
    shape = Shape(folder=tmp_path, executors=2, validators=2, store=store_address)
    async with Cluster(shape) as cluster:
        first = await cluster.start(random_plan(chance, "first"))
        await cluster.ended()
        second = await cluster.start(random_plan(chance, "second", size=8))
        [*_, last] = [sums async for sums in cluster.client.prune(NOW)]
        assert last.executions >= 1
        assert last.done
        await cluster.ended()
        with pytest.raises(ExecutionNotFound):
            await cluster.client.get(by_execution(first.execution_id))
        with suppress(ExecutionNotFound):  # a plan that is small may have ended before the prune
            assert (await cluster.client.get(by_execution(second.execution_id))).state == pb.EXECUTION_STATE_SUCCEEDED


# ---------------------------------------------------------------- kill -9


def store_at(folder: Path, dsn: str) -> Store:
    return PostgresStore(dsn, lease=1.0) if dsn else SqliteStore(folder / "db" / ".signoff" / "journal.db")


@asynccontextmanager
async def opened(folder: Path, dsn: str) -> AsyncIterator[Store]:
    store = store_at(folder, dsn)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.parametrize("seed", range(so_many(1, long=5)))
async def test_a_runner_killed_in_the_middle_of_prunes_has_each_execution_whole_or_not_at_all(
    seed: int, tmp_path: Path, store_address: str
) -> None:
    chance = random.Random(seed)
    await prepare(tmp_path, store_address)
    runner = Service(name="runner", module="runner_svc", flags=("--data-dir", str(tmp_path / "db")), folder=tmp_path)
    runner.listens = True
    runner.variables = {"SIGNOFF_RUNNER_STORE": store_address or "sqlite", "SIGNOFF_RUNNER_STORE_LEASE": "1"}
    left = COPIES + 1
    try:
        for keeps in (True, False, False, False):
            await runner.start()
            async with Client(runner=runner.address, patience=PATIENCE) as client:
                left = await all_are_whole(client, left)
                steps = client.prune(NOW, keep_last=3, keep_artifacts=keeps)
                with suppress(Unavailable):
                    for _ in range(chance.randrange(1, 5)):
                        await anext(steps, None)
                await runner.kill()
        await runner.start()
        async with Client(runner=runner.address, patience=PATIENCE) as client:
            await all_are_whole(client, left)
            await pruned(client, keep_last=3)
            assert await all_are_whole(client, left) == 3
        assert await runner.terminate() == 0
    finally:
        await runner.kill()
    async with opened(tmp_path, store_address) as store:
        assert (await store.purge(1)).is_done
        rows, _ = await store.everything(0, 100_000)
        assert len({row.journal for row in rows if row.journal}) == 3


async def prepare(folder: Path, store_address: str) -> None:
    """Runs a plan once, and copies its execution many times."""
    async with Cluster(Shape(folder=folder, executors=1, validators=1, store=store_address)) as cluster:
        await cluster.start(random_plan(random.Random(1), "plan"))
        await cluster.ended()
        assert await cluster["runner"].terminate() == 0
    async with opened(folder, store_address) as store:
        rows, _ = await store.everything(0, 10_000)
        journal = [row for row in rows if row.journal]
        for number in range(COPIES):
            await store.append([Row(f"copy{number}", row.sequence, row.body) for row in journal], {})
        await store.list_anew([], is_whole=False)  # the runner writes it with the copies


async def pruned(client: Client, *, keep_last: int, keep_artifacts: bool = False) -> None:
    async for _ in client.prune(NOW, keep_last=keep_last, keep_artifacts=keep_artifacts):
        pass


async def all_are_whole(client: Client, at_most: int) -> int:
    """Checks that every execution has all its events, or none because it was pruned to its artifacts."""
    found = await client.list(at_most=at_most + 1)
    assert 3 <= len(found) <= at_most
    for execution in found:
        assert execution.state == pb.EXECUTION_STATE_SUCCEEDED
        ref = by_execution(execution.execution_id)
        if not execution.HasField("pruned_at"):
            events = [each async for each in client.watch(ref, after=0) if isinstance(each, pb.Event)]
            assert [event.sequence for event in events] == [*range(1, execution.sequence + 1)]
    for execution in (found[0], found[-1]):
        ref = by_execution(execution.execution_id)
        for task in await client.tasks(ref):
            assert (await client.artifact(ref, task.task_id)).info.digest == task.artifact.digest
    return len(found)
