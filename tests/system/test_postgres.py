"""The whole of it over PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.processes import EXAMPLES, environment, signoff

AI_TRENDS = EXAMPLES / "ai_trends" / "plan.json"
LEASE = "1"  # seconds


async def test_a_plan_runs_over_postgresql_and_can_be_asked_about_afterwards(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_RUNNER_STORE", dsn)
    monkeypatch.setenv("SIGNOFF_RUNNER_STORE_LEASE", LEASE)
    keep = ("SIGNOFF_RUNNER_STORE", "SIGNOFF_RUNNER_STORE_LEASE")
    ended = await signoff("run", AI_TRENDS, "--model", "mock", cwd=tmp_path, keep=keep)
    assert ended.code == 0, ended.err
    assert "13 of 13 signed off" in ended.out
    assert not (tmp_path / "db" / ".signoff" / "journal.db").exists()
    asked = await signoff("story", "ai_trends", "1_1", cwd=tmp_path, keep=keep)
    assert "signed off" in asked.out, asked.err


async def test_a_second_runner_takes_over_when_the_first_is_frozen_and_the_first_ends_when_it_wakes(
    dsn: str, tmp_path: Path
) -> None:
    first = await start_runner(dsn, tmp_path / "first")
    os.kill(first.pid, signal.SIGSTOP)
    second = await start_runner(dsn, tmp_path / "second")
    os.kill(first.pid, signal.SIGCONT)
    async with asyncio.timeout(30):
        _, said = await first.communicate()
    assert first.returncode == 2
    assert "taken it over" in said.decode()
    assert "Traceback" not in said.decode()
    second.terminate()
    async with asyncio.timeout(30):
        await second.communicate()
    assert second.returncode == 0


async def start_runner(dsn: str, folder: Path) -> asyncio.subprocess.Process:
    """A runner that listens."""
    runner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runner_svc", "--data-dir", str(folder)),
        env={**environment(), "SIGNOFF_RUNNER_STORE": dsn, "SIGNOFF_RUNNER_STORE_LEASE": LEASE},
        stderr=asyncio.subprocess.PIPE,
    )
    assert runner.stderr is not None
    async with asyncio.timeout(30):
        while b"listening" not in (line := await runner.stderr.readline()):
            assert line, "the runner has ended"
    return runner
