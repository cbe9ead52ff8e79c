"""A backup of a runner at work, restored elsewhere: into the same kind of store, and into the other one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.processes.commands import EXAMPLES, ProcessResult, in_turn, signoff, start_signoff, until

AI_TRENDS = EXAMPLES / "ai_trends" / "plan.json"
STORE = ("SIGNOFF_RUNNER_STORE", "SIGNOFF_RUNNER_STORE_LEASE")


@pytest.fixture(
    params=[
        "sqlite to sqlite",
        pytest.param("sqlite to postgres", marks=pytest.mark.long),
        pytest.param("postgres to sqlite", marks=pytest.mark.long),
    ]
)
def stores(request: pytest.FixtureRequest) -> list[str]:
    """Returns the store that is backed up, and the one that it is restored into."""
    kinds = str(request.param).split(" to ")
    return [str(request.getfixturevalue("dsn")) if kind == "postgres" else kind for kind in kinds]


async def test_an_execution_that_was_backed_up_in_the_middle_goes_on_where_it_was_restored(
    stores: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = stores
    monkeypatch.setenv(STORE[1], "1")
    monkeypatch.setenv(STORE[0], before)
    flags = ("--model", "mock:delay=0.1", "--data-dir", "db")
    run = await start_signoff("run", AI_TRENDS, *flags, cwd=tmp_path, keep=STORE)
    await until(run, " done ", times=3)
    backed = await signoff("backup", "a.tar", "--json", cwd=tmp_path, keep=STORE)
    assert backed.code == 0, backed.err
    await run.communicate()
    assert run.returncode == 0
    monkeypatch.setenv(STORE[0], after)
    restored, told = await in_turn(
        ("restore", "a.tar", "--into", "new"), ("status", "--json", "--data-dir", "new"), cwd=tmp_path, keep=STORE
    )
    assert restored.code == 0, restored.err
    assert states(told) == ["running"]
    ended = await signoff("run", AI_TRENDS, "--model", "mock", "--data-dir", "new", cwd=tmp_path, keep=STORE)
    assert ended.code == 0, ended.err
    assert "13 of 13 signed off" in ended.out
    told, again, *others = await in_turn(
        ("status", "--json", "--data-dir", "new"),
        ("restore", "a.tar", "--into", "new"),
        *([("restore", "a.tar", "--into", "other")] if after != "sqlite" else []),
        cwd=tmp_path,
        keep=STORE,
    )
    assert states(told) == ["succeeded"]
    assert again.code == 2
    for other in others:
        assert (other.code, "expected an empty store" in other.err) == (2, True)


def states(asked: ProcessResult) -> list[str]:
    assert asked.code == 0, asked.err
    return [json.loads(line)["state"] for line in asked.out.splitlines()]
