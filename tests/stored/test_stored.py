"""Data of earlier versions opens, reads as it did then, and goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner_svc.compiler import Compiled, compile_plan
from planner_svc.layout.layout import lay_out
from planner_svc.store import PlanStore, read_parts
from runner_svc.codec.maps import map_from_parts
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.files.data_directory import JOURNAL
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2, worker_pb2
from tests.runner_svc.backup.test_backup import backed_up, filled
from tests.runner_svc.prune.test_pruner import ALL_OLD, prune
from tests.stored.answers import Json, answers_of, events_of
from tests.stored.crew import EXECUTE, VALIDATE, Crew
from tests.stored.make import made
from tests.stored.messages import candidate, candidate_of, verdict
from tests.stored.opened import (
    DATABASES,
    FINAL,
    FOLDERS,
    HEALTHY,
    POISONED,
    Laid,
    Stored,
    differences,
    finish,
    objects_of,
    opened,
    repeat,
    start,
    tasks_of,
)
from tests.stored.postgres import store_at
from tests.stored.shop import UNNAMED
from tests.support.servers.runner import Running


def test_there_is_something_stored_in_every_form() -> None:
    assert HEALTHY
    assert POISONED
    assert DATABASES


def test_what_is_stored_of_a_version_stays_small() -> None:
    for folder in {one.archive.parent for one in FOLDERS}:
        assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000


async def test_stored_data_says_what_its_version_said(laid: Laid) -> None:
    async with laid.opened() as runner:
        await says_the_same(laid.stored, runner)


@pytest.fixture(params=["sqlite", "postgres"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes the store to restore into; called again, it has everything that it had."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "new" / JOURNAL)
    dsn: str = request.getfixturevalue("own_dsn")
    return lambda: store_at(dsn)


async def test_a_backup_of_stored_data_says_the_same_in_either_kind_of_store(
    laid: Laid, new: Callable[[], Store], tmp_path: Path
) -> None:
    async with laid.opened() as runner:
        parts = await backed_up(runner)
    objects = await objects_of(new(), tmp_path / "new")
    await filled(new(), parts, objects)
    async with opened(laid.stored, new(), tmp_path / "new") as runner:
        await says_the_same(laid.stored, runner)


async def says_the_same(stored: Stored, runner: Running) -> None:
    """A repetition of every command under its request id changes nothing."""
    assert list(differences(relevant(stored.answers), await answers_of(runner.channel))) == []
    for asked in stored.answers["requests"]:
        assert await repeat(runner, asked) == asked["execution"]
    assert list(differences(relevant(stored.answers), await answers_of(runner.channel))) == []


def relevant(answers: Json) -> Json:
    return {key: answers[key] for key in ("executions", "canaries", "needs") if key in answers}


async def test_stored_data_goes_on(laid: Laid) -> None:
    """Unfinished executions succeed, all others stay, new work is done, and a restart shows all of it."""
    stored = laid.stored
    async with laid.opened() as runner:
        async with Crew(runner.channel).at_work():
            for execution in stored.unfinished:
                await finish(runner, execution)
            for plan_id in stored.plans:
                await finish(runner, await start(runner, stored, plan_id))
        left = await answers_of(runner.channel)
    async with laid.opened() as runner:
        now = await answers_of(runner.channel)
    assert list(differences(left["executions"], now["executions"])) == []
    by_id = {one["execution"]["executionId"]: one for one in now["executions"]}
    for one in stored.answers["executions"]:
        if (execution := one["execution"]["executionId"]) not in stored.unfinished:
            assert list(differences(one, by_id[execution])) == []


async def test_what_an_earlier_version_has_signed_off_is_kept(laid: Laid) -> None:
    """Workers come last: they would finish other executions, and newer results are kept before older ones."""
    stored = laid.stored
    overviews = [one["execution"] for one in stored.answers["executions"]]
    succeeded = sorted({each["planId"] for each in overviews if each["state"] == FINAL[0]})
    assert succeeded
    async with laid.opened() as runner:
        told = {
            plan_id: await runner.stub.PreviewExecution(
                runner_pb2.PreviewExecutionRequest(plan_id=plan_id, inputs=stored.inputs(plan_id))
            )
            for plan_id in succeeded
        }
        assert all(preview.kept for preview in told.values())
        whole = [plan_id for plan_id, preview in told.items() if not preview.to_make]
        assert whole
        executions = [await start(runner, stored, plan_id, reuse=True) for plan_id in whole]
        async with Crew(runner.channel).at_work():
            for execution in executions:
                await finish(runner, execution)
        for execution in executions:
            found = await tasks_of(runner, execution)
            assert all(task.artifact.HasField("kept_from") for task in found.tasks)
            assert not found.execution.usage


async def test_a_prune_of_stored_data_takes_nothing_that_the_rest_refers_to(laid: Laid) -> None:
    """Newest executions stay; they keep results of those that go."""
    async with laid.opened(prune_grace=ALL_OLD) as runner:
        assert (await prune(runner, keep_last=1)).contents
        now = {one["execution"]["executionId"]: one for one in (await answers_of(runner.channel))["executions"]}
        before = {one["execution"]["executionId"]: one for one in laid.stored.answers["executions"]}
        assert {*laid.stored.unfinished} <= now.keys() < before.keys()
        for execution, told in now.items():
            assert list(differences(before[execution], told)) == []


async def test_workers_come_back_to_the_leases_that_stored_data_has_out(laid: Laid) -> None:
    async with laid.opened() as runner:
        out = [one async for one in leases_out(runner, laid.stored)]
        assert {one.phase for one in out} == {EXECUTE, VALIDATE}
        held = {one.worker: [each.lease_id for each in out if each.worker == one.worker] for one in out}
        async with Crew(runner.channel).at_work(held) as (executor, validator):
            for one in out:
                hand = executor if one.phase == EXECUTE else validator
                await hand.hears("keep", of=one.lease_id)
                await hand.say(result(one))
                await hand.hears("ack", of=one.lease_id)
            for execution in {one.execution_id for one in out}:
                await finish(runner, execution)
                assert {task.attempt for task in (await tasks_of(runner, execution)).tasks} == {1}


async def leases_out(runner: Running, stored: Stored) -> AsyncIterator[Out]:
    """Yields the leases of tasks that are being worked on."""
    for one in stored.answers["executions"]:
        execution = one["execution"]["executionId"]
        busy = {task["taskId"] for task in one["tasks"] if task.get("worker")}
        if not busy:
            continue
        events = await events_of(runner.stub, runner_pb2.ExecutionRef(execution_id=execution))
        given = {event.task_id: event.task_assigned for event in events if event.HasField("task_assigned")}
        for task in sorted(busy):
            yield Out(execution, one["execution"]["planId"], given[task])


@dataclass(frozen=True, slots=True)
class Out:
    """A lease that is out."""

    execution_id: str
    plan_id: str
    assigned: pb.TaskAssigned

    @property
    def lease_id(self) -> str:
        return self.assigned.lease_id

    @property
    def worker(self) -> str:
        return self.assigned.worker

    @property
    def phase(self) -> pb.Phase.ValueType:
        return self.assigned.phase


def result(out: Out) -> worker_pb2.WorkerMessage:
    """Returns what a worker says under a lease; files were brought before."""
    assign = worker_pb2.Assign(lease_id=out.lease_id)
    if out.phase == VALIDATE:
        return verdict(assign, passes=True)
    return candidate_of(assign, UNNAMED) if out.plan_id == "shop" else candidate(assign, b"what was begun before")


async def test_the_story_of_this_version_is_told_and_read(tmp_path: Path) -> None:
    """A release makes its fixtures by it."""
    await made("healthy", tmp_path)
    answers = json.loads((tmp_path / "healthy.json").read_text())
    stored = Stored(tmp_path / "healthy.tar.xz", answers)
    async with opened(stored, stored.store(tmp_path / "db"), tmp_path / "db") as runner:
        await says_the_same(stored, runner)


@pytest.mark.parametrize("stored", HEALTHY)
async def test_files_that_are_missing_from_a_stored_folder_are_made_again(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "db"
    store = stored.store(data)
    for output in data.glob("*/*/output.json"):
        shutil.rmtree(output.parent)
    async with opened(stored, store, data) as runner:
        await runner.outputs.drained()
    newest = {one["execution"]["planId"]: one for one in stored.answers["executions"]}
    made = {f"{plan}/{task}": of for plan, one in newest.items() for task, of in one["artifacts"].items()}
    assert made
    assert {str(path.parent.relative_to(data)) for path in data.glob("*/*/output.json")} == made.keys()
    for folder, artifact in made.items():
        assert json.loads((data / folder / "output.json").read_text())["digest"] == artifact["digest"]
        assert files_in(data / folder / "files") == artifact.get("files", {})


def files_in(folder: Path) -> dict[str, str]:
    """Returns the digests of all files below a folder, by their paths."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("stored", HEALTHY)
def test_a_planner_lists_the_plans_of_a_stored_folder_and_serves_their_maps(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "db"
    stored.store(data)
    plans, _ = PlanStore(data).page_after("", 100, 1_000_000)
    assert {plan.header.plan_id for plan in plans} == {*stored.plans}
    for plan in plans:
        with PlanStore(data).open(plan.header.plan_id, "map.pb") as file:
            parts = [plan_pb2.MapPart.FromString(part) for part in read_parts(file)]
        assert map_from_parts(parts).task_count == plan.header.task_count
        again = compile_plan((data / plan.header.plan_id / "plan.json").read_bytes(), plan_id=plan.header.plan_id)
        assert again.map is not None
        assert len(again.map.tasks) == plan.header.task_count


@pytest.mark.parametrize("stored", HEALTHY)
async def test_the_layouts_of_a_stored_folder_have_a_grid_and_a_tree_and_are_drawn_after_a_compile(
    stored: Stored, tmp_path: Path
) -> None:
    data = tmp_path / "db"
    async with opened(stored, stored.store(data), data) as runner:
        for plan_id in stored.plans:
            layout = plan_pb2.LayoutPart()
            async for answer in runner.stub.GetLayout(runner_pb2.GetLayoutRequest(plan_id=plan_id)):
                layout.MergeFrom(answer.part.layout)
            tasks = {node.task_id for node in layout.nodes if node.atomic}
            assert tasks == {cell.task_id for cell in layout.cells} | {*layout.isolated_task_ids}
            again = compile_plan((data / plan_id / "plan.json").read_bytes(), plan_id=plan_id)
            assert tasks == drawn_tasks(again)


def drawn_tasks(result: Compiled) -> set[str]:
    assert result.map is not None
    drawn = lay_out(result.map, result.direct).drawn
    assert drawn is not None
    return {result.map.name(task) for task, _ in enumerate(drawn.node_of)}
