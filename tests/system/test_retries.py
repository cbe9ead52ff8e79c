"""Real services: a function that always fails, models that are too small, and a task that ends all the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.commands import signoff
from tests.support.servers.model_server import ModelServer, Recorded, Reply, status, streams

APP = """
from signoff.app import App, Context

app = App()


@app.executor
def counts(ctx: Context) -> int:
    with open("calls.txt", "a") as calls:
        calls.write("called\\n")
    return len(words_of("Mars"))


def words_of(text: str) -> list[str]:
    raise ValueError(f"no words in {object()}")
"""
LONG = {"input": {}, "output": {"format": "text"}, "validation": {"checks": [{"type": "length", "min_chars": 1}]}}


def written(folder: Path, *tasks: dict[str, Any], **more: Any) -> Path:
    path = folder / "planets.json"
    path.write_text(json.dumps({"idea": "", "tasks": list(tasks), **more}))
    return path


async def test_a_function_that_raises_the_same_twice_is_run_twice_and_the_message_says_where(tmp_path: Path) -> None:
    (tmp_path / "their_app.py").write_text(APP)
    plan = written(tmp_path, {"task_id": "1", **LONG, "executor": "counts"})
    ended = await signoff("run", plan, "--app", "their_app:app", cwd=tmp_path)
    assert ended.code == 1, ended.err
    assert (tmp_path / "calls.txt").read_text() == "called\n" * 2
    line = APP.splitlines().index('    raise ValueError(f"no words in {object()}")') + 1
    log = "db/.signoff/logs/executor-1.log"
    where = f"(their_app.py:{line} in words_of) (the traceback is in {log})"
    assert "it failed 2 times, the last two in the same way; the last time: ValueError: no words in " in ended.out
    assert where in ended.out
    assert "Traceback (most recent call last)" in (tmp_path / log).read_text()


MODELS = """
default = "small"

[models.small]
model = "planet-1b"
base_url = "{url}"

[models.large]
model = "planet-70b"
base_url = "{url}"
"""


def too_long() -> Reply:
    said = "This model's maximum context length is 4096 tokens. However, your messages resulted in 9000 tokens."
    return status(400, said, error_code="context_length_exceeded")


def cut_at_its_limit() -> Reply:
    return streams("Mars, Ven", finish="length")


@pytest.mark.parametrize(
    "small",
    [
        pytest.param(too_long(), id="context"),
        pytest.param(cut_at_its_limit(), id="answer", marks=pytest.mark.long),
        pytest.param(status(413), id="request", marks=pytest.mark.long),
    ],
)
async def test_what_a_small_model_cannot_hold_a_larger_one_is_asked_for_at_once(tmp_path: Path, small: Reply) -> None:
    def reply(request: Recorded) -> Reply:
        return small if request.body["model"] == "planet-1b" else streams("Mars, Venus")

    executor = {"model": "small", "escalation": ["small", "large"], "max_failures": 1}
    plan = written(tmp_path, {"task_id": "1", **LONG, "executor": executor})
    async with ModelServer(reply) as server:
        (tmp_path / "models.toml").write_text(MODELS.format(url=server.base_url))
        ended = await signoff("run", plan, "--models", "models.toml", cwd=tmp_path)
    assert ended.code == 0, ended.out + ended.err
    asked = [request.body["model"] for request in server.requests]
    assert asked[-1] == "planet-70b"
    assert asked.count("planet-70b") == 1
    output = json.loads((tmp_path / "db" / "planets" / "1" / "output.json").read_text())
    assert (output["content"], output["attempt"]) == ("Mars, Venus", 2)
    story = await signoff("story", "planets", "1", cwd=tmp_path)
    assert "attempt 1 failed (too small)" in story.out


async def test_without_a_larger_model_the_message_says_what_helps(tmp_path: Path) -> None:
    plan = written(tmp_path, {"task_id": "1", **LONG, "executor": {"model": "small"}})
    async with ModelServer(cut_at_its_limit()) as server:
        (tmp_path / "models.toml").write_text(MODELS.format(url=server.base_url))
        ended = await signoff("run", plan, "--models", "models.toml", cwd=tmp_path)
    assert ended.code == 1
    assert len(server.requests) == 1
    assert "stopped at its limit of output tokens: raise max_tokens" in ended.out
    assert "executor.escalation" in ended.out


@pytest.mark.parametrize(
    ("where", "flags"),
    [
        pytest.param("plan", (), id="plan", marks=pytest.mark.long),
        pytest.param("task", (), id="task"),
        pytest.param("flag", ("--on-failure", "stop"), id="flag", marks=pytest.mark.long),
    ],
)
async def test_a_task_that_fails_for_good_stops_all_when_the_plan_the_task_or_the_flag_says_so(
    tmp_path: Path, where: str, flags: tuple[str, ...]
) -> None:
    stop = {"on_failure": "stop"}
    bad = {"task_id": "1", **LONG, "executor": {"command": ["sh", "-c", "exit 64"]}} | (stop if where == "task" else {})
    slow = {"task_id": "2", **LONG, "executor": {"command": ["sleep", "600"]}}
    plan = written(tmp_path, bad, slow, **(stop if where == "plan" else {}))
    ended = await signoff("run", plan, "--allow-commands", *flags, cwd=tmp_path)
    assert ended.code == 1
    assert "1 failed for good, and its on_failure is stop" in ended.out
    why = await signoff("why", "planets", "2", cwd=tmp_path)
    assert "retry 1 to go on" in why.out


@pytest.mark.long
async def test_the_flag_goes_before_the_plan(tmp_path: Path) -> None:
    bad = {"task_id": "1", **LONG, "executor": {"command": ["sh", "-c", "exit 64"]}}
    other = {"task_id": "2", **LONG, "executor": {"command": ["sh", "-c", "sleep 1; echo Mars"]}}
    plan = written(tmp_path, bad, other, on_failure="stop")
    ended = await signoff("run", plan, "--allow-commands", "--on-failure", "continue", cwd=tmp_path)
    assert ended.code == 1
    assert (tmp_path / "db" / "planets" / "2" / "output.json").exists(), ended.out
