"""Notes of `signoff run` and `signoff submit` about a plan before it runs, with a planner on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from planner_svc.service import PlannerService
from planner_svc.store import PlanStore
from signoff.cli.run.start_execution import compile_on
from signoff.client.client import Client
from signoff.errors import PlanInvalid
from signoff.rpc.server import Server
from signoff.v1 import planner_pb2_grpc
from tests.signoff.cli.run.test_plan_files import GOOD, worded
from tests.support.processes.screens import notes_of, piped


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    server = Server()
    planner = PlannerService(PlanStore(tmp_path), 2_000_000)
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, planner, "signoff.v1.PlannerService")
    async with Client(planner=await server.start("127.0.0.1:0")) as client:
        yield client
    await server.stop(grace=0)
    await planner.close()


async def told_of(client: Client, plan: object) -> list[str]:
    output = piped()
    await compile_on(client, json.dumps(plan).encode(), "plan.json", output, plan_id="mine", infer=True)
    return notes_of(output)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "signoff: 1 criterion is checked by code, not judged: `signoff compile` shows how"),
        (2, "signoff: 2 criteria are checked by code, not judged: `signoff compile` shows how"),
    ],
)
async def test_that_criteria_became_checks_is_said(client: Client, count: int, said: str) -> None:
    assert await told_of(client, worded(count)) == [said]


async def test_of_a_plan_in_which_none_did_nothing_is_said(client: Client) -> None:
    assert not [note for note in await told_of(client, GOOD) if "checked by code" in note]


async def test_a_plan_with_errors_is_refused(client: Client) -> None:
    with pytest.raises(PlanInvalid, match=r"^expected a plan without errors, but plan\.json has 1$"):
        await told_of(client, {"tasks": [*GOOD["tasks"], *GOOD["tasks"]]})
