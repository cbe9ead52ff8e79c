"""The whole of it over PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes.commands import EXAMPLES, signoff

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
