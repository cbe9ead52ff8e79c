"""Many inputs, with real services: a function gets all of them, and the run says what a model could not be shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.commands import ProcessResult, signoff
from tests.support.servers.model_server import NONCE, ModelServer, Recorded, Reply, streams
from tests.system.test_models import asks

NAMED, UNNAMED = 1_100, 70

APP = """
from signoff.app import App, Context

app = App()


@app.executor
def make(ctx: Context, size: int) -> str:
    return (ctx.task.id + " ") * (size // (len(ctx.task.id) + 1))


@app.executor
def count(ctx: Context) -> dict[str, int]:
    right = [given for given in ctx.inputs if given.text == (given.task_id + " ") * given.text.count(" ")]
    return {"inputs": len(ctx.inputs), "whole": len(right), "bytes": sum(len(given.content) for given in ctx.inputs)}
"""


def maker(task_id: str, size: int) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "description": "make a part",
        "executor": "make",
        "input": {"parameters": {"size": size}},
        "output": {"description": "a part", "artifact": f"part {task_id}"},
        "validation": {"checks": [{"type": "length", "min_chars": 1}]},
    }


def reader(task_id: str, gets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "description": f"look at all of them ({task_id})",
        "input": {"artifacts": gets.get("artifacts", [])},
        "dependencies": gets.get("dependencies", []),
        "output": {"description": "what they are", **more.pop("output", {})},
        **more,
    }


def plan() -> dict[str, Any]:
    named = [maker(f"n{n}", 300) for n in range(NAMED)]
    unnamed = [maker(f"u{n}", 5_000) for n in range(UNNAMED)]
    of_names = {"artifacts": [task["output"]["artifact"] for task in named]}
    of_all = {"dependencies": [task["task_id"] for task in unnamed]}
    counting = {
        "executor": "count",
        "output": {"format": "JSON"},
        "validation": {"checks": [{"type": "required_keys", "keys": ["inputs"]}]},
    }
    telling = {"validation": {"criteria": ["It names Mars."]}}
    return {
        "idea": "many inputs",
        "tasks": [
            *named,
            *unnamed,
            reader("count_named", of_names, **counting),
            reader("count_unnamed", of_all, **counting),
            reader("tell_named", of_names, **telling),
            reader("tell_unnamed", of_all, **telling),
        ],
    }


def answers(request: Recorded) -> Reply:
    if "# Criteria" not in request.body["messages"][1]["content"]:
        return streams("Mars is red and bright.")
    said = {"criterion": 1, "evidence": "Mars is red and bright", "reason": "it does", "outcome": "pass"}
    return streams(json.dumps({"nonce": NONCE, "verdicts": [{**said, "retry_worthwhile": True}]}))


def prompt_for(server: ModelServer, task_id: str, *, judged: bool) -> str:
    prompts = [request.body["messages"][1]["content"] for request in server.requests]
    (found,) = [text for text in prompts if f"({task_id})" in text and ("# Criteria" in text) == judged]
    assert isinstance(found, str)
    return found


def content_of(folder: Path, task_id: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "db" / "many" / task_id / "output.json").read_text())
    return read


async def test_a_function_gets_all_inputs_and_what_a_models_prompt_cannot_hold_is_said_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(plan()))
    (tmp_path / "my_app.py").write_text(APP)
    async with ModelServer(answers) as server:
        keep = asks(monkeypatch, server)
        command = ("run", "plan.json", "--app", "my_app:app", "--model", "planet-7b", "--plan-id", "many")
        ended = await signoff(*command, cwd=tmp_path, keep=keep, within=300.0)
    assert ended.code == 0, ended.err + ended.out[-2_000:]

    for task_id, count in (("count_named", NAMED), ("count_unnamed", UNNAMED)):
        counted = content_of(tmp_path, task_id)["content"]
        assert (counted["inputs"], counted["whole"]) == (count, count)
        assert "unread" not in content_of(tmp_path, task_id)

    for task_id, count in (("tell_named", NAMED), ("tell_unnamed", UNNAMED)):
        unread = content_of(tmp_path, task_id)["unread"]
        assert unread["inputs"] == count
        assert unread["cut"] + unread["left_out"] > 0
        asked, judged = (prompt_for(server, task_id, judged=judged) for judged in (False, True))
        assert asked.count("<<<BEGIN") == count - unread["left_out"]
        assert "# What its author was not shown" in judged
        assert f"nothing of {unread['left_out']}." in judged
        said_in_run(ended, task_id, count)

    first = content_of(tmp_path, "tell_unnamed")["unread"]["examples"][0]
    told = f"The author was shown only the first {first['shown_chars']} characters of {first['name']} (made by task "
    assert told in prompt_for(server, "tell_unnamed", judged=True)
    why = await signoff("why", "many", "tell_named", cwd=tmp_path)
    assert f"of {NAMED:,} inputs the model was shown " in why.out
    status = await signoff("status", "many", cwd=tmp_path)
    assert f"tell_unnamed: of {UNNAMED} inputs the model was shown " in status.out


def said_in_run(ended: ProcessResult, task_id: str, count: int) -> None:
    """Checks that a run says so when it happens, and at the end."""
    said = f"of {count:,} inputs the model was shown "
    lines = [line for line in ended.out.splitlines() if said in line]
    assert [line for line in lines if f"  {task_id}  validating  attempt 1 made a candidate" in line]
    assert [line for line in lines if line.startswith(f"{task_id}: ")]
