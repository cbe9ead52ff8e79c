"""docs/reference/commands.md says what is true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from signoff.rpc.frames import MAX_CANDIDATE_BYTES
from signoff.v1 import execution_pb2
from tests.support.processes.commands import ROOT
from tests.support.work.givens import Heard, artifact
from tests.support.work.programs import checked, commanded, judged
from worker_svc.assignment import CandidateResult
from worker_svc.commands import CommandChecks, CommandExecutor, launcher
from worker_svc.commands.checks import DEFAULT_TIMEOUT, MAX_REASON_LINES
from worker_svc.commands.executor import MAX_SENT_CHARS
from worker_svc.commands.run import DEFAULT_MEMORY, environment

PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text()
BLOCKS = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]


def section(title: str) -> str:
    """Returns the text under a heading, up to the next one."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


async def test_the_task_of_the_page_runs_and_passes_its_check(tmp_path: Path) -> None:
    task: dict[str, Any] = BLOCKS[0]
    report = artifact("It is short.", name="report", task_id="1")
    command = task["executor"]["command"]
    made = await CommandExecutor(tmp_path)(
        commanded(*command["argv"], inputs=(report,), memory_mib=command["memory_mib"]), Heard()
    )
    assert isinstance(made, CandidateResult)
    assert json.loads(made.content) == {"words": 3}
    (check,) = task["validation"]["checks"]
    assignment = judged(made.content, "application/json")
    result = await CommandChecks(tmp_path)(checked(*check["argv"], timeout=check["timeout"]), assignment, Heard())
    assert result.outcome == execution_pb2.OUTCOME_PASS


async def test_task_json_is_as_the_page_shows_it(tmp_path: Path) -> None:
    made = await CommandExecutor(tmp_path)(commanded("cat", "task.json", inputs=(artifact("x"),)), Heard())
    assert isinstance(made, CandidateResult)
    found, shown = json.loads(made.content), BLOCKS[1]
    assert list(found) == list(shown)
    assert set(found["inputs"][0]) == set(shown["inputs"][0])
    assert (set(found["input"]), set(found["output"])) == (set(shown["input"]), set(shown["output"]))


def test_the_page_names_every_variable_of_the_environment() -> None:
    rows = [line for line in section("Environment").splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])]
    assignment = commanded("true")
    assignment.task.output.files.append("*.md")
    assert sorted(named) == sorted(environment(assignment, Path("/folder"), {}))


def test_the_page_names_the_limits_that_hold() -> None:
    limits = section("Limits")
    assert f"else {DEFAULT_MEMORY // 1024**3} GiB" in limits
    assert f"| one file | {launcher.MAX_FILE_BYTES // 1024**3} GiB |" in limits
    assert f"| open files of each process | {launcher.MAX_OPEN_FILES:,} |" in limits
    assert f"| standard output | {MAX_CANDIDATE_BYTES // 1024**2} MiB |" in limits
    assert f"a check: {DEFAULT_TIMEOUT.total_seconds():g} s, or its `timeout`" in limits
    assert launcher.GRACE == 2
    assert "SIGKILL two seconds later" in limits
    assert f"The last {MAX_SENT_CHARS // 1024} KiB" in section("What it writes")
    assert f"the last {MAX_REASON_LINES} lines of its output" in section("How it ends")
