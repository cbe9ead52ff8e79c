"""The example of feedback runs as its page says: real processes, and a scripted server in place of a model."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.processes.commands import EXAMPLES, in_turn, signoff, start_signoff, until
from tests.support.processes.shared_services import services_in

EXAMPLE = EXAMPLES / "feedback"
WITHIN = 30.0  # seconds


@pytest.fixture
async def scripted(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Runs the example's own server on a free port, and puts its address into the environment."""
    server = await asyncio.create_subprocess_exec(sys.executable, EXAMPLE / "scripted_model.py", "0", stdout=PIPE)
    try:
        assert server.stdout is not None
        line = await asyncio.wait_for(server.stdout.readline(), WITHIN)
        name, _, url = line.decode().strip().partition("=")
        monkeypatch.setenv(name, url)
        yield
    finally:
        server.kill()
        await server.communicate()


@pytest.mark.usefixtures("scripted")
async def test_what_is_rejected_is_mended_with_the_reasons_and_all_of_it_is_counted(tmp_path: Path) -> None:
    command = ("run", EXAMPLE / "plan.json", "--model", "scripted", "--prices", EXAMPLE / "prices.toml")
    ended = await signoff(*command, cwd=tmp_path, keep=["OPENAI_BASE_URL"])
    assert ended.code == 0, ended.err
    rejected = re.findall(r"attempt 1 was rejected by the validator validator-\d+: (.*)", ended.out)
    assert any(told.startswith("It says in which year it happened: no year is named") for told in rejected)
    assert any(told.startswith("At most 20 words: expected at most 20 words, but got 25") for told in rejected)
    assert "scripted would judge what it has made itself" in ended.err
    output = json.loads((tmp_path / "db" / "feedback" / "1" / "output.json").read_text())
    assert (output["attempt"], output["content"][:8]) == (2, "In 1969,")
    told = await signoff("cost", "feedback", "--json", cwd=tmp_path)
    records = [json.loads(line) for line in told.out.splitlines()]
    totals = [record for record in records if "phase" in record]
    assert [(total["phase"], total["requests"], total["currency"]) for total in totals] == [
        ("execute", 4, "EUR"),
        ("validate", 3, "EUR"),
    ]
    assert all(total["cost_nanos"] > 0 and "unpriced_tokens" not in total for total in totals)
    fates = [(fate["what"], fate.get("kind"), fate["times"]) for record in records if (fate := record.get("fate"))]
    assert sorted(fates, key=str) == [("rejected", "check", 1), ("rejected", "judge", 1), ("signed-off", None, 2)]


@pytest.mark.usefixtures("scripted")
async def test_a_budget_that_is_used_up_ends_the_run_and_the_same_command_goes_on_with_a_raised_one(
    tmp_path: Path,
) -> None:
    command = ("run", EXAMPLE / "plan.json", "--model", "scripted", "--budget-tokens", "3000")
    keep = ["OPENAI_BASE_URL"]
    async with services_in(tmp_path, model="scripted"):
        ended = await asyncio.wait_for(signoff(*command, cwd=tmp_path, keep=keep), WITHIN)
        assert ended.code == 3, ended.err
        assert "feedback is paused: 1 of 2 signed off (the budget of the execution is used up" in ended.out
        assert (await signoff("budget", "feedback", "--tokens", "100000", cwd=tmp_path)).code == 0
        ended = await asyncio.wait_for(signoff(*command, cwd=tmp_path, keep=keep), WITHIN)
        assert ended.code == 0, ended.err


@pytest.mark.long
@pytest.mark.usefixtures("scripted")
async def test_a_run_that_waits_goes_on_once_the_budget_is_raised_and_it_is_resumed(tmp_path: Path) -> None:
    command = ("run", EXAMPLE / "plan.json", "--model", "scripted", "--json", "--wait")
    keep = ["OPENAI_BASE_URL"]
    running = await start_signoff(*command, "--budget-tokens", "3000", cwd=tmp_path, keep=keep)
    await until(running, '"execution-paused"', within=WITHIN)
    why, *ordered = await in_turn(
        ("why", "feedback"), ("budget", "feedback", "--tokens", "100000"), ("resume", "feedback"), cwd=tmp_path
    )
    assert "the budget of the execution is used up" in why.out
    assert [order.code for order in ordered] == [0, 0]
    _, err = await asyncio.wait_for(running.communicate(), WITHIN)
    assert running.returncode == 0, err.decode()
