"""Nothing is left of a command, nor of what it has started, even when it is cancelled or its worker is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
import structlog

from signoff.v1 import execution_pb2
from tests.support.processes.commands import ROOT
from tests.support.work.givens import Heard
from tests.support.work.programs import (
    FAMILY,
    STUBBORN,
    WITHIN,
    commanded,
    family_of,
    gone,
    is_alive,
    left_in,
    python,
)
from worker_svc.assignment import CandidateResult, FailureResult
from worker_svc.commands import CommandExecutor, launcher, process

TRANSIENT = execution_pb2.FAILURE_KIND_TRANSIENT


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def executor(base: Path) -> CommandExecutor:
    return CommandExecutor(base)


@pytest.mark.parametrize("program", [FAMILY, STUBBORN], ids=["polite", "stubborn"])
async def test_a_cancelled_command_ends_with_all_it_has_started(
    executor: CommandExecutor, base: Path, program: str
) -> None:
    heard = Heard()
    running = asyncio.create_task(executor(python(program), heard))
    family = await family_of(heard)
    assert all(map(is_alive, family))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, WITHIN)
    assert [pid for pid in family if is_alive(pid)] == []
    assert left_in(base) == []


async def test_a_program_is_asked_before_it_is_killed(executor: CommandExecutor, tmp_path: Path) -> None:
    farewell = tmp_path / "farewell"
    program = (
        "import pathlib, signal, sys, time\n"
        f"def leave(*_): pathlib.Path({str(farewell)!r}).write_text('bye'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "print('here', file=sys.stderr, flush=True)\n"
        "time.sleep(600)"
    )
    heard = Heard()
    running = asyncio.create_task(executor(python(program), heard))
    await asyncio.wait_for(heard.heard.wait(), WITHIN)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, WITHIN)
    assert farewell.read_text() == "bye"


async def test_a_cancelled_command_never_begins_when_it_had_not(executor: CommandExecutor, base: Path) -> None:
    for turns in range(12):
        running = asyncio.create_task(executor(commanded("sleep", "600"), Heard()))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, WITHIN)
    assert left_in(base) == []


async def test_cancelling_again_does_not_cut_the_end_short(executor: CommandExecutor, base: Path) -> None:
    heard = Heard()
    running = asyncio.create_task(executor(python(STUBBORN), heard))
    family = await family_of(heard)
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, WITHIN)
    assert [pid for pid in family if is_alive(pid)] == []
    assert left_in(base) == []


async def test_a_command_ends_with_its_program_even_if_another_holds_its_output(executor: CommandExecutor) -> None:
    program = FAMILY.replace("time.sleep(600)", "print('done')")
    heard = Heard()
    result = await asyncio.wait_for(executor(python(program), heard), WITHIN)
    assert isinstance(result, CandidateResult)
    assert result.content == b"done\n"
    assert [pid for pid in await family_of(heard) if is_alive(pid)] == []


async def test_a_killed_worker_leaves_neither_processes_nor_a_folder(base: Path) -> None:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.processes.lonely_worker", str(base)), cwd=ROOT, stdout=PIPE
    )
    assert worker.stdout is not None
    said = await asyncio.wait_for(worker.stdout.readline(), WITHIN)
    family = [int(pid) for pid in said.split()]
    assert all(map(is_alive, family))
    assert len(left_in(base)) == 1
    worker.kill()
    await worker.wait()
    await gone(*reversed(family))  # the launcher comes first in it, and goes last
    assert left_in(base) == []


async def test_a_killed_launcher_takes_its_program_along(
    executor: CommandExecutor, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "DRAIN_WITHIN", 0.1)  # what the program has started holds its output
    heard = Heard()
    running = asyncio.create_task(executor(python(FAMILY), heard))
    its_launcher, program, near, away = await family_of(heard)
    os.kill(its_launcher, signal.SIGKILL)
    try:
        result = await asyncio.wait_for(running, WITHIN)
        await gone(program)
    finally:
        for orphan in (near, away):
            os.kill(orphan, signal.SIGKILL)
    assert isinstance(result, FailureResult)
    assert result.kind == TRANSIENT
    assert "the process that was to run it ended with code -9 and without a report" in result.message
    assert left_in(base) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_launcher_that_is_asked_to_end_ends_its_program_first(
    executor: CommandExecutor, number: signal.Signals
) -> None:
    heard = Heard()
    running = asyncio.create_task(executor(python(FAMILY), heard))
    family = await family_of(heard)
    os.kill(family[0], number)
    result = await asyncio.wait_for(running, WITHIN)
    assert isinstance(result, FailureResult)
    assert result.kind == TRANSIENT
    assert "was ended by SIGTERM" in result.message
    assert [pid for pid in family if is_alive(pid)] == []


async def test_a_launcher_that_is_stuck_is_given_up(
    executor: CommandExecutor, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "END_WITHIN", 0.1)
    heard = Heard()
    program = "import os, sys, time; print(os.getppid(), os.getpid(), file=sys.stderr, flush=True); time.sleep(600)"
    running = asyncio.create_task(executor(python(program), heard))
    family = await family_of(heard)
    os.kill(family[0], signal.SIGSTOP)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, WITHIN)
    await gone(*family)
    assert left_in(base) == []


LOCKED = """
import os, pathlib, stat, tempfile
import shutil, subprocess
from worker_svc.commands import launcher
os.geteuid() or os.setuid(65534)  # root may enter any folder
top = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
elsewhere, folder = top / "elsewhere", top / "folder"
(folder / "a" / "b").mkdir(parents=True)
(folder / "a" / "b" / "c").touch()
elsewhere.mkdir(mode=0o500)
(folder / "a" / "link").symlink_to(elsewhere)
for path in (folder / "a" / "b", folder / "a", folder):
    path.chmod(0)
launcher.remove(str(folder))
print(folder.exists(), oct(stat.S_IMODE(elsewhere.stat().st_mode)))
elsewhere.chmod(0o700)
shutil.rmtree(top)
"""


def test_folders_that_a_program_has_locked_are_removed_and_what_they_point_to_is_left_alone() -> None:
    command = (sys.executable, "-c", LOCKED)
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=WITHIN)
    assert ended.stdout == "False 0o500\n", ended.stderr


async def test_folders_that_are_nested_very_deep_are_removed(executor: CommandExecutor, base: Path) -> None:
    program = "import os\nfor _ in range(3000): os.mkdir('deeper'); os.chdir('deeper')"
    assert isinstance(await executor(python(program), Heard()), CandidateResult)
    assert left_in(base) == []


async def test_a_folder_that_cannot_be_removed_costs_nothing_but_a_line_in_the_log(
    executor: CommandExecutor, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: str) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(launcher, "remove", refuse)
    with structlog.testing.capture_logs() as lines:
        assert isinstance(await executor(commanded("true"), Heard()), CandidateResult)
    assert [line["event"] for line in lines] == ["folder_not_removed", "folder_left"]
    assert len(left_in(base)) == 1


def test_a_launcher_that_gets_no_order_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    command = (*process.LAUNCHER, str(folder))
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=WITHIN)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert not folder.exists()
