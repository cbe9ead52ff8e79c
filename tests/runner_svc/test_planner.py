"""The planner port: the same tests over the fake of the tests and over the real service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from planner_svc.service import PlannerService
from planner_svc.store import PlanStore
from runner_svc.codec.maps import map_from_parts
from runner_svc.planner import GrpcPlanner, Planner
from signoff.errors import PlanInvalid, PlannerUnavailable, PlanNotFound
from signoff.rpc.channel import connect
from signoff.rpc.server import Server
from signoff.v1 import plan_pb2, planner_pb2, planner_pb2_grpc
from tests.support.servers.runner import PlannerOfTexts, parts_of
from tests.support.values.maps import map_of

PLAN = {
    "idea": "",
    "tasks": [
        {"task_id": "1"},
        {"task_id": "1_1", "input": {}, "output": {"artifact": "p"}},
        {"task_id": "1_2", "dependencies": ["1_1"], "input": {}, "output": {}},
        {"task_id": "2", "dependencies": ["1"], "input": {"artifacts": ["p"]}, "output": {}},
    ],
}


@pytest.fixture(params=["fake", "service"])
async def planner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Planner]:
    if request.param == "fake":
        yield PlannerOfTexts(small="1/1_1[p]; 1/1_2 <- 1_1; 2(p) <- 1")
        return
    server = Server()
    service = PlannerService(PlanStore(tmp_path))
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, service, "signoff.v1.PlannerService")
    address = await server.start("127.0.0.1:0")
    async with connect(address) as channel:
        asked = iter([planner_pb2.CompilePlanRequest(plan_id="small", plan_json=json.dumps(PLAN).encode())])
        async for _ in planner_pb2_grpc.PlannerServiceStub(channel).CompilePlan(asked):
            pass
    real = GrpcPlanner(address)
    yield real
    await real.close()
    await server.stop(0.2)
    await service.close()


async def test_a_compiled_plan_comes_as_a_map_with_its_parts(planner: Planner) -> None:
    fetched = await planner.fetch("small")
    plan = fetched.map
    assert plan.plan_id == fetched.header.plan_id == "small"
    assert list(plan.task_ids) == ["1_1", "1_2", "2"]
    assert [[plan.name(node) for node in waits] for waits in plan.waits_for] == [[], ["1_1"], ["1"]]
    assert list(plan.stages) == [1, 2, 3]
    assert [list(names) for names in plan.reads] == [[], [], ["p"]]
    again = map_from_parts(plan_pb2.MapPart.FromString(part) for part in fetched.parts)
    assert again == plan


async def test_a_plan_that_was_not_compiled_is_not_found(planner: Planner) -> None:
    with pytest.raises(PlanNotFound, match="unknown"):
        await planner.fetch("unknown")


async def test_without_an_address_the_planner_is_unavailable_and_says_what_to_set() -> None:
    with pytest.raises(PlannerUnavailable, match="set --planner"):
        await GrpcPlanner("").fetch("small")


async def test_a_planner_that_does_not_answer_is_unavailable() -> None:
    planner = GrpcPlanner("127.0.0.1:1", timeout=5)
    with pytest.raises(PlannerUnavailable, match=r"127\.0\.0\.1:1"):
        await planner.fetch("small")
    await planner.close()


def broken(change: str) -> list[plan_pb2.MapPart]:
    header, groups, tasks, _ = parts_of(map_of("g/a; b <- g"))
    match change:
        case "no header":
            return [groups, tasks]
        case "a task too few":
            header.header.task_count = 3
        case "a node that does not exist":
            tasks.tasks.tasks[1].waits_for[:] = [7]
        case "a parent that is a task":
            tasks.tasks.tasks[0].parent = 1
        case "a cycle":
            tasks.tasks.tasks[0].waits_for[:] = [1]
    return [header, groups, tasks]


@pytest.mark.parametrize(
    "change", ["no header", "a task too few", "a node that does not exist", "a parent that is a task", "a cycle"]
)
def test_parts_that_make_no_map_are_refused(change: str) -> None:
    with pytest.raises(PlanInvalid, match="expected"):
        map_from_parts(broken(change))


async def test_what_is_stored_of_a_map_has_its_canaries_too(tmp_path: Path) -> None:
    """A runner that starts again reads the map from there."""
    server = Server()
    service = PlannerService(PlanStore(tmp_path))
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, service, "signoff.v1.PlannerService")
    address = await server.start("127.0.0.1:0")
    canary = {"candidate": "nonsense", "good": False}
    task = {"task_id": "a", "input": {}, "output": {}, "validation": {"criteria": ["is good"], "canaries": [canary]}}
    plan = json.dumps({"idea": "", "tasks": [task]}).encode()
    async with connect(address) as channel:
        asked = iter([planner_pb2.CompilePlanRequest(plan_id="small", plan_json=plan)])
        async for _ in planner_pb2_grpc.PlannerServiceStub(channel).CompilePlan(asked):
            pass
    planner = GrpcPlanner(address)
    fetched = await planner.fetch("small")
    await planner.close()
    await server.stop(0.2)
    await service.close()
    again = map_from_parts(plan_pb2.MapPart.FromString(part) for part in fetched.parts)
    assert [canary.body for canary in fetched.map.canaries[0]] == [b"nonsense"]
    assert again.canaries == fetched.map.canaries
