"""Real services, and an endpoint that is away: the work waits, goes on when it answers, and is paused in the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.commands import ProcessResult, signoff
from tests.support.processes.shared_services import services_in
from tests.support.servers import model_server
from tests.support.servers.model_server import NONCE, ModelServer, Recorded, Reply, status, streams

WITHIN = 60.0  # seconds


def answer(request: Recorded) -> Reply:
    """Answers an executor or a judge, so that everything passes."""
    prompt = request.body["messages"][-1]["content"]
    if "# Criteria" not in prompt:
        return streams("Mars is red.")
    verdict = {
        "criterion": 1,
        "evidence": "Mars is red.",
        "reason": "it says so",
        "outcome": "pass",
        "retry_worthwhile": True,
    }
    return streams(json.dumps({"nonce": NONCE, "verdicts": [verdict]}))


def is_judged(request: Recorded) -> bool:
    return "# Criteria" in request.body["messages"][-1]["content"]


class Moody:
    """An endpoint whose moods change with the seconds since the first request that it could refuse."""

    def __init__(self, away: Reply, *, seconds: float, judge_only: bool = False, period: float = 0.0) -> None:
        self._away, self._seconds, self._judge_only, self._period = away, seconds, judge_only, period
        self._begun = 0.0
        self.refused = 0

    def __call__(self, request: Recorded) -> Reply:
        if self._judge_only and not is_judged(request):
            return answer(request)
        now = asyncio.get_running_loop().time()
        self._begun = self._begun or now
        since = now - self._begun
        is_away = since < self._seconds
        if self._period:
            is_away = is_away and since % (2 * self._period) < self._period
        if is_away:
            self.refused += 1
            return self._away
        return answer(request)


def plan_of(folder: Path, tasks: int, **executor: Any) -> Path:
    folder.mkdir(exist_ok=True)
    made = [
        {
            "task_id": str(number),
            "description": "Name a planet",
            "input": {},
            "output": {"description": "A sentence", "format": "text"},
            "validation": {"criteria": ["It is a sentence that a child would like"]},
            **({"executor": executor} if executor else {}),
        }
        for number in range(1, tasks + 1)
    ]
    path = folder / "planets.json"
    path.write_text(json.dumps({"idea": "planets", "tasks": made}))
    return path


async def run(
    folder: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch, *flags: str, tasks: int = 4, **executor: Any
) -> ProcessResult:
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    plan = plan_of(folder, tasks, **executor)
    keep = ["OPENAI_BASE_URL"]
    return await signoff("run", plan, "--model", "planet-7b", *flags, cwd=folder, keep=keep, within=WITHIN)


@asynccontextmanager
async def the_services(folder: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Runs the services that each `run` in the folder uses."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    async with services_in(folder, model="planet-7b"):
        yield


def events(ended: ProcessResult) -> list[str]:
    return [json.loads(line)["event"] for line in ended.out.splitlines()]


@pytest.mark.parametrize(
    "away",
    [
        status(503, "overloaded"),
        pytest.param(status(500, "no"), marks=pytest.mark.long),
        pytest.param(status(429, "slow down"), marks=pytest.mark.long),
        pytest.param(status(429, "no money", error_code="insufficient_quota"), marks=pytest.mark.long),
        pytest.param(model_server.events({"error": {"message": "overloaded", "code": 529}}), marks=pytest.mark.long),
    ],
    ids=["503", "500", "429", "no quota", "overloaded"],
)
async def test_a_plan_waits_for_an_endpoint_that_is_away_and_no_task_fails(
    away: Reply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moody = Moody(away, seconds=2.5)
    async with ModelServer(moody) as server:
        ended = await run(tmp_path, server, monkeypatch, "--json", "--max-failures", "1")
    assert ended.code == 0, ended.out
    seen = events(ended)
    assert "outage-met" in seen
    assert "outage-ended" in seen
    assert not {"attempt-failed", "judge-failed", "task-failed", "task-rolled-back"} & set(seen)
    assert moody.refused < 4 + 4 + 3, "each of those under way once, then one at a time, less and less often"


# llm/openai/test_model.py tests how it is read, core/fleet/test_outages.py how it is obeyed.
@pytest.mark.long
async def test_a_date_in_retry_after_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []
    until: list[datetime] = []

    def reply(request: Recorded) -> Reply:
        now = datetime.now(UTC)
        until.append(now + timedelta(seconds=4)) if not until else None
        asked.append(now)
        if now < until[0].replace(microsecond=0):
            return status(429, "slow down", Retry_After=format_datetime(until[0], usegmt=True))
        return answer(request)

    async with ModelServer(reply) as server:
        ended = await run(tmp_path, server, monkeypatch, tasks=1)
    assert ended.code == 0, ended.err
    assert all(at >= until[0].replace(microsecond=0) for at in asked[1:])


@pytest.mark.long
async def test_a_judge_that_is_away_holds_no_executor_up_and_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moody = Moody(status(503), seconds=2.5, judge_only=True)
    async with ModelServer(moody) as server:
        ended = await run(tmp_path, server, monkeypatch, "--json", "--judge-model", "judge-7b", tasks=12)
    assert ended.code == 0, ended.out
    seen = events(ended)
    assert "judge-failed" not in seen
    assert seen.count("candidate-stored") == 12
    back = seen.index("outage-ended")
    assert seen[:back].count("candidate-stored") == 12, "executors went on while the judge was away"


@pytest.mark.long
async def test_an_endpoint_that_takes_questions_and_says_nothing_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moody = Moody(Reply(mute=True), seconds=3.0)
    async with ModelServer(moody) as server:
        ended = await run(tmp_path, server, monkeypatch, "--json", "--max-failures", "1", tasks=2, idle_timeout=5)
    assert ended.code == 0, ended.out
    assert "outage-met" in events(ended)
    assert "attempt-failed" not in events(ended)


@pytest.mark.long
async def test_a_model_that_comes_and_goes_costs_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moody = Moody(status(503), seconds=9.0, period=1.5)
    async with ModelServer(moody) as server:
        ended = await run(tmp_path, server, monkeypatch, "--json", "--max-failures", "1", tasks=20)
    assert ended.code == 0, ended.out
    assert "attempt-failed" not in events(ended)


async def test_after_the_patience_the_run_ends_with_3_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ModelServer(status(503, "under repair")) as server, the_services(tmp_path, server, monkeypatch):
        ended = await run(tmp_path, server, monkeypatch, "--outage-patience", "3", tasks=2)
        assert ended.code == 3, ended.out
        assert f"the model planet-7b at {server.base_url} has been away since" in ended.out
        assert "under repair" in ended.out
        why = await signoff("why", "planets", cwd=tmp_path)
        assert "resume once it answers" in why.out
        server.script(answer)
        ended = await run(tmp_path, server, monkeypatch, tasks=2)
        assert ended.code == 0, ended.out


@pytest.mark.long
async def test_an_endpoint_that_is_away_for_a_minute_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moody = Moody(status(503), seconds=60.0)
    async with ModelServer(moody) as server:
        monkeypatch.setattr("tests.system.test_outages.WITHIN", 150.0)
        ended = await run(tmp_path, server, monkeypatch, "--json", "--max-failures", "1")
    assert ended.code == 0, ended.out
    assert "attempt-failed" not in events(ended)
    assert moody.refused < 20
