"""The worker in Node.js passes the conformance kit, and works for the real runner beside our own validators."""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.conformance.command import WorkerCommand
from signoff.local.services import LocalServices, LocalSettings
from signoff.manifest.manifest import BadManifest, FileEntry, manifest_of
from signoff.manifest.patterns import matches
from signoff.plan.inputs import MEDIA_TYPES
from signoff.v1 import execution_pb2
from tests.support.processes.commands import EXAMPLES, kill_one, signoff

FOLDER = EXAMPLES / "node_worker"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
needs_packages = pytest.mark.skipif(
    not (FOLDER / "node_modules").is_dir(), reason="`npm ci --ignore-scripts` was not run in examples/node_worker"
)
pytestmark = [needs_node, needs_packages]


def command(role: str) -> str:
    return f"node {FOLDER / 'worker.js'} --role {role} --runner {{address}} --grace 1"


async def failures(role: str, cwd: Path) -> list[str]:
    """Returns the lines of the kit about failed checks."""
    ended = await signoff("conformance", "--command", command(role), "--role", role, cwd=cwd, within=180)
    assert "passed, " in ended.out, ended.err
    assert ended.code == (1 if "\nfail " in ended.out else 0)
    return [line for line in ended.out.splitlines() if line.startswith("fail")]


@pytest.mark.long  # `.ci/run` has a step for it
@pytest.mark.parametrize("role", ["executor", "validator"])
async def test_it_passes_the_whole_kit(role: str, tmp_path: Path) -> None:
    assert await failures(role, cwd=tmp_path) == []


async def test_it_makes_what_our_validators_sign_off(tmp_path: Path) -> None:
    settings = LocalSettings(data_dir=tmp_path, executors=0, validators=2, model="mock")
    worker = WorkerCommand(command("executor"))
    async with (
        LocalServices(settings, lambda _: None) as services,
        Client(planner=services.planner_address, runner=services.runner_address) as client,
    ):
        await worker.start(services.runner_address)
        try:
            await client.compile_plan((FOLDER / "plan.json").read_bytes(), plan_id="mixed")
            await client.set_layout("mixed")
            execution = await client.start("mixed")
            events = await _watched(client, execution.execution_id)
        finally:
            worker.ask_to_end()
            await asyncio.wait_for(worker.ended(), 15)
            how_it_ended = worker.last_words()
            await worker.kill()
    assert events[-1].WhichOneof("kind") == "execution_succeeded"
    makers = {
        event.task_assigned.worker
        for event in events
        if event.HasField("task_assigned") and event.task_assigned.phase == execution_pb2.PHASE_EXECUTE
    }
    assert len(makers) == 1
    assert makers.pop().startswith("node-executor-")
    report = json.loads((tmp_path / "mixed" / "3" / "output.json").read_text())
    assert "- facts (" in report["content"]
    files = tmp_path / "mixed" / "4" / "files"
    written = {path.relative_to(files).as_posix(): path.read_text() for path in files.rglob("*.*")}
    assert sorted(written) == ["index.md", "sources/facts.txt", "sources/figures.txt", "sources/report.txt"]
    assert written["sources/report.txt"] == report["content"]
    listed = json.loads((tmp_path / "mixed" / "5" / "output.json").read_text())["content"]
    assert listed["read"][1].startswith("site/sources/facts.txt (")
    assert how_it_ended == "it ended with exit code 0 without a word"


async def in_node(module: str, expression: str, cases: Sequence[object]) -> list[object]:
    """Returns what an expression with the exports of a module is for each case."""
    imported = f"import * as module from {json.dumps((FOLDER / module).as_uri())};"
    script = f"{imported} console.log(JSON.stringify({json.dumps(cases)}.map((one) => {expression})))"
    node = await asyncio.create_subprocess_exec("node", "--input-type=module", "-e", script, stdout=PIPE)
    out, _ = await node.communicate()
    found: list[object] = json.loads(out)
    return found


PATHS = ("a", "a.md", "charts/a.md", "charts/2024/a.md", ".env", "charts/.env", "a[1].md", "a1.md", "charts", "é.md")
WANTED = (
    *("a", "*.md", "*", "?.md", "**", "**/*.md", "charts/**", "charts/**/*.md", "**/.env", ".*", "*/.*"),
    *("a[1].md", "a[0-9].md", "[!b]?.md", "[a", "**/**/a.md", "[é]*"),
)


async def test_its_patterns_match_what_ours_match() -> None:
    cases = [(path, pattern) for path in PATHS for pattern in WANTED]
    found = await in_node("patterns.js", "module.matches(one[0], one[1])", cases)
    assert dict(zip(cases, found, strict=True)) == {case: matches(*case) for case in cases}


PATHS_OF_FILES = (
    *(["a/b.md"], ["a b.md", "é.md"], [".env"], ["../a"], ["/a"], ["a//b"], ["a\\b"], ["a\nb"], ["a\u00a0b"], ["."]),
    *(["a.md", "A.md"], ["a", "a/b"], ["é", "e\u0301"], ["ß", "ss"], ["a", "ab"], ["/".join("a" * 100)]),
    *(["/".join("a" * 101)], ["a" * 255], ["a" * 256], ["金" * 85], ["金" * 86], ["a/" + "🪐" * 64 + "/b"]),
    *(["/".join(["a" * 255] * 4)], ["/".join(["a" * 255] * 4) + "/a"], ["/".join(["🪐" * 50] * 11)]),
)


async def test_it_refuses_the_paths_that_ours_refuse() -> None:
    made = "one.map((path) => ({ path, content: Buffer.from('x') }))"
    attempt = f"(() => {{ try {{ module.candidateOf({made}, one); return true }} catch {{ return false }} }})()"
    found = await in_node("manifest.js", attempt, PATHS_OF_FILES)
    assert found == [_may_be_files(paths) for paths in PATHS_OF_FILES]


def _may_be_files(paths: Sequence[str]) -> bool:
    files = [FileEntry(path=path, media_type="text/plain", size=1, digest="0" * 64) for path in paths]
    try:
        manifest_of(files, paths[0])
    except BadManifest:
        return False
    return True


async def test_its_media_types_are_ours() -> None:
    assert json.loads((FOLDER / "media_types.json").read_text()) == dict(MEDIA_TYPES)


async def test_it_goes_on_when_the_runner_was_killed(tmp_path: Path) -> None:
    settings = LocalSettings(data_dir=tmp_path, executors=0, validators=2, model="mock")
    worker = WorkerCommand(command("executor"))
    async with (
        LocalServices(settings, lambda _: None) as services,
        Client(planner=services.planner_address, runner=services.runner_address) as client,
    ):
        await worker.start(services.runner_address)
        try:
            await client.compile_plan(json.dumps(chain(12)).encode(), plan_id="chain")
            await client.set_layout("chain")
            execution = await client.start("chain")
            events = await _watched(client, execution.execution_id, lambda: kill_one("runner_svc", str(tmp_path)))
        finally:
            await worker.kill()
    assert events[-1].WhichOneof("kind") == "execution_succeeded"
    committed = [event.task_id for event in events if event.HasField("verdict_passed")]
    assert sorted(committed) == sorted(set(committed)), "no task was signed off twice"


def chain(length: int) -> dict[str, Any]:
    """Returns a plan of tasks that wait for each other."""
    return {
        "idea": "One thing after another",
        "tasks": [
            {
                "task_id": str(number),
                "description": f"Take step {number}",
                "dependencies": [str(number - 1)] if number > 1 else [],
                "input": {},
                "output": {"artifact": f"step_{number}", "format": "Markdown"},
                "validation": {"checks": [{"type": "length", "min_chars": 1}]},
            }
            for number in range(1, length + 1)
        ],
    }


async def _watched(
    client: Client, execution_id: str, meddle: Callable[[], object] = lambda: None
) -> list[execution_pb2.Event]:
    """Returns all events, to the end of the execution; meddles once, after the fourth candidate."""
    events: list[execution_pb2.Event] = []
    async with asyncio.timeout(90):
        async for message in client.watch(by_execution(execution_id), after=0):
            assert isinstance(message, execution_pb2.Event)
            events.append(message)
            candidates = sum(event.HasField("candidate_stored") for event in events)
            if message.HasField("candidate_stored") and candidates == 4:
                meddle()
    return events


def test_the_lock_file_names_no_registry_of_ours() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text())
    resolved = [package.get("resolved", "") for package in lock["packages"].values()]
    assert [where for where in resolved if where and not where.startswith("https://registry.npmjs.org/")] == []
