"""Programs whose caller has closed standard streams: they work, and say so when an answer is lost."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from signoff.service.exit_codes import EXIT_BAD_INPUT
from tests.support.processes.commands import ROOT, ProcessResult, environment
from tests.support.servers.service import until

PLAN = ROOT / "examples" / "feedback" / "plan.json"
ALL_CLOSED = "<&- >&- 2>&-"


async def start(closed: str, *arguments: str, cwd: Path) -> asyncio.subprocess.Process:
    """Starts `python -m …` with standard streams that a shell has closed."""
    return await asyncio.create_subprocess_exec(
        *("sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", *arguments),
        cwd=cwd,
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(closed: str, *arguments: str, cwd: Path) -> ProcessResult:
    process = await start(closed, *arguments, cwd=cwd)
    out, err = await process.communicate()
    assert process.returncode is not None
    return ProcessResult(process.returncode, out.decode(), err.decode())


@pytest.mark.guard(name="a lost answer is an error")
@pytest.mark.parametrize("arguments", [("compile", str(PLAN)), ("--help",), ("--version",)])
async def test_an_answer_to_a_closed_standard_output_is_an_error(arguments: tuple[str, ...], tmp_path: Path) -> None:
    lost = await ended(">&-", "signoff.cli", *arguments, cwd=tmp_path)
    assert (lost.code, lost.lines[-1]) == (1, "signoff: [Errno 9] Bad file descriptor")
    assert "Traceback" not in lost.err


async def test_a_closed_standard_input_is_an_empty_one(tmp_path: Path) -> None:
    empty = await ended("<&-", "signoff.cli", "compile", "-", cwd=tmp_path)
    assert empty.code == 2
    assert "plan.json must be JSON" in empty.err


async def test_a_closed_standard_error_takes_nothing_from_the_answer(tmp_path: Path) -> None:
    compiled = await ended("2>&-", "signoff.cli", "compile", str(PLAN), cwd=tmp_path)
    assert (compiled.code, compiled.out[:1]) == (0, "{")


async def test_files_are_written_without_any_standard_stream(tmp_path: Path) -> None:
    compiled = await ended(ALL_CLOSED, "signoff.cli", "compile", str(PLAN), "-o", "execution.json", cwd=tmp_path)
    assert compiled.code == 0
    assert (tmp_path / "execution.json").read_text()[:1] == "{"


@pytest.mark.parametrize("module", ["planner_svc", pytest.param("runner_svc", marks=pytest.mark.long)])
async def test_a_service_works_without_any_standard_stream(module: str, tmp_path: Path) -> None:
    service = await start(ALL_CLOSED, module, "--data-dir", "db", "--address-file", "address", cwd=tmp_path)
    await until(lambda: service.returncode is not None or (tmp_path / "address").exists(), "it listens, or has ended")
    assert service.returncode is None
    service.send_signal(signal.SIGTERM)
    assert await service.wait() == 0


async def test_a_worker_is_asked_for_help_in_vain(tmp_path: Path) -> None:
    asked = await ended(">&-", "worker_svc", "--help", cwd=tmp_path)
    assert (asked.code, asked.err) == (0, "")


@pytest.mark.guard(name="an end that cannot be awaited is refused")
async def test_a_service_that_is_to_end_with_its_standard_input_is_given_one(tmp_path: Path) -> None:
    refused = await ended("", "planner_svc", "--data-dir", "db", "--stop-on-stdin-eof", cwd=tmp_path)
    assert refused.code == EXIT_BAD_INPUT
    assert refused.lines == [
        "planner_svc: --stop-on-stdin-eof: expected a pipe, a socket or a terminal as standard input, "
        "but got something else"
    ]
