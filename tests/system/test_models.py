"""Real services and a scripted model: requests that leave, contents that are kept, and questions that are dropped."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signoff.v1 import runner_pb2
from tests.support.processes.commands import environment, signoff
from tests.support.servers import model_server
from tests.support.servers.model_server import NONCE, ModelServer, Recorded, Reply, status, streams
from tests.support.servers.runner import PlannerOfTexts, running

KEY = "sk-very-secret-0123456789"
WITHIN = 30.0

CHINESE = {
    "idea": "写一篇关于行星的短文",
    "tasks": [
        {"task_id": "1", "description": "收集资料"},
        {
            "task_id": "1_1",
            "description": "列出所有行星",
            "input": {"description": "常识", "parameters": {"数量": 8}},
            "output": {"description": "行星名单", "artifact": "名单", "format": "JSON: { 行星: string[] }"},
            "validation": {"criteria": ["必须包含「火星」"], "checks": [{"type": "required_keys", "keys": ["行星"]}]},
        },
        {
            "task_id": "2",
            "description": "写短文",
            "dependencies": ["1"],
            "input": {"artifacts": ["名单"]},
            "output": {"description": "短文", "artifact": "短文", "format": "Markdown"},
            "validation": {"criteria": ["用中文写成"]},
        },
    ],
}


@pytest.fixture
def chinese_plan(tmp_path: Path) -> Path:
    plan = tmp_path / "行星.json"
    plan.write_text(json.dumps(CHINESE, ensure_ascii=False), encoding="utf-8")
    return plan


def asks(monkeypatch: pytest.MonkeyPatch, server: ModelServer) -> list[str]:
    """Sets the environment for this endpoint; returns the variables that a command must keep."""
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.base_url}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return list(env)


def contents(folder: Path) -> dict[str, bytes]:
    """Returns every file in a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@asynccontextmanager
async def executor_of(runner: str, server: ModelServer) -> AsyncIterator[None]:
    """Runs an executor process that asks this endpoint."""
    command = (sys.executable, "-m", "worker_svc", "--role", "executor", "--runner", runner, "--model", "planet-7b")
    env = {**environment(), "OPENAI_BASE_URL": server.base_url}
    worker = await asyncio.create_subprocess_exec(*command, "--stop-on-stdin-eof", stdin=PIPE, stderr=DEVNULL, env=env)
    try:
        yield
    finally:
        worker.kill()
        await worker.communicate()


async def test_stopping_an_execution_closes_the_connection_to_the_model_within_a_second(tmp_path: Path) -> None:
    begun = asyncio.Event()

    def reply(_: Recorded) -> Reply:
        begun.set()
        return model_server.stalled("Mars")

    async with (
        ModelServer(reply) as server,
        running(PlannerOfTexts(trends="a"), tmp_path) as runner,
        executor_of(runner.address, server),
    ):
        ref = await runner.start("trends")
        await asyncio.wait_for(begun.wait(), WITHIN)
        told_at = asyncio.get_running_loop().time()
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        await asyncio.wait_for(server.requests[0].hung_up.wait(), WITHIN)
        assert server.requests[0].hung_up_at - told_at < 1.0


async def test_a_key_is_in_nothing_that_a_run_prints_logs_or_keeps(
    chinese_plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ModelServer(status(401, f"Incorrect API key provided: {KEY}. Ask for another.")) as server:
        keep = asks(monkeypatch, server)
        command = ("run", chinese_plan, "--model", "planet-7b", "--json", "--max-failures", "1")
        ended = await signoff(*command, cwd=tmp_path, keep=keep)
    assert ended.code == 1
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    kept = contents(tmp_path)
    assert {"db/.signoff/journal.db", "db/.signoff/logs/executor-1.log"} <= kept.keys()
    said = "Incorrect API key provided: [secret]. Ask for another."
    assert said in ended.out
    assert any(said.encode() in kept[name] for name in kept if "journal.db" in name)
    assert not [name for name, content in kept.items() if KEY.encode() in content]
    assert KEY not in ended.out + ended.err


@pytest.mark.long
async def test_a_plan_in_chinese_is_signed_off_with_the_mock(chinese_plan: Path, tmp_path: Path) -> None:
    ended = await signoff("run", chinese_plan, "--model", "mock", "--plan-id", "planets", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "2 of 2 signed off" in ended.out
    output = json.loads((tmp_path / "db" / "planets" / "1_1" / "output.json").read_text(encoding="utf-8"))
    assert list(output["content"]) == ["行星"]
    essay = await signoff("artifact", "planets", "2", cwd=tmp_path)
    assert "这句话写在这里" in essay.out, "the mock writes in the language that the criterion asks for"


async def test_a_plan_in_chinese_reaches_a_model_and_comes_back_in_its_own_characters(
    chinese_plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reply(request: Recorded) -> Reply:
        prompt = request.body["messages"][1]["content"]
        if "# Criteria" in prompt:
            verdict = {
                "criterion": 1,
                "evidence": "红色的火星",
                "reason": "符合",
                "outcome": "pass",
                "retry_worthwhile": True,
            }
            return streams(json.dumps({"nonce": NONCE, "verdicts": [verdict]}, ensure_ascii=False))
        if "列出所有行星" in prompt:
            return streams("{'行星': ['火星', '金星',]}")
        return streams("# 行星\n\n红色的", "火星🪐。")

    async with ModelServer(reply) as server:
        keep = asks(monkeypatch, server)
        command = ("run", chinese_plan, "--model", "行星-7b", "--plan-id", "planets")
        ended = await signoff(*command, cwd=tmp_path, keep=keep)
    assert ended.code == 0, ended.err
    written = (tmp_path / "db" / "planets" / "2" / "output.json").read_text(encoding="utf-8")
    assert json.loads(written)["content"] == "# 行星\n\n红色的火星🪐。"
    prompts = [request.body["messages"][1]["content"] for request in server.requests]
    (essay,) = [prompt for prompt in prompts if "写短文" in prompt and "# Criteria" not in prompt]
    assert '{"行星": ["火星", "金星"]}' in essay
    assert {request.body["model"] for request in server.requests} == {"行星-7b"}
