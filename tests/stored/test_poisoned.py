"""Data that earlier versions died of opens, and the healthy executions in it go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from signoff.v1 import execution_pb2 as pb
from tests.stored.answers import Json, answers_of
from tests.stored.crew import Crew
from tests.stored.opened import POISONED, Stored, differences, finish, opened, tasks_of


@pytest.mark.parametrize("stored", POISONED)
async def test_a_poisoned_folder_opens_and_is_shown(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "deep" / "db"
    async with opened(stored, stored.store(data), data) as runner:
        now = {one["execution"]["executionId"]: one for one in (await answers_of(runner.channel))["executions"]}
        assert list(differences(healthy_of(stored), now[healthy_id(stored)])) == []
        assert stored.answers["victim"] in now


@pytest.mark.parametrize("stored", POISONED)
async def test_the_healthy_execution_of_a_poisoned_folder_goes_on_and_new_ones_run(
    stored: Stored, tmp_path: Path
) -> None:
    data = tmp_path / "deep" / "db"
    async with opened(stored, stored.store(data), data) as runner, Crew(runner.channel).at_work():
        await finish(runner, healthy_id(stored))
        await finish(runner, (await runner.start("letter")).execution_id)
    async with opened(stored, stored.store(data), data) as runner, Crew(runner.channel).at_work():
        assert (await tasks_of(runner, healthy_id(stored))).execution.state == pb.EXECUTION_STATE_SUCCEEDED
        await finish(runner, (await runner.start("letter")).execution_id)
        listed = (await answers_of(runner.channel))["executions"]
        assert stored.answers["victim"] in {one["execution"]["executionId"] for one in listed}


@pytest.mark.parametrize("stored", POISONED)
async def test_a_poisoned_folder_has_nothing_written_outside_of_it(stored: Stored, tmp_path: Path) -> None:
    data = tmp_path / "deep" / "db"
    async with opened(stored, stored.store(data), data) as runner, Crew(runner.channel).at_work():
        await finish(runner, healthy_id(stored))
        await runner.outputs.drained()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["db"]
    assert {path.name for path in data.iterdir()} == {".signoff", "letter", "poisoned"}


def healthy_of(stored: Stored) -> Json:
    return next(
        one for one in stored.answers["executions"] if one["execution"]["executionId"] != stored.answers["victim"]
    )


def healthy_id(stored: Stored) -> str:
    return str(healthy_of(stored)["execution"]["executionId"])
