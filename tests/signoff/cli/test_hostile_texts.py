"""Every command on a real terminal, with a plan, models and workers whose texts try to steer it."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import signal
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from signoff.cli.app import app
from signoff.display.visible_text import visible
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.processes.commands import ROOT, signoff
from tests.support.processes.ptys import on_terminal
from tests.support.processes.shared_services import services_in
from tests.support.servers.fake_runner import (
    EXECUTION_ID,
    PLAN_ID,
    FakeRunner,
    at,
    execution,
    listening,
    signed_off,
    with_files,
)

#: Styles, a title, a clear screen in C1, a question to the terminal, a backspace, bidi, zero width, tags, markup.
HOSTILE = (
    "x\x1b[7;7;7mSGR\x1b]0;title\x07\x9b2J\x1b[6n\x7f\b\u202egnp\u2066\u200b\u2028\r\U000e0041"
    "[bold red]MARKUP[/bold red]"
)
#: What the program itself writes: colours, the second screen, the cursor, erased lines.
OWN = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?(?:1049|25)[hl]|\x1b\[[0-9;]*[HJK]|\r(?=\n)")
#: What textual writes besides: the mouse, modes and what it asks the terminal.
OF_TEXTUAL = re.compile(r"\x1b\[[<>=?]?[0-9;]*\$?[a-zA-Z]|\x1b\]22;\w+\x07|\x1b[78]|\r+(?=\n)")
CONTENT = f"# a result\n{HOSTILE}\n".encode()
NEVER_ANSWERS = "127.0.0.1:1"

SAFE = ("task_id", "execution_id", "plan_id", "digest", "lease_id", "request_id", "cause_task_id", "currency")


def poisoned(message: Any) -> Any:
    """Returns the message with a hostile text in every field that is a text and no id."""
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING and not field.name.endswith(SAFE):
            if field.is_repeated:
                getattr(message, field.name).append(HOSTILE)
            else:
                setattr(message, field.name, HOSTILE)
        elif _maps_texts(field):
            getattr(message, field.name)[HOSTILE] = HOSTILE
    for _, value in message.ListFields():
        for part in value if isinstance(value, Sequence) else (value,):
            if isinstance(part, Message):
                poisoned(part)
    return message


def _maps_texts(field: FieldDescriptor) -> bool:
    kind = field.message_type
    if kind is None or not kind.GetOptions().map_entry:
        return False
    return bool(kind.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING)


def events() -> list[pb.Event]:
    """Returns a hostile event of every kind, of the task a, with a result in each verdict."""
    told = []
    for number, field in enumerate(pb.Event.DESCRIPTOR.oneofs_by_name["kind"].fields, 1):
        event = pb.Event(sequence=number, task_id="" if field.name.startswith("execution") else "a")
        event.at.CopyFrom(at(number))
        body = getattr(event, field.name)
        body.SetInParent()
        for name in ("outage", "unread", "by", "signed_off_by"):
            if name in body.DESCRIPTOR.fields_by_name:
                getattr(body, name).SetInParent()
        if "results" in body.DESCRIPTOR.fields_by_name:
            body.results.add(outcome=pb.OUTCOME_FAIL)
        if field.name == "usage_recorded":
            body.attempt, body.phase, body.requests, body.input_tokens = 1, pb.PHASE_EXECUTE, 1, 7
        told.append(poisoned(event))
    return told


def hostile_runner(state: pb.ExecutionState.ValueType = pb.EXECUTION_STATE_SUCCEEDED) -> FakeRunner:
    runner = FakeRunner(execution=poisoned(execution(state, sequence=1, done=1, undone=1)))
    runner.execution.currency = "[bold red]USD[/bold red]"
    runner.execution.usage.add(requests=1, input_tokens=7)
    poisoned(runner.execution)
    waiting = pb.TaskState(task_id="b", stage=2, status=pb.TASK_STATUS_EXECUTION_FAILED, attempt=2)
    waiting.waiting.waiting_for = pb.WAITING_FOR_RETRY_COMMAND
    runner.tasks = [poisoned(signed_off("a", CONTENT)), poisoned(waiting)]
    runner.tasks[0].artifact.unread.examples.add(task_id="a")
    poisoned(runner.tasks[0])
    runner.contents = {"a": CONTENT}
    runner.events = events()
    runner.thinking = [runner_pb2.Thinking(task_id="b", text=HOSTILE)]
    runner.workers = [poisoned(runner_pb2.Worker(connected=True, slots=1))]
    runner.canaries = [poisoned(pb.CanaryTally(good=2, false_rejects=1))]
    runner.candidates = [(_candidate(1), b"before " + CONTENT), (_candidate(2), CONTENT)]
    prompt = json.dumps([{"role": HOSTILE, "content": HOSTILE}]).encode()
    info = runner_pb2.PromptInfo(attempt=2, phase=pb.PHASE_EXECUTE, size_bytes=len(prompt))
    info.digest = hashlib.sha256(prompt).hexdigest()
    info.worker = HOSTILE
    runner.prompts = [(info, prompt)]
    runner.thoughts = runner_pb2.GetThinkingResponse(attempt=2, phase=pb.PHASE_EXECUTE, text=HOSTILE)
    runner.warnings = [HOSTILE]
    return runner


def _candidate(attempt: int) -> pb.CandidateInfo:
    content = CONTENT if attempt == 2 else b"before " + CONTENT
    info = pb.CandidateInfo(state=pb.CANDIDATE_STATE_WAITS_FOR_PERSON, attempts=[1, 2])
    info.artifact.task_id, info.artifact.attempt = "b", attempt
    info.results.add(outcome=pb.OUTCOME_FAIL)
    info.artifact.unread.SetInParent()
    poisoned(info)
    info.artifact.digest, info.artifact.size_bytes = hashlib.sha256(content).hexdigest(), len(content)
    return info


def hostile_plan(folder: Path, *, broken: bool = False) -> Path:
    """Writes a plan with hostile texts everywhere, and a hostile name. A broken one waits for what does not exist."""
    task: dict[str, Any] = {
        "task_id": "a",
        "description": HOSTILE,
        "input": {"description": HOSTILE},
        "output": {"description": HOSTILE, "artifact": HOSTILE, "format": HOSTILE},
        "validation": {"description": HOSTILE, "criteria": [HOSTILE, f"contains '{HOSTILE}'"]},
        HOSTILE: HOSTILE,
    }
    task["dependencies"] = [HOSTILE] if broken else []
    file = folder / f"{HOSTILE.replace('/', '')}.json"
    file.write_text(json.dumps({"idea": HOSTILE, "tasks": [task], HOSTILE: HOSTILE}))
    return file


def assert_visible(shown: str, own: re.Pattern[str] = OWN) -> None:
    """Checks that nothing but the program's own styles has reached the terminal, and that markup was not read."""
    for steering in ("\x1b[7;7;7m", "\x1b[6n", "\x1b]0;title", "\x9b"):
        assert steering not in shown
    text = own.sub("", shown)
    assert text == visible(text), f"expected visible text, but got {text!r}"
    assert "MARKUP" not in text or "[bold" in text, f"expected markup as it stands, but got {text!r}"


# ---------------------------------------------------------------- commands that ask and order

ASKING: dict[str, tuple[str, ...]] = {
    "watch": (PLAN_ID,),
    "top": (PLAN_ID,),
    "status": (PLAN_ID,),
    "why": (PLAN_ID,),
    "story": (PLAN_ID, "a"),
    "artifact": (PLAN_ID, "a"),
    "candidate": (PLAN_ID, "b"),
    "export": (PLAN_ID, "-o", "out"),
    "prompt": (PLAN_ID, "b"),
    "thinking": (PLAN_ID, "b"),
    "cost": (PLAN_ID, "--by-task"),
    "workers": (),
    "pause": (EXECUTION_ID, "--reason", HOSTILE),
    "resume": (PLAN_ID,),
    "stop": (PLAN_ID, "--reason", HOSTILE),
    "budget": (PLAN_ID,),
    "approve": (PLAN_ID, "b"),
    "reject": (PLAN_ID, "b", "--reason", HOSTILE),
    "retry": (PLAN_ID, "b"),
    "prune": ("--older-than", "30d"),
    "backup": (f"{HOSTILE.replace('/', '')}.tar",),
}
#: Commands with a test of their own below.
WORKING = {"run", "submit", "diff", "compile", "graph", "serve", "ui", "worker", "conformance", "restore"}
SHOWS_NONE = {"budget", "prune"}  # the fake runner has no budget; a prune is told in numbers


def test_every_command_is_driven() -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        names |= {one.name or one.callback.__name__ for one in group.typer_instance.registered_commands if one.callback}
    assert {name.replace("_", "-") for name in names} == set(ASKING) | WORKING


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            name, marks=() if name in SHOWS_NONE else pytest.mark.guard(name="hidden characters are written out")
        )
        for name in sorted(set(ASKING) - {"top"})
    ],
)
async def test_a_command_shows_what_it_was_told_and_obeys_none_of_it(command: str, tmp_path: Path) -> None:
    state = pb.EXECUTION_STATE_RUNNING if command == "pause" else pb.EXECUTION_STATE_SUCCEEDED
    async with (
        listening(hostile_runner(state)) as address,
        on_terminal(command, *ASKING[command], "--runner", address, cwd=tmp_path, width=120) as terminal,
    ):
        if command in ("approve", "reject", "prune"):
            await terminal.until("[y/N] ")
            terminal.type("y\n")
        assert await terminal.ended() in (0, 1), terminal.text
        assert_visible(terminal.text)
        assert command in SHOWS_NONE or "\\x1b[7;7;7" in re.sub(r"\s", "", OWN.sub("", terminal.text))


async def test_top_shows_what_it_was_told_and_obeys_none_of_it(tmp_path: Path) -> None:
    async with (
        listening(hostile_runner()) as address,
        on_terminal("top", PLAN_ID, "--runner", address, cwd=tmp_path, width=120, height=40) as terminal,
    ):
        for key in "wwyq":
            await terminal.until("7;7;7")
            terminal.type(key)
        terminal.type("\x1b\x1b\x1bq")
        await terminal.ended()
        assert_visible(terminal.text, OF_TEXTUAL)


@pytest.mark.parametrize(
    "flags",
    [
        ("artifact", "c"),
        ("approve", "c"),
        pytest.param(("candidate", "c"), marks=pytest.mark.long),
        pytest.param(("export", "-o", "out"), marks=pytest.mark.long),
    ],
)
async def test_names_of_files_are_visible(flags: tuple[str, ...], tmp_path: Path) -> None:
    runner = hostile_runner()
    state, manifest = with_files("c", {"x\u034f\u115f[bold red]MARKUP[/bold red].txt": CONTENT})
    runner.tasks.append(state)
    runner.contents["c"], runner.bodies[hashlib.sha256(CONTENT).hexdigest()] = manifest, CONTENT
    info = pb.CandidateInfo(artifact=state.artifact, state=pb.CANDIDATE_STATE_WAITS_FOR_PERSON, attempts=[1])
    runner.candidates = [(info, manifest)]
    command, *more = flags
    async with (
        listening(runner) as address,
        on_terminal(command, PLAN_ID, *more, "--runner", address, cwd=tmp_path, width=120) as terminal,
    ):
        if command == "approve":
            await terminal.until("[y/N] ")
            terminal.type("y\n")
        assert await terminal.ended() == 0, terminal.text
        assert_visible(terminal.text)
        assert command == "export" or "x\\u034f\\u115f[boldred]" in re.sub(r"\s", "", OWN.sub("", terminal.text))


async def test_a_list_of_executions_is_visible_too(tmp_path: Path) -> None:
    async with (
        listening(hostile_runner()) as address,
        on_terminal("status", "--runner", address, cwd=tmp_path) as terminal,
    ):
        assert await terminal.ended() == 0
        assert_visible(terminal.text)


@pytest.mark.parametrize("command", ["watch", "status", "story", "artifact", "candidate", "workers"])
@pytest.mark.guard(name="hidden characters are escaped in JSON")
async def test_json_on_a_terminal_is_visible_and_means_the_same(command: str, tmp_path: Path) -> None:
    async with (
        listening(hostile_runner()) as address,
        on_terminal(command, *ASKING[command], "--json", "--runner", address, cwd=tmp_path, width=120) as terminal,
    ):
        assert await terminal.ended() == 0
        assert_visible(terminal.text)
        records = [json.loads(line) for line in terminal.text.splitlines()]
        assert any(map(_has, records))


def _has(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has, value.values())) or any(map(_has, value))
    return any(map(_has, value)) if isinstance(value, list) else isinstance(value, str) and HOSTILE in value


async def test_the_bytes_of_an_artifact_stay_exact_in_a_pipe(tmp_path: Path) -> None:
    async with listening(hostile_runner()) as address:
        piped = await signoff("artifact", PLAN_ID, "a", "--runner", address, cwd=tmp_path)
    assert piped.out == CONTENT.decode()


async def test_a_wrong_command_line_is_quoted_visibly(tmp_path: Path) -> None:
    for arguments in ((HOSTILE,), ("status", f"--{HOSTILE}"), ("run", "p.json", "--max-failures", HOSTILE)):
        async with on_terminal(*arguments, cwd=tmp_path, width=200) as terminal:
            assert await terminal.ended() == 2
            assert_visible(terminal.text)


# ---------------------------------------------------------------- commands that work


@pytest.mark.parametrize("broken", [False, True])
async def test_compiling_shows_a_hostile_plan_visibly(broken: bool, tmp_path: Path) -> None:
    plan = hostile_plan(tmp_path, broken=broken)
    async with on_terminal("compile", plan, cwd=tmp_path, width=200) as terminal:
        assert await terminal.ended() == (2 if broken else 0)
        assert_visible(terminal.text)
        assert "7;7;7" in terminal.text
    piped = await signoff("compile", plan, cwd=tmp_path)
    assert broken or json.loads(piped.out)["idea"] == HOSTILE


@pytest.mark.parametrize("flags", [(), ("--format", "mermaid"), ("--json",)])
async def test_the_graph_of_a_hostile_plan_is_visible(flags: tuple[str, ...], tmp_path: Path) -> None:
    async with on_terminal("graph", hostile_plan(tmp_path), *flags, cwd=tmp_path, width=200) as terminal:
        assert await terminal.ended() == 0
        assert_visible(terminal.text)
        assert "7;7;7" in terminal.text


async def test_running_a_hostile_plan_draws_it_visibly(tmp_path: Path) -> None:
    plan = hostile_plan(tmp_path)
    async with on_terminal("run", plan, "--model", "mock:delay=0.05", cwd=tmp_path, width=200) as terminal:
        assert await terminal.ended() in (0, 1)
        assert_visible(terminal.text)
        assert "7;7;7" in terminal.text


async def test_the_differences_of_a_hostile_plan_are_visible(tmp_path: Path) -> None:
    plan = hostile_plan(tmp_path)
    async with services_in(tmp_path):
        await signoff("run", plan, "--model", "mock", cwd=tmp_path)
        plan.write_text(plan.read_text().replace('"description": "', '"description": "Now '))
        async with on_terminal("diff", plan, "--model", "mock", cwd=tmp_path, width=200) as terminal:
            assert await terminal.ended() == 0
            assert_visible(terminal.text)
            assert "7;7;7" in terminal.text


async def test_services_announce_themselves_visibly_and_take_a_plan(tmp_path: Path) -> None:
    folder = HOSTILE.replace("/", "")
    addresses = ("--planner-address", "127.0.0.1:0", "--runner-address", "127.0.0.1:0")
    workers = ("--executors", "1", "--validators", "1", "--model", "mock")
    async with on_terminal("serve", "--data-dir", folder, *addresses, *workers, cwd=tmp_path, width=300) as terminal:
        await terminal.until("logs in")
        planner, runner = re.findall(r"(?:planner|runner) at (\S+)", terminal.text)
        there = ("--planner", planner, "--runner", runner)
        async with on_terminal("submit", hostile_plan(tmp_path), *there, cwd=tmp_path, width=200) as submitted:
            assert await submitted.ended() in (0, 1)
            assert_visible(submitted.text)
        terminal.type("\x03")
        assert await terminal.ended() == 0
        assert_visible(terminal.text.replace("^C", ""))
        assert "7;7;7" in terminal.text


async def test_a_hostile_archive_is_refused_visibly(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(HOSTILE))
    async with on_terminal("restore", "a.tar", "--into", HOSTILE, cwd=tmp_path, width=200) as terminal:
        assert await terminal.ended() == 2
        assert_visible(terminal.text)
        assert "7;7;7" in terminal.text


async def test_a_worker_logs_visibly(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"raise ValueError({HOSTILE!r})\n")
    flags = ("--role", "executor", "--runner", NEVER_ANSWERS, "--app", "app:app")
    async with on_terminal("worker", *flags, cwd=tmp_path, width=200) as terminal:
        assert await terminal.ended() == 2
        assert_visible(terminal.text)
        assert "7;7;7" in terminal.text
    named = ("--role", "executor", "--runner", NEVER_ANSWERS, "--model", "mock", "--name", HOSTILE)
    async with on_terminal("worker", *named, cwd=tmp_path, width=200) as terminal:
        await terminal.until("7;7;7")
        terminal.process.send_signal(signal.SIGKILL)
        await terminal.ended()
        assert_visible(terminal.text)


async def test_the_last_words_of_a_worker_under_test_are_visible(tmp_path: Path) -> None:
    script = tmp_path / "worker.sh"
    script.write_bytes(b"#!/bin/sh\nprintf '%s' '" + HOSTILE.encode() + b"'\nexit 3\n")
    script.chmod(0o755)
    async with on_terminal("conformance", "--command", f"{script} {{address}}", cwd=tmp_path, width=200) as terminal:
        assert await terminal.ended() in (1, 2)
        assert_visible(terminal.text)
        assert "7;7;7" in terminal.text


# ---------------------------------------------------------------- a command that is to come

PRINTERS = {"signoff.cli.show.output", "signoff.cli.show.console", "signoff.cli.app"}
FORBIDDEN_NAMES = {"print", "Console"}
FORBIDDEN_ATTRIBUTES = {("sys", "stdout"), ("sys", "stderr"), ("typer", "echo"), ("typer", "secho"), ("os", "write")}
LOOKS = {"signoff.cli.flags"}  # asks whether standard output is a terminal, for the help


def test_no_other_module_of_the_command_line_prints() -> None:
    for folder in ("signoff/cli", "signoff/local", "signoff/conformance"):
        for path in (ROOT / folder).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if name not in PRINTERS | LOOKS:
                assert list(_prints(ast.parse(path.read_text()))) == [], f"{name}: print through CommandOutput"


def _prints(tree: ast.Module) -> Any:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
            yield node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = (node.value.id, node.attr)
            if found in FORBIDDEN_ATTRIBUTES or (node.value.id == "output" and node.attr in ("out", "err")):
                yield found
