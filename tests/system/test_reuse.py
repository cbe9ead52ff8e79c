"""Run, change something, run again: only what has changed is done, also when everything is killed in between."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from signoff.v1 import execution_pb2
from tests.support.processes.commands import (
    EXAMPLES,
    in_turn,
    kill_one,
    processes_with,
    signoff,
    start_signoff,
    until,
)
from tests.support.processes.shared_services import services_in

MODEL = ("--model", "mock")
SLOW = ("--model", "mock:delay=1")  # seconds: time to be killed in
LEAF = "4_2"  # of the example: nothing reads what it makes


def plan_in(folder: Path) -> Path:
    return Path(shutil.copy(EXAMPLES / "ai_trends" / "plan.json", folder / "trends.json"))


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs the plan once, with services that end. Returns the data directory."""
    folder = tmp_path_factory.mktemp("first")
    plan = plan_in(folder)
    ended = asyncio.run(signoff("run", plan, *MODEL, cwd=folder))
    assert ended.code == 0, ended.err
    plan.unlink()  # its id belongs to a file, as long as that is there
    return folder / "db"


@pytest.fixture
def plan(first_run: Path, tmp_path: Path) -> Path:
    """Returns the plan that was run once, in the folder of a test, with all that was kept of that run."""
    shutil.copytree(first_run, tmp_path / "db")
    return plan_in(tmp_path)


def edit(plan: Path, task_id: str, **fields: Any) -> None:
    """Changes fields of a task in a plan file."""
    document = json.loads(plan.read_text())
    task = next(task for task in document["tasks"] if task["task_id"] == task_id)
    task.update(fields)
    plan.write_text(json.dumps(document))


def work_of_last_execution(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Returns the tasks that were given to executors and to validators, and those that were kept.

    The runner may be up.
    """
    with closing(sqlite3.connect(f"file:{folder / 'db' / '.signoff' / 'journal.db'}?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT journal, body FROM event WHERE journal <> '' ORDER BY position").fetchall()
    events = [execution_pb2.Event.FromString(body) for journal, body in rows if journal == rows[-1][0]]
    assert events[-1].WhichOneof("kind") == "execution_succeeded"
    given = [event for event in events if event.HasField("task_assigned")]
    made = [event.task_id for event in given if event.task_assigned.phase == execution_pb2.PHASE_EXECUTE]
    judged = [event.task_id for event in given if event.task_assigned.phase == execution_pb2.PHASE_VALIDATE]
    return made, judged, [event.task_id for event in events if event.HasField("artifact_reused")]


async def test_one_changed_task_is_one_task_done(plan: Path, tmp_path: Path) -> None:
    edit(plan, LEAF, description="Write the final report in plain words")
    async with services_in(tmp_path):
        told = await signoff("diff", plan, *MODEL, cwd=tmp_path)
        again = await signoff("run", plan, *MODEL, cwd=tmp_path)
        asked = ("story", "trends", "1_1"), ("candidate", "trends", "1_1")
        story, candidate = await in_turn(*asked, cwd=tmp_path)

    assert told.code == 0, told.err
    assert told.out.splitlines()[0] == "12 of 13 kept, 1 to do"
    assert told.out.splitlines()[-1].split() == ["do", LEAF, "description"]

    assert again.code == 0, again.err
    assert "12 of 13 kept, 1 to do" in again.err
    assert sum(" kept " in line for line in again.out.splitlines() if "output.json" in line) == 12
    made, judged, kept = work_of_last_execution(tmp_path)
    assert (made, judged, len(kept)) == ([LEAF], [LEAF], 12)
    output = json.loads((tmp_path / "db" / "trends" / LEAF / "output.json").read_text())
    assert "plain words" in output["content"]
    assert "kept: nothing has changed since attempt 1 of execution" in story.out
    assert "kept from attempt 1 of execution" in candidate.err
    assert "pass (by code): is valid JSON" in candidate.err


@pytest.mark.long
async def test_one_changed_task_is_one_task_done_although_the_runner_is_killed(plan: Path, tmp_path: Path) -> None:
    data = tmp_path / "db"
    edit(plan, LEAF, description="Write the final report in plain words")
    run = await start_signoff("run", plan, *SLOW, "--data-dir", data, cwd=tmp_path)
    await until(run, " validating ")
    kill_one("runner_svc", str(data))
    async with asyncio.timeout(60):
        _, err = await run.communicate()
    assert run.returncode == 0, err.decode()
    made, _, kept = work_of_last_execution(tmp_path)
    assert (set(made), len(kept)) == ({LEAF}, 12)


async def test_a_run_that_was_killed_whole_goes_on_with_what_was_kept(plan: Path, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path / "db")
    edit(plan, LEAF, description="Write the final report in plain words")
    run = await start_signoff("run", plan, *SLOW, *data, cwd=tmp_path)
    await until(run, " validating ")
    for pid in (run.pid, *(pid for pid, _ in processes_with(str(tmp_path)))):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await run.wait()

    again = await signoff("run", plan, *SLOW, *data, cwd=tmp_path, within=90)
    assert again.code == 0, again.err
    assert "going on with" in again.err
    made, _, kept = work_of_last_execution(tmp_path)
    assert (set(made), len(kept)) == ({LEAF}, 12)


async def test_other_criteria_are_judged_and_nothing_is_made(plan: Path, tmp_path: Path) -> None:
    edit(plan, "2_1", validation={"criteria": ["It names its sources"]})
    again = await signoff("run", plan, *MODEL, cwd=tmp_path)
    assert again.code == 0, again.err
    assert "12 of 13 kept, 1 to judge" in again.err
    made, judged, kept = work_of_last_execution(tmp_path)
    assert (made, judged, len(kept)) == ([], ["2_1"], 12)


@pytest.mark.long
async def test_a_changed_function_is_run_again_with_what_reads_it(tmp_path: Path) -> None:
    for name in ("plan.json", "my_worker.py"):
        shutil.copy(EXAMPLES / "own_code" / name, tmp_path)
    app = ("--app", "my_worker:app")
    assert (await signoff("run", "plan.json", *app, cwd=tmp_path)).code == 0
    code = tmp_path / "my_worker.py"
    code.write_text(code.read_text().replace('ctx.progress(f"sentence', 'ctx.progress(f"Sentence'))

    told = await signoff("diff", "plan.json", *app, cwd=tmp_path)
    assert told.out.splitlines()[-2].split() == ["do", "2", "code"]
    again = await signoff("run", "plan.json", *app, cwd=tmp_path)
    assert again.code == 0, again.err
    made, _, kept = work_of_last_execution(tmp_path)
    assert made == ["2"]  # it counts the same, so the table is kept
    assert sorted(kept) == ["1", "3"]


@pytest.mark.long  # tests/runner_svc/core/decide/test_reuse.py has the same without processes
async def test_everything_can_be_asked_for_anew(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    for flags in ((), ("--fresh",)):
        assert (await signoff("run", plan, *MODEL, *flags, cwd=tmp_path)).code == 0
        made, _, kept = work_of_last_execution(tmp_path)
        assert (len(made), kept) == (13, [])
    wrong = await signoff("run", plan, *MODEL, "--fresh-task", "7_7", cwd=tmp_path)
    assert wrong.code == 2
    assert "expected a task or a group of plan trends, but got '7_7'" in wrong.err


@pytest.mark.long
async def test_a_part_of_a_plan_is_done_and_then_the_rest(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    too_much = await signoff("run", plan, *MODEL, "--only", "1_2", cwd=tmp_path)
    assert too_much.code == 2
    assert "--only 1_2: expected all that it needs to be kept, but there is 1_1 (it is new) to do" in too_much.err
    part = await signoff("run", plan, *MODEL, "--until", "1_2", cwd=tmp_path)
    assert part.code == 0, part.err
    assert sorted(work_of_last_execution(tmp_path)[0]) == ["1_1", "1_2"]
    assert "trends succeeded: 2 of 2 signed off, 11 not asked for" in part.out
    why = await signoff("why", "trends", "1_3", cwd=tmp_path)
    assert "this execution was asked for other tasks alone" in why.out
    only = await signoff("run", plan, *MODEL, "--only", "1_3", cwd=tmp_path)
    assert only.code == 0, only.err
    made, _, kept = work_of_last_execution(tmp_path)
    assert (made, sorted(kept)) == (["1_3"], ["1_1", "1_2"])
    assert (await signoff("run", plan, *MODEL, "--from", "1_3", cwd=tmp_path)).code == 0
    made, _, kept = work_of_last_execution(tmp_path)
    assert sorted(kept) == ["1_1", "1_2"]
    assert len(made) == 11


async def test_a_script_that_is_mended_is_run_again_and_one_that_is_not_is_kept(tmp_path: Path) -> None:
    script, runs = tmp_path / "count.py", tmp_path / "runs"
    plan = tmp_path / "counted.json"
    task = {
        "task_id": "1",
        "description": "Count",
        "executor": {"command": ["python3", str(script)]},
        "input": {"description": "nothing"},
        "output": {"description": "a word"},
        "validation": {"checks": [{"type": "length", "min_chars": 1}]},
    }
    plan.write_text(json.dumps({"tasks": [task]}))

    def write(text: str) -> None:
        script.write_text(f"open({str(runs)!r}, 'a').write('.')\nprint({text!r})\n")

    async def run_it() -> str:
        ended = await signoff("run", plan, *MODEL, "--allow-commands", cwd=tmp_path)
        assert ended.code == 0, ended.err
        return str(json.loads((tmp_path / "db" / "counted" / "1" / "output.json").read_text())["content"])

    async with services_in(tmp_path, allow_commands=True):
        write("first")
        assert [await run_it() for _ in range(3)] == ["first\n"] * 3
        assert runs.read_text() == "."
        write("second")
        assert [await run_it() for _ in range(2)] == ["second\n"] * 2
        assert runs.read_text() == ".."
        story = await signoff("story", "counted", "1", cwd=tmp_path)
    assert "kept: nothing has changed since" in story.out
