"""Real commands in surroundings that would lead them astray."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.processes.commands import ProcessResult, environment, until
from tests.support.servers.model_server import ModelServer
from tests.system.test_outages import answer, plan_of

WITHIN = 60.0  # seconds
#: Nothing listens there, as behind a proxy that is not for this machine.
PROXY = "http://127.0.0.1:9"
PROXIES = {name: PROXY for upper in ("HTTP_PROXY", "HTTPS_PROXY", "GRPC_PROXY") for name in (upper, upper.lower())}
#: Names of what the services import early, late and only in their children.
MODULES = ("random", "openai", "grpc", "yaml", "json", "structlog", "runner_svc", "worker_svc", "signoff", "networkx")


def astray(server: ModelServer) -> dict[str, str]:
    """The environment of a user who works behind a proxy, with a few variables that are empty or wrong."""
    env = {name: value for name, value in environment().items() if name != "NO_PROXY"}
    empty = dict.fromkeys(
        ("SIGNOFF_RUNNER_STORE", "SIGNOFF_RUNNER_PRICES", "SIGNOFF_WORKER_SLOTS", "SIGNOFF_MODEL"), ""
    )
    wrong = {"ALL_PROXY": "socks://127.0.0.1:9", "SSL_CERT_FILE": "/nowhere/ca.pem"}
    return {**env, **PROXIES, **wrong, **empty, "OPENAI_BASE_URL": server.base_url}


async def run(*arguments: str | Path, cwd: Path, env: Mapping[str, str]) -> ProcessResult:
    command = (sys.executable, "-P", "-m", "signoff.cli", *map(str, arguments))
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, env=env, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), WITHIN)
    assert process.returncode is not None
    return ProcessResult(process.returncode, out.decode(), err.decode())


@pytest.mark.guard(name="no proxy to this machine")
@pytest.mark.guard(name="the working directory is not imported")
async def test_a_run_is_led_astray_by_no_proxy_no_file_beside_the_plan_and_no_empty_variable(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, 2)
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the file beside the plan was imported')\n")
    async with ModelServer(answer) as server:
        ended = await run("run", plan, "--model", "planet-7b", cwd=tmp_path, env=astray(server))
    assert ended.code == 0, ended.err + ended.out
    assert "beside the plan" not in ended.err + ended.out


async def test_an_app_is_found_beside_the_plan_and_what_lies_beside_it_takes_no_other_place(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    task = '{"task_id": "1", "input": {}, "output": {}, "executor": "hello", "validation": {"checks": [%s]}}'
    plan.write_text('{"idea": "", "tasks": [%s]}' % (task % '{"type": "length", "min_chars": 1}'))
    (tmp_path / "random.py").write_text("raise SystemExit('the file beside the app was imported')\n")
    (tmp_path / "words.py").write_text("HELLO = 'hello from a file of its own'\n")
    (tmp_path / "mine.py").write_text(
        "import random\nfrom words import HELLO\nfrom signoff.app import App\n\napp = App()\n\n"
        "@app.executor\ndef hello() -> str:\n    return HELLO + str(random.random())[:0]\n"
    )
    ended = await run("run", plan, "--app", "mine:app", cwd=tmp_path, env=environment())
    assert ended.code == 0, ended.err + ended.out


async def test_a_variable_that_is_wrong_for_an_endpoint_elsewhere_is_named_before_anything_starts(
    tmp_path: Path,
) -> None:
    env = environment() | {"OPENAI_API_KEY": "sk-x", "ALL_PROXY": "socks://127.0.0.1:9"}
    ended = await run("run", plan_of(tmp_path, 1), "--model", "gpt-x", cwd=tmp_path, env=env)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(
        "signoff: ALL_PROXY: expected a proxy such as http://host:port, but got one that begins"
    )
    assert not (tmp_path / "db").exists()


@pytest.mark.guard(name="who ignores SIGHUP goes on")
async def test_a_run_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    command = (sys.executable, "-P", "-m", "signoff.cli", "run", str(plan_of(tmp_path, 6)), "--model", "mock:delay=0.3")
    running = await asyncio.create_subprocess_exec(
        *("nohup", *command), cwd=tmp_path, env=environment(), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    await until(running, "validating", within=WITHIN)
    os.kill(running.pid, signal.SIGHUP)
    out, _ = await asyncio.wait_for(running.communicate(), WITHIN)
    assert running.returncode == 0
    assert "6 of 6 signed off" in out.decode()
