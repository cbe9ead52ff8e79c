"""`signoff conformance` as a user runs it: one line for each check, exit codes, and what is wrong with the input."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest

from tests.support.processes.commands import environment, processes_with, signoff, start_signoff

OURS = f"{sys.executable} -m worker_svc --role executor --model mock --grace 1"
WORKER = f"{OURS} --runner {{address}}"


async def test_every_check_has_a_line_and_a_worker_that_does_all_of_them_right_exits_with_0(tmp_path: Path) -> None:
    ended = await signoff("conformance", "--command", WORKER, "--only", "candidate", "--only", "leave", cwd=tmp_path)
    assert ended.code == 0, ended.out + ended.err
    lines = ended.out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["pass", "candidate.inline"], ["pass", "candidate.maker"]]
    assert lines[-1] == "7 passed, 0 failed, 0 skipped"


async def test_a_worker_that_does_something_wrong_exits_with_1_and_the_line_says_what_came(tmp_path: Path) -> None:
    wrong = f"{sys.executable} -m tests.support.conformance.wrong_worker {{address}}"
    ended = await signoff("conformance", "--command", wrong, "--only", "hello.form", cwd=tmp_path)
    assert ended.code == 1
    check, summary = ended.out.splitlines()
    assert check.startswith("fail  hello.form  ")
    assert check.endswith(
        ": expected a name of 1 to 128 characters, but got '' (docs/reference/protocol.md#hello-and-welcome)"
    )
    assert summary == "0 passed, 1 failed, 0 skipped"


async def test_a_check_that_does_not_apply_is_skipped_with_the_reason(tmp_path: Path) -> None:
    one_slot = ("--command", f"{WORKER} --slots 1")
    ended = await signoff("conformance", *one_slot, "--only", "credit.kept", "--json", cwd=tmp_path)
    check, summary = map(json.loads, ended.out.splitlines())
    assert (check["id"], check["outcome"]) == ("credit.kept", "skip")
    assert check["reason"] == "it grants one lease at a time"
    assert summary == {"event": "summary", "pass": 0, "fail": 0, "skip": 1}
    assert ended.code == 0


async def test_files_are_tried_with_a_function_of_the_worker(tmp_path: Path) -> None:
    app = "--app tests.support.conformance.files_app:app"
    ended = await signoff("conformance", "--command", f"{WORKER} {app}", "--only", "files", cwd=tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.out.splitlines()[-1] == "15 passed, 0 failed, 0 skipped"


async def test_a_worker_that_somebody_else_starts_is_waited_for_and_cannot_be_ended(tmp_path: Path) -> None:
    flags = ("--only", "ping.answered", "--only", "leave.idle", "--json")
    kit = await start_signoff("conformance", *flags, cwd=tmp_path)
    assert kit.stderr is not None
    async with asyncio.timeout(60):
        address = (await kit.stderr.readline()).decode().split()[-1]
        worker = await asyncio.create_subprocess_exec(*OURS.split(), "--runner", address, env=environment())
        out, _ = await kit.communicate()
        worker.terminate()
        await worker.wait()
    ping, leave, summary = map(json.loads, out.splitlines())
    assert (ping["outcome"], leave["outcome"], summary["skip"]) == ("pass", "skip", 1)
    assert "--command" in leave["reason"]
    assert kit.returncode == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--only", "stream.nowhere"], "expected checks among hello.form, hello.waits,"),
        (["--command", "no-such-program {address}"], "cannot start 'no-such-program': No such file or directory"),
        (["--command", "node worker.js"], "expected a command line with {address} in it, but got 'node worker.js'"),
        (["--command", "node 'worker.js {address}"], "expected a command line, but got"),
        (["--command", f"{sys.executable} -c 'exit(\"no luck\")' {{address}}"], "exit code 1; its last words: no luck"),
        (["--wait", "0.05"], "no worker to try: expected the worker to open a stream within 0.05 s, but it did not"),
        (["--address", "127.0.0.1:99999"], "expected host:port with a port from 0 to 65535"),
        (["--role", "planner"], "'planner' is not one of 'executor', 'validator'"),
        (["--command", WORKER, "--role", "validator"], "expected a worker of role validator, but got one of role exec"),
    ],
)
async def test_what_is_wrong_with_the_input_is_one_line_and_exit_code_2(
    flags: list[str], said: str, tmp_path: Path
) -> None:
    ended = await signoff("conformance", *flags, cwd=tmp_path)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


async def test_an_address_that_somebody_uses_is_refused(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        address = f"127.0.0.1:{held.getsockname()[1]}"
        ended = await signoff("conformance", "--address", address, cwd=tmp_path)
    assert ended.code == 2
    assert f"cannot listen on {address}: is another process using it?" in ended.err


async def test_ctrl_c_leaves_no_worker_behind(tmp_path: Path) -> None:
    name = f"left-behind-{tmp_path.name}"
    kit = await start_signoff("conformance", "--command", f"{WORKER} --name {name}", "--json", cwd=tmp_path)
    assert kit.stdout is not None
    async with asyncio.timeout(60):
        await kit.stdout.readline()
        kit.send_signal(2)
        await kit.communicate()
    assert kit.returncode == 130
    assert not list(processes_with(f"--name {name}"))
