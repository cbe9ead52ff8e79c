"""Run a plan with inputs, change one, run again: only what reads it is done, also when the runner is killed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.processes.commands import kill_one, signoff, start_signoff, until
from tests.support.processes.shared_services import services_in
from tests.system.test_reuse import work_of_last_execution

FLAGS = ("--model", "mock", "--allow-commands")


def task(task_id: str, makes: str, *command: str, **fields: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "description": f"Make {makes}",
        "output": {"artifact": makes, "format": "text"},
        "validation": {"checks": [{"type": "length", "min_chars": 1}]},
        "executor": {"command": list(command)},
        **fields,
    }


def plan_in(folder: Path, pause: str = "0") -> Path:
    """A plan with a pattern of files, a text and JSON. `pause`: seconds that a task takes."""
    (folder / "data").mkdir()
    for name, text in {"a.csv": "north,10\n", "b.csv": "south,20\n"}.items():
        (folder / "data" / name).write_text(text)
    both = {"artifacts": ["all", "news"]}
    plan = {
        "idea": "Report the sales",
        "inputs": {"data": {"file": "data/*.csv"}, "release": {"text": None}, "options": {"json": {"top": 3}}},
        "tasks": [
            task("1", "all", "sh", "-c", f"sleep {pause}; cat {{input:data}}/*.csv", input={"artifacts": ["data"]}),
            task(
                "2",
                "news",
                "python",
                "-c",
                "import json; t = json.load(open('task.json')); print(t['description'], t['input']['parameters'])",
                description="Announce {{inputs.release}}",
                input={"parameters": {"options": "{{inputs.options}}"}},
            ),
            task("3", "report", "sh", "-c", "cat {input:all} {input:news}", input=both, dependencies=["1", "2"]),
        ],
    }
    file = folder / "sales.json"
    file.write_text(json.dumps(plan))
    return file


def output(folder: Path, task_id: str) -> str:
    return str(json.loads((folder / "db" / "sales" / task_id / "output.json").read_text())["content"])


async def test_a_changed_file_and_a_changed_value_are_done_again_where_they_are_read(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    unset = await signoff("run", plan, *FLAGS, cwd=tmp_path)
    assert unset.code == 2
    assert "these are not: release (text: --set release=VALUE)" in unset.err
    async with services_in(tmp_path, allow_commands=True):
        first = await signoff("run", plan, *FLAGS, "--set", "release=2.5", cwd=tmp_path)
        assert first.code == 0, first.err
        assert output(tmp_path, "3") == "north,10\nsouth,20\nAnnounce 2.5 {'options': {'top': 3}}\n"
        shown = await signoff("status", "sales", cwd=tmp_path)
        assert "input data: 2 files: a.csv, b.csv" in shown.out
        assert "input release: 2.5" in shown.out

        (tmp_path / "data" / "b.csv").write_text("south,30\n")
        told = await signoff("diff", plan, *FLAGS, "--set", "release=2.5", cwd=tmp_path)
        assert told.out.splitlines()[0] == "1 of 3 kept, 2 to do"
        assert told.out.splitlines()[2].split() == ["do", "1", "input", "data/b.csv"]
        again = await signoff("run", plan, *FLAGS, "--set", "release=2.5", cwd=tmp_path)
        assert again.code == 0, again.err
        assert work_of_last_execution(tmp_path) == (["1", "3"], ["1", "3"], ["2"])
        assert "south,30" in output(tmp_path, "3")

        other = await signoff("run", plan, *FLAGS, "--set", "release=2.6", "--input", "data=data/a.csv", cwd=tmp_path)
        assert other.code == 0, other.err
        made, _, kept = work_of_last_execution(tmp_path)
        assert (sorted(made), kept) == (["1", "2", "3"], [])


async def test_what_was_stored_at_the_start_is_read_although_files_change_and_the_runner_is_killed(
    tmp_path: Path,
) -> None:
    plan, data = plan_in(tmp_path, pause="2"), tmp_path / "db"
    flags = ("--set", "release=2.5", "--data-dir", data)
    run = await start_signoff("run", plan, *FLAGS, *flags, cwd=tmp_path)
    await until(run, " doing ")
    (tmp_path / "data" / "a.csv").write_text("changed\n")
    kill_one("runner_svc", str(data))
    async with asyncio.timeout(60):
        _, err = await run.communicate()
    assert run.returncode == 0, err.decode()
    assert output(tmp_path, "1") == "north,10\nsouth,20\n"

    again = await signoff("run", plan, *FLAGS, *flags, cwd=tmp_path)
    assert again.code == 0, again.err
    assert output(tmp_path, "1") == "changed\nsouth,20\n"
    made, _, kept = work_of_last_execution(tmp_path)
    assert (made, kept) == (["1", "3"], ["2"])
