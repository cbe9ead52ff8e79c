"""kill -9 at any moment: what was acknowledged is kept, and the execution goes on without an operator."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from runner_svc.store.sqlite import SqliteStore
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.local.services import LocalServices, LocalSettings
from signoff.v1 import execution_pb2
from tests.support.processes.commands import EXAMPLES, kill_one, start_signoff, until

AI_TRENDS = EXAMPLES / "ai_trends" / "plan.json"


async def test_the_runner_killed_in_the_middle_of_a_run_goes_on_and_nothing_done_is_done_again(tmp_path: Path) -> None:
    data = tmp_path / "db"
    run = await start_signoff("run", AI_TRENDS, "--model", "mock:delay=0.1", "--data-dir", data, cwd=tmp_path)
    await until(run, " done ", times=4)
    kill_one("runner_svc", str(data))
    async with asyncio.timeout(60):
        out, err = await run.communicate()
    assert run.returncode == 0, err.decode()
    assert "13 of 13 signed off" in out.decode()
    _check(await _journal(data))


async def _journal(data: Path) -> list[execution_pb2.Event]:
    """Returns all events of the one execution in a data directory that no runner uses."""
    store = SqliteStore(data / ".signoff" / "journal.db")
    await store.open()
    rows, _ = await store.everything(0, 10_000)
    await store.close()
    return [execution_pb2.Event.FromString(row.body) for row in rows if row.journal]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
async def test_services_killed_at_random_moments_lose_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    settings = LocalSettings(data_dir=tmp_path, executors=4, validators=3, model="mock:delay=0.05")
    async with (
        LocalServices(settings, lambda _: None) as services,
        Client(planner=services.planner_address, runner=services.runner_address) as client,
    ):
        await client.compile_plan(AI_TRENDS.read_bytes(), plan_id="trends")
        await client.set_layout("trends")
        execution = await client.start("trends")
        events: list[execution_pb2.Event] = []
        async with asyncio.timeout(120):
            async for message in client.watch(by_execution(execution.execution_id), after=0):
                assert isinstance(message, execution_pb2.Event)
                events.append(message)
                if message.sequence in (chance.randrange(4, 20), chance.randrange(20, 40)):
                    victim = services._children[chance.choice(["runner", "executor-1", "validator-1"])]
                    os.kill(victim.process.pid, signal.SIGKILL)
    _check(events)


def _check(events: list[execution_pb2.Event]) -> None:
    """Checks that events have no gaps, that each task passes once and last, and each attempt has one candidate."""
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].WhichOneof("kind") == "execution_succeeded"
    passed: set[str] = set()
    candidates: Counter[tuple[str, int]] = Counter()
    for event in events:
        kind = event.WhichOneof("kind")
        assert not (event.task_id in passed and kind in ("task_assigned", "verdict_passed"))
        if kind == "verdict_passed":
            passed.add(event.task_id)
        elif kind == "candidate_stored":
            candidates[event.task_id, event.candidate_stored.attempt] += 1
    assert len(passed) == 13
    assert max(candidates.values()) == 1
