"""PlannerService over a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import MOST_TASK_IDS
from planner_svc.processes.pool import CompileLimits
from planner_svc.service import PlannerService
from planner_svc.store import PlanStore
from signoff.rpc.channel import connect
from signoff.rpc.ends import answers_of
from signoff.rpc.server import Server
from signoff.rpc.statuses import reason_of
from signoff.v1 import plan_pb2, planner_pb2, planner_pb2_grpc
from tests.support.values.trees import atomic, generated_plan, plan_json

PLAN = plan_json(atomic("1", makes="x"), atomic("2", reads=("x",)), idea="try")


class Planner:
    """A client of the service under test."""

    def __init__(self, channel: grpc.aio.Channel, data_dir: Path, service: PlannerService | None = None) -> None:
        self._service = service
        self.stub: planner_pb2_grpc.PlannerServiceAsyncStub = planner_pb2_grpc.PlannerServiceStub(channel)
        self.channel = channel
        self.data_dir = data_dir

    @property
    def service(self) -> PlannerService:
        assert self._service is not None, "it runs in a process of its own"
        return self._service

    async def compile(
        self, data: bytes, plan_id: str = "", no_infer: bool = False
    ) -> tuple[list[plan_pb2.Diagnostic], list[plan_pb2.MapPart]]:
        """Returns all diagnostics and all parts, and checks that diagnostics come first."""
        diagnostics: list[plan_pb2.Diagnostic] = []
        parts: list[plan_pb2.MapPart] = []
        async for answer in answers_of(self.stub.CompilePlan(uploaded(data, plan_id, no_infer))):
            assert not (parts and answer.diagnostics)
            diagnostics.extend(answer.diagnostics)
            parts.extend([answer.part] if answer.HasField("part") else [])
        return diagnostics, parts

    async def health(self) -> health_pb2.HealthCheckResponse:
        check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        return await check(health_pb2.HealthCheckRequest())

    async def file(self, plan_id: str, view: planner_pb2.PlanView.ValueType) -> bytes:
        request = planner_pb2.GetPlanRequest(plan_id=plan_id, view=view)
        return b"".join([answer.chunk async for answer in self.stub.GetPlan(request)])

    async def map(self, plan_id: str) -> list[plan_pb2.MapPart]:
        return [answer.part async for answer in self.stub.GetPlan(planner_pb2.GetPlanRequest(plan_id=plan_id))]


def uploaded(data: bytes, plan_id: str = "", no_infer: bool = False) -> Iterator[planner_pb2.CompilePlanRequest]:
    yield planner_pb2.CompilePlanRequest(plan_id=plan_id, no_infer=no_infer)
    for first in range(0, len(data), 100_000):
        yield planner_pb2.CompilePlanRequest(plan_json=data[first : first + 100_000])


async def served(
    data_dir: Path, max_plan_bytes: int = 2_000_000, limits: CompileLimits | None = None
) -> AsyncIterator[Planner]:
    planner, server = PlannerService(PlanStore(data_dir), max_plan_bytes, limits), Server()
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, planner, "signoff.v1.PlannerService")
    address = await server.start("127.0.0.1:0")
    async with connect(address) as channel:
        yield Planner(channel, data_dir, planner)
    await server.stop(grace=0)
    await planner.close()


@pytest.fixture
async def planner(tmp_path: Path) -> AsyncIterator[Planner]:
    async for client in served(tmp_path / "db"):
        yield client


@pytest.fixture
async def planner_on_a_broken_disk(tmp_path: Path) -> AsyncIterator[Planner]:
    (tmp_path / "db").write_text("a file where a folder should be")
    async for client in served(tmp_path / "db"):
        yield client


async def test_a_compiled_plan_is_streamed_and_stored(planner: Planner) -> None:
    diagnostics, parts = await planner.compile(PLAN, "mine")

    assert {diagnostic.code for diagnostic in diagnostics} == {"no-criteria", "producer-not-waited-for"}
    assert [part.WhichOneof("part") for part in parts][:2] == ["header", "tasks"]
    assert (parts[0].header.plan_id, parts[0].header.idea, parts[0].header.task_count) == ("mine", "try", 2)
    assert list(parts[1].tasks.tasks[1].data_dependencies) == [0]
    assert (planner.data_dir / "mine" / "plan.json").read_bytes() == PLAN
    document = json.loads((planner.data_dir / "mine" / "execution.json").read_bytes())
    assert document["map_digest"] == parts[0].header.map_digest


async def test_a_stored_plan_can_be_had_in_every_view(planner: Planner) -> None:
    _, parts = await planner.compile(PLAN, "mine")

    assert await planner.map("mine") == parts
    assert await planner.file("mine", planner_pb2.PLAN_VIEW_PLAN_JSON) == PLAN
    document = await planner.file("mine", planner_pb2.PLAN_VIEW_EXECUTION_JSON)
    assert document == (planner.data_dir / "mine" / "execution.json").read_bytes()


async def test_a_plan_survives_a_restart_of_the_service(tmp_path: Path) -> None:
    async for client in served(tmp_path / "db"):
        _, parts = await client.compile(PLAN, "mine")
    async for client in served(tmp_path / "db"):
        assert await client.map("mine") == parts


async def test_without_a_plan_id_the_bytes_name_the_plan(planner: Planner) -> None:
    _, parts = await planner.compile(PLAN)
    _, again = await planner.compile(PLAN)

    assert parts == again
    assert parts[0].header.plan_id.startswith("plan-")
    assert len(parts[0].header.plan_id) == len("plan-") + 12


async def test_without_inference_no_producer_is_added(planner: Planner) -> None:
    _, parts = await planner.compile(PLAN, no_infer=True)

    assert not parts[0].header.inferred
    assert parts[0].header.stage_count == 1


async def test_a_plan_with_errors_is_refused_after_all_its_diagnostics_and_not_stored(planner: Planner) -> None:
    call = planner.stub.CompilePlan(uploaded(plan_json(atomic("1", "9"), atomic("2", "8")), "bad"))
    seen: list[str] = []

    async def read() -> None:
        async for answer in call:
            seen.extend(diagnostic.code for diagnostic in answer.diagnostics)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read()

    assert seen.count("unknown-dependency") == 2
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, "PLAN_INVALID")
    assert not (planner.data_dir / "bad").exists()


@pytest.mark.parametrize("data", [PLAN, b"not json", b""])
async def test_checking_a_plan_stores_nothing_and_always_succeeds(planner: Planner, data: bytes) -> None:
    request = planner_pb2.CheckPlanRequest(plan_json=data, no_infer=True)

    found = [
        diagnostic async for answer in planner.stub.CheckPlan(iter([request])) for diagnostic in answer.diagnostics
    ]

    assert {diagnostic.code for diagnostic in found} == {found.code for found in compile_plan(data).diagnostics}
    assert not planner.data_dir.exists()


@pytest.mark.parametrize("plan_id", ["../x", "/etc", "a/b", "a\x00b", ".", "..", "x" * 129, "a b", "ä", "a.b"])
async def test_a_plan_id_that_is_no_folder_name_is_refused(planner: Planner, plan_id: str) -> None:
    for call in (planner.compile(PLAN, plan_id), planner.map(plan_id)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
        assert "plan_id" in str(caught.value.details())


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [planner_pb2.CompilePlanRequest(plan_json=PLAN), planner_pb2.CompilePlanRequest(plan_id="late")],
        [planner_pb2.CompilePlanRequest(plan_json=PLAN), planner_pb2.CompilePlanRequest(no_infer=True)],
    ],
)
async def test_a_malformed_stream_is_refused(planner: Planner, messages: list[planner_pb2.CompilePlanRequest]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.stub.CompilePlan(iter(messages)).read()

    assert reason_of(caught.value) == "INVALID_FIELD"


async def test_a_plan_that_is_too_large_is_refused(planner: Planner) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.compile(b" " * 2_000_001)

    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "PLAN_TOO_LARGE")


@pytest.mark.parametrize("view", list(planner_pb2.PlanView.values()))
async def test_a_plan_nobody_compiled_is_not_found(planner: Planner, view: planner_pb2.PlanView.ValueType) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.file("nothing", view)

    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.NOT_FOUND, "PLAN_NOT_FOUND")


async def test_plans_are_listed_in_natural_order_page_by_page(planner: Planner) -> None:
    (planner.data_dir / "logs").mkdir(parents=True)
    for plan_id in ("p_10", "p_9", "a-b"):
        await planner.compile(PLAN, plan_id)

    first = await planner.stub.ListPlans(planner_pb2.ListPlansRequest(page_size=2))
    second = await planner.stub.ListPlans(planner_pb2.ListPlansRequest(page_size=2, page_token=first.next_page_token))

    assert [plan.plan_id for plan in (*first.plans, *second.plans)] == ["a-b", "p_9", "p_10"]
    assert second.next_page_token == ""
    assert (first.plans[0].idea, first.plans[0].task_count, first.plans[0].stage_count) == ("try", 2, 2)
    assert first.plans[0].compiled_at.seconds > 0


async def test_an_empty_store_lists_nothing(planner: Planner) -> None:
    assert not (await planner.stub.ListPlans(planner_pb2.ListPlansRequest())).plans


@pytest.mark.parametrize(
    "request_", [planner_pb2.ListPlansRequest(page_token="after:../x"), planner_pb2.ListPlansRequest(page_size=1_001)]
)
async def test_a_page_that_cannot_be_is_refused(planner: Planner, request_: planner_pb2.ListPlansRequest) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.stub.ListPlans(request_)

    assert reason_of(caught.value) == "INVALID_FIELD"


# ---------------------------------------------------------------- when the disk refuses


async def test_a_broken_disk_is_unavailable_and_not_a_bug(planner_on_a_broken_disk: Planner) -> None:
    planner = planner_on_a_broken_disk

    for call in (planner.compile(PLAN, "mine"), planner.stub.ListPlans(planner_pb2.ListPlansRequest())):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_FAILED")


async def test_a_folder_that_cannot_be_made_leaves_nothing_behind(planner: Planner) -> None:
    await planner.compile(PLAN, "other")
    (planner.data_dir / "mine").write_text("a file where a folder should be")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.compile(PLAN, "mine")

    assert reason_of(caught.value) == "STORAGE_FAILED"
    assert {path.name for path in planner.data_dir.iterdir()} == {"mine", "other"}


async def test_a_disk_that_refuses_the_last_step_leaves_no_pieces(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await planner.compile(PLAN, "mine")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.compile(plan_json(atomic("other")), "mine")

    assert reason_of(caught.value) == "STORAGE_FAILED"
    assert "No space left on device" in str(caught.value.details())
    assert {path.name for path in (planner.data_dir / "mine").iterdir()} == {"plan.json", "execution.json", "map.pb"}


async def test_a_damaged_map_says_what_to_do(planner: Planner) -> None:
    await planner.compile(PLAN, "mine")
    path = planner.data_dir / "mine" / "map.pb"
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.map("mine")

    assert reason_of(caught.value) == "STORAGE_FAILED"
    assert "compile the plan again" in str(caught.value.details())


# ---------------------------------------------------------------- many at once


async def test_the_service_answers_while_it_compiles(planner: Planner) -> None:
    await planner.service.compilers.warm_up()
    (pid,) = planner.service.compilers.pids
    os.kill(pid, signal.SIGSTOP)
    compiling = asyncio.create_task(planner.compile(PLAN, "mine"))
    try:
        answer = await asyncio.wait_for(planner.health(), 10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert not compiling.done()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await compiling)[1]


async def test_compiles_of_one_plan_at_once_leave_files_of_one_of_them(planner: Planner) -> None:
    plans = [plan_json(*(atomic(f"{n}") for n in range(count)), idea=f"idea {count}") for count in range(1, 7)]

    results = await asyncio.gather(*(planner.compile(plan, "same") for plan in plans))

    stored = (await planner.map("same"))[0].header
    assert [parts[0].header.task_count for _, parts in results] == [1, 2, 3, 4, 5, 6]
    assert await planner.file("same", planner_pb2.PLAN_VIEW_PLAN_JSON) == plans[stored.task_count - 1]
    document = json.loads(await planner.file("same", planner_pb2.PLAN_VIEW_EXECUTION_JSON))
    assert document["map_digest"] == stored.map_digest


async def test_a_map_larger_than_one_message_is_streamed(planner: Planner) -> None:
    diagnostics, parts = await planner.compile(generated_plan(5), "large")

    assert sum(len(part.tasks.tasks) for part in parts) == parts[0].header.task_count == 7_776
    assert len(parts) > 5
    assert [(found.code, len(found.task_ids)) for found in diagnostics] == [("no-criteria", MOST_TASK_IDS)]


async def test_one_plan_that_is_damaged_hides_no_other_plan(planner: Planner) -> None:
    for plan_id in ("a", "b", "c"):
        await planner.compile(PLAN, plan_id)
    (planner.data_dir / "a" / "map.pb").write_bytes(b"")
    (planner.data_dir / "b" / "map.pb").write_bytes(b"\0\0\0\x7fno such record")

    listed = await planner.stub.ListPlans(planner_pb2.ListPlansRequest())

    assert [plan.plan_id for plan in listed.plans] == ["c"]


@pytest.mark.guard(name="pages of plans are bounded in bytes")
async def test_plans_with_long_ideas_are_listed_on_more_pages(planner: Planner) -> None:
    names = [f"p{n}" for n in range(6)]
    for plan_id in names:
        await planner.compile(plan_json(atomic("1"), idea="x" * 900_000), plan_id)

    seen, token, pages = list[str](), "", 0
    while pages == 0 or token:
        page = await planner.stub.ListPlans(planner_pb2.ListPlansRequest(page_token=token))
        seen += [plan.plan_id for plan in page.plans]
        token, pages = page.next_page_token, pages + 1

    assert seen == names
    assert pages == 3


async def test_a_plan_with_a_long_first_error_is_refused_with_a_short_one(planner: Planner) -> None:
    names = [f"{n:03}{'x' * 120}" for n in range(200)]
    ring = [atomic(name, names[n - 1]) for n, name in enumerate(names)]

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await planner.compile(plan_json(*ring), "ring")

    assert reason_of(caught.value) == "PLAN_INVALID"
    assert "cycle" in str(caught.value.details())
    assert len(str(caught.value.details())) < 1_000


# ---------------------------------------------------------------- the process


@pytest.mark.parametrize("end", ["a signal", "the end of its standard input"])
async def test_the_program_announces_itself_and_ends_in_order(tmp_path: Path, end: str) -> None:
    address_file = tmp_path / "address"
    program = ["-m", "planner_svc", "--address-file", str(address_file), "--data-dir", str(tmp_path / "db")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, "--stop-on-stdin-eof", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    assert process.stdin is not None
    try:
        line = await asyncio.wait_for(process.stderr.readline(), 60)
        assert b"listening" in line
        address = line.decode().strip().rpartition("address=")[2]
        async with connect(address) as channel:
            _, parts = await Planner(channel, tmp_path / "db").compile(PLAN, "mine")
        assert parts
        assert address_file.read_text() == address
        process.send_signal(signal.SIGTERM) if end == "a signal" else process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 30) == 0
        await process.stderr.read()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_data_folder_that_cannot_be_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("")
    program = [sys.executable, "-m", "planner_svc", "--data-dir", str(tmp_path / "db")]

    process = await asyncio.create_subprocess_exec(*program, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()

    assert process.returncode == 2
    assert errors.decode().count("\n") == 1
    assert errors.decode().startswith("planner_svc: --data-dir: expected a folder to write to")
