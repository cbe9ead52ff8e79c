"""Data of earlier versions opens, reads as it did then, and goes on; also data that those versions died of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from planner_svc.compiler import Compiled, compile_plan
from planner_svc.layout.layout import lay_out
from planner_svc.store import PlanStore, read_parts
from runner_svc.codec.maps import map_from_parts
from runner_svc.store.port import Store
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2, worker_pb2
from tests.stored.answers import Json, answers_of
from tests.stored.crew import EXECUTE, VALIDATE, Crew, Hand, candidate, verdict
from tests.stored.opened import Stored, differences, finish, found, opened, parameters, repeat, tasks_of
from tests.stored.postgres import load
from tests.support.servers.raw_worker import PATIENCE
from tests.support.servers.runner import Running
from tests.support.servers.service import until

FOLDERS = list(found(".tar.xz"))
HEALTHY = parameters(one for one in FOLDERS if not one.is_poisoned)
POISONED = parameters(one for one in FOLDERS if one.is_poisoned)
DATABASES = parameters(found(".sql.xz"))
FINAL = ("EXECUTION_STATE_SUCCEEDED", "EXECUTION_STATE_FAILED", "EXECUTION_STATE_STOPPED")


def postgres(dsn: str) -> Store:
    from runner_svc.store.postgres import PostgresStore  # its driver is an extra

    return PostgresStore(dsn)


def test_there_is_something_stored_in_every_form() -> None:
    assert HEALTHY
    assert POISONED
    assert DATABASES


def test_what_is_stored_of_a_version_stays_small() -> None:
    for folder in {one.archive.parent for one in FOLDERS}:
        assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000


# ---------------------------------------------------------------- what is healthy


@pytest.mark.parametrize("stored", HEALTHY)
async def test_a_stored_folder_says_what_its_version_said(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "db"
    async with opened(stored, stored.store(data), data) as runner:
        await says_the_same(stored, runner)


@pytest.mark.parametrize("stored", DATABASES)
async def test_a_stored_database_says_what_its_version_said(stored: Stored, tmp_path: Path, dsn: str) -> None:
    await load(stored.archive, dsn)
    async with opened(stored, postgres(dsn), tmp_path / "db") as runner:
        await says_the_same(stored, runner)


async def says_the_same(stored: Stored, runner: Running) -> None:
    """A repetition of every command under its request id changes nothing."""
    assert list(differences(relevant(stored.answers), await answers_of(runner.channel))) == []
    for asked in stored.answers["requests"]:
        assert await repeat(runner, asked) == asked["execution"]
    assert list(differences(relevant(stored.answers), await answers_of(runner.channel))) == []


def relevant(answers: Json) -> Json:
    return {key: answers[key] for key in ("executions", "canaries")}


@pytest.mark.parametrize("stored", HEALTHY)
async def test_a_stored_folder_goes_on(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "db"
    await goes_on(stored, lambda: stored.store(data), data)


@pytest.mark.parametrize("stored", DATABASES)
async def test_a_stored_database_goes_on(stored: Stored, tmp_path: Path, dsn: str) -> None:
    await load(stored.archive, dsn)
    await goes_on(stored, lambda: postgres(dsn), tmp_path / "db")


async def goes_on(stored: Stored, store: Any, data: Path) -> None:
    """Checks that unfinished executions succeed, ended ones stay, new work is done, and a restart shows all of it."""
    plans = {one["execution"]["planId"] for one in stored.answers["executions"]}
    unfinished = [one for one in stored.answers["executions"] if one["execution"]["state"] not in FINAL]
    async with opened(stored, store(), data) as runner:
        async with Crew(runner.channel).at_work():
            for one in unfinished:
                await finish(runner, one["execution"]["executionId"])
            for plan in sorted(plans):
                await finish(runner, (await runner.start(plan)).execution_id)
        left = await answers_of(runner.channel)
    ended = [one for one in stored.answers["executions"] if one["execution"]["state"] in FINAL]
    await shows(stored, store(), data, ended, left)


async def shows(stored: Stored, store: Store, data: Path, ended: Iterable[Json], left: Json) -> None:
    """After a restart: what had ended before, and what was left just now."""
    async with opened(stored, store, data) as runner:
        now = await answers_of(runner.channel)
        assert list(differences(left["executions"], now["executions"])) == []
    by_id = {one["execution"]["executionId"]: one for one in now["executions"]}
    assert list(differences({one["execution"]["executionId"]: one for one in ended}, by_id)) == []


@pytest.mark.parametrize("stored", HEALTHY)
async def test_what_an_earlier_version_has_signed_off_is_kept(stored: Stored, tmp_path: Path) -> None:
    """Workers come last: they would finish other executions, and newer results are kept before older ones."""
    data = tmp_path / "db"
    succeeded = [one["execution"] for one in stored.answers["executions"] if one["execution"]["state"] == FINAL[0]]
    assert succeeded
    async with opened(stored, stored.store(data), data) as runner:
        told = {
            plan_id: await runner.stub.PreviewExecution(runner_pb2.PreviewExecutionRequest(plan_id=plan_id))
            for plan_id in sorted({one["planId"] for one in succeeded})
        }
        assert all(preview.kept for preview in told.values())
        whole = [plan_id for plan_id, preview in told.items() if not preview.to_make]
        started = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id=whole[0]))
        async with Crew(runner.channel).at_work():
            await finish(runner, started.execution.execution_id)
        found = await tasks_of(runner, started.execution.execution_id)
        assert all(task.artifact.HasField("kept_from") for task in found.tasks)
        assert not found.execution.usage


@pytest.mark.parametrize("stored", HEALTHY)
async def test_workers_come_back_to_the_leases_that_a_stored_folder_has_out(stored: Stored, tmp_path: Path) -> None:
    data, store = tmp_path / "db", stored.store(tmp_path / "db")
    async with opened(stored, store, data) as runner:
        out = [lease async for lease in leases_out(runner, store, stored)]
        assert {lease.phase for lease, _ in out} == {EXECUTE, VALIDATE}
        held = {lease.worker: [lease.lease_id] for lease, _ in out}
        async with Crew(runner.channel).at_work(held) as hands:
            for hand, (lease, _) in zip(hands, sorted(out, key=lambda one: one[0].phase), strict=True):
                await hears(hand, "keep")
                await hand.say(result(lease))
                await hears(hand, "ack")
            for _, execution in out:
                await finish(runner, execution)
                assert {task.attempt for task in (await tasks_of(runner, execution)).tasks} == {1}


async def leases_out(runner: Running, store: Store, stored: Stored) -> Any:
    """The leases of tasks that are being worked on, with the execution."""
    for one in stored.answers["executions"]:
        execution = one["execution"]["executionId"]
        busy = {task["taskId"] for task in one["tasks"] if task.get("worker")}
        rows = await store.read(execution, 0, 10_000)
        events = [pb.Event.FromString(row.body) for row in rows]
        given = {event.task_id: event.task_assigned for event in events if event.HasField("task_assigned")}
        for task in sorted(busy):
            yield given[task], execution


def result(lease: pb.TaskAssigned) -> Any:
    assign = worker_pb2.Assign(lease_id=lease.lease_id)
    return candidate(assign, b"what was begun before") if lease.phase == EXECUTE else verdict(assign, passes=True)


async def hears(hand: Hand, kind: str) -> None:
    await until(lambda: any(one.WhichOneof("kind") == kind for one in hand.answered), f"it receives {kind}", PATIENCE)


@pytest.mark.parametrize("stored", HEALTHY)
async def test_files_that_are_missing_from_a_stored_folder_are_made_again(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "db"
    store = stored.store(data)
    for output in data.glob("*/*/output.json"):
        shutil.rmtree(output.parent)
    async with opened(stored, store, data) as runner:
        await runner.outputs.drained()
    newest = {one["execution"]["planId"]: one for one in stored.answers["executions"]}
    made = {f"{plan}/{task}": of["digest"] for plan, one in newest.items() for task, of in one["artifacts"].items()}
    assert made
    assert {str(path.parent.relative_to(data)): digest_in(path) for path in data.glob("*/*/output.json")} == made


def digest_in(path: Path) -> str:
    return str(json.loads(path.read_text())["digest"])


@pytest.mark.parametrize("stored", HEALTHY)
def test_a_planner_lists_the_plans_of_a_stored_folder_and_serves_their_maps(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "db"
    stored.store(data)
    plans, _ = PlanStore(data).page_after("", 100, 1_000_000)
    assert {plan.header.plan_id for plan in plans} == {
        one["execution"]["planId"] for one in stored.answers["executions"]
    }
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
        for plan_id in {one["execution"]["planId"] for one in stored.answers["executions"]}:
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


# ---------------------------------------------------------------- what a version died of


@pytest.mark.parametrize("stored", POISONED)
async def test_a_poisoned_folder_opens_and_is_shown(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "deep" / "db"
    async with opened(stored, stored.store(data), data) as runner:
        now = {one["execution"]["executionId"]: one for one in (await answers_of(runner.channel))["executions"]}
        assert list(differences(healthy_of(stored), now[healthy_id(stored)])) == []
        assert stored.answers["victim"] in now


@pytest.mark.parametrize("stored", POISONED)
async def test_the_healthy_execution_of_a_poisoned_folder_goes_on_and_new_ones_run(
    stored: Stored, tmp_path: Path
) -> None:
    data = tmp_path / "deep" / "db"
    async with opened(stored, stored.store(data), data) as runner, Crew(runner.channel).at_work():
        await finish(runner, healthy_id(stored))
        await finish(runner, (await runner.start("letter")).execution_id)
    async with opened(stored, stored.store(data), data) as runner, Crew(runner.channel).at_work():
        assert (await tasks_of(runner, healthy_id(stored))).execution.state == pb.EXECUTION_STATE_SUCCEEDED
        await finish(runner, (await runner.start("letter")).execution_id)
        listed = (await answers_of(runner.channel))["executions"]
        assert stored.answers["victim"] in {one["execution"]["executionId"] for one in listed}


@pytest.mark.parametrize("stored", POISONED)
async def test_a_poisoned_folder_has_nothing_written_outside_of_it(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "deep" / "db"
    async with opened(stored, stored.store(data), data) as runner, Crew(runner.channel).at_work():
        await finish(runner, healthy_id(stored))
        await runner.outputs.drained()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["db"]
    assert {path.name for path in data.iterdir()} == {".signoff", "letter", "poisoned"}


def healthy_of(stored: Stored) -> Json:
    return next(
        one for one in stored.answers["executions"] if one["execution"]["executionId"] != stored.answers["victim"]
    )


def healthy_id(stored: Stored) -> str:
    return str(healthy_of(stored)["execution"]["executionId"])
