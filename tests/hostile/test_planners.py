"""Planners that give wrong answers: PlanInvalid with the place, nothing stored, and the runner goes on."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from runner_svc.codec.maps import fetched_map, map_from_parts
from runner_svc.planner import GrpcPlanner
from runner_svc.store.memory import MemoryStore
from signoff.errors import PlanInvalid
from signoff.plan.limits import MAX_NESTING
from signoff.v1 import plan_pb2 as pb
from signoff.v1 import planner_pb2, runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.runner import running

DIGEST = "0123456789abcdef" * 4
Parts = list[pb.MapPart]


def parts_of(
    tasks: Sequence[pb.MapTask], groups: Sequence[pb.MapGroup] = (), cells: Sequence[pb.GridCell] = ()
) -> Parts:
    """Returns a map as a planner sends it."""
    header = pb.MapHeader(
        plan_id="p", map_digest=DIGEST, task_count=len(tasks), group_count=len(groups), stage_count=len(tasks)
    )
    return [
        pb.MapPart(header=header),
        pb.MapPart(groups=pb.MapGroups(groups=groups)),
        pb.MapPart(tasks=pb.MapTasks(tasks=tasks)),
        pb.MapPart(layout=pb.LayoutPart(cells=cells)),
    ]


def task(task_id: str, stage: int = 1, **fields: Any) -> pb.MapTask:
    return pb.MapTask(spec=pb.TaskSpec(task_id=task_id), stage=stage, **fields)


def fine() -> Parts:
    """Returns a map of task a in group g, and of task b that waits for the group."""
    return parts_of([task("a", parent=2), task("b", 2, waits_for=[2])], [pb.MapGroup(task_id="g")])


def nested(depth: int) -> Parts:
    """Returns a map of a task in so many groups."""
    groups = [pb.MapGroup(task_id=f"g{n}", parent=n if n else None) for n in range(depth)]
    return parts_of([task("a", parent=depth)], groups)


def changed(change: Callable[[Parts], object]) -> Callable[[], Parts]:
    def build() -> Parts:
        parts = fine()
        change(parts)
        return parts

    return build


def put(path: str, value: Any) -> Callable[[], Parts]:
    """Returns a maker of the map with another value in one place, such as "2.tasks.tasks.0.spec.task_id"."""

    def change(parts: Parts) -> None:
        here: Any = parts
        *way, last = path.split(".")
        for step in way:
            here = here[int(step)] if step.isdigit() else getattr(here, step)
        if isinstance(value, list):
            getattr(here, last)[:] = value
        else:
            setattr(here, last, value)

    return changed(change)


def swap(parts: Parts) -> None:
    parts[0], parts[1] = parts[1], parts[0]


ID = 'expected letters, digits and "_"'
ROGUE: dict[str, tuple[Callable[[], Parts], str]] = {
    "a path as a task": (put("2.tasks.tasks.0.spec.task_id", "../x"), rf"parts.2..tasks.tasks.0..spec.task_id: {ID}"),
    "a null in a task": (put("2.tasks.tasks.1.spec.task_id", "b\0"), rf"parts.2..tasks.tasks.1..spec.task_id: {ID}"),
    "a task without a name": (put("2.tasks.tasks.0.spec.task_id", ""), "''"),
    "a long name": (put("2.tasks.tasks.0.spec.task_id", "x" * 129), ID),
    "a path as a group": (put("1.groups.groups.0.task_id", "a/b"), rf"parts\[1\].groups.groups\[0\].task_id: {ID}"),
    "a path in the layout": (lambda: parts_of([task("a")], (), [pb.GridCell(task_id="../a")]), "layout.cells.0."),
    "a digest of a megabyte": (put("0.header.map_digest", "a" * 2**20), "header.map_digest: expected a SHA"),
    "a digest with a path": (put("0.header.map_digest", "../" * 21 + "x"), "map_digest"),
    "no digest": (put("0.header.map_digest", ""), "map_digest: expected a SHA-256, but got nothing"),
    "another plan": (put("0.header.plan_id", "q"), r"parts\[0\].header.plan_id: expected 'p', but got 'q'"),
    "a task twice": (put("2.tasks.tasks.1.spec.task_id", "a"), "'a': expected an id of its own"),
    "a task like a group": (put("2.tasks.tasks.1.spec.task_id", "g"), "'g': expected an id of its own"),
    "a wait twice": (put("2.tasks.tasks.1.waits_for", [2, 2]), "b: expected to wait for each task or group once"),
    "a wait in both lists": (put("2.tasks.tasks.1.data_dependencies", [2]), "b: expected to wait for each"),
    "a wait for no node": (put("2.tasks.tasks.1.waits_for", [99]), "b: expected to wait for an earlier stage"),
    "a wait for itself": (put("2.tasks.tasks.1.waits_for", [1]), "b: expected to wait for an earlier stage"),
    "a wait for its own group": (put("2.tasks.tasks.0.waits_for", [2]), "a: expected to wait for an earlier stage"),
    "a group within itself": (put("1.groups.groups.0.parent", 2), "'g': expected groups above it, but"),
    "a parent that is a task": (put("2.tasks.tasks.0.parent", 1), "a: expected the number of a group"),
    "a group without tasks": (
        lambda: parts_of([task("a")], [pb.MapGroup(task_id="g")]),
        "'g': expected a task below each group",
    ),
    "groups too deep": (lambda: nested(MAX_NESTING + 1), "expected at most 1,000 groups in each other"),
    "the header second": (changed(swap), r"parts\[0\]: expected the header first"),
    "two headers": (changed(lambda parts: parts.insert(1, parts[0])), r"parts\[1\]: expected the header first"),
    "tasks after the layout": (changed(lambda parts: parts.append(parts[2])), r"parts\[4\]: .* but got tasks"),
    "an empty part": (changed(lambda parts: parts.insert(2, pb.MapPart())), r"parts\[2\]: .* but got an empty part"),
    "nothing": (list, "but got nothing"),
    "a task too few": (changed(lambda parts: parts[2].tasks.tasks.pop()), "as the map's header says"),
    "stages without end": (put("2.tasks.tasks.1.stage", 2**32 - 1), r"tasks\[1\].stage: expected a number from 1"),
    "parameters without end": (
        put("2.tasks.tasks.0.spec.input.parameters_json", "[" * 100_000),
        r"spec.input.parameters_json: expected at most 200 levels",
    ),
    "a pattern of 30 KB": (
        lambda: parts_of([_checked(pb.Check(regex=pb.RegexCheck(pattern="a" * 30_000)))]),
        r"validation.checks\[0\].regex.pattern: expected at most 10,000 characters",
    ),
}  # fmt: skip


def _checked(check: pb.Check) -> pb.MapTask:
    return pb.MapTask(spec=pb.TaskSpec(task_id="a", validation=pb.Validation(checks=[check])), stage=1)


def test_the_map_that_is_changed_here_is_fine() -> None:
    plan = fetched_map("p", fine())
    assert (plan.task_ids, plan.group_ids) == (("a", "b"), ("g",))


def test_groups_as_deep_as_is_agreed_are_fine() -> None:
    assert len(fetched_map("p", nested(MAX_NESTING)).group_ids) == MAX_NESTING


@pytest.mark.parametrize("name", ROGUE)
def test_what_no_planner_should_send_is_refused_with_its_place(name: str) -> None:
    build, problem = ROGUE[name]
    with pytest.raises(PlanInvalid, match=problem):
        fetched_map("p", build())


@pytest.mark.guard(name="groups within each other")
def test_groups_within_each_other_end_the_reading_also_of_what_is_stored() -> None:
    rounds = [pb.MapGroup(task_id=f"g{n}", parent=1 + (n + 1) % 1000) for n in range(1000)]
    for parts in (parts_of([task("a", parent=1)], rounds), parts_of([task("a")], rounds)):
        with pytest.raises(PlanInvalid, match="above itself"):
            map_from_parts(parts)


def test_groups_without_end_in_each_other_are_refused_soon() -> None:
    parts = nested(200_000)
    begun = time.process_time()
    with pytest.raises(PlanInvalid, match="groups in each other"):
        fetched_map("p", parts)
    assert time.process_time() - begun < 10  # seconds; about 1, and the square of it would be hours


def test_what_is_stored_is_read_as_ever() -> None:
    """Earlier versions stored maps that a fetch refuses now: they do no harm."""
    parts = nested(MAX_NESTING + 500)
    parts[0].header.map_digest = "of an earlier version"
    parts[2].tasks.tasks[0].spec.task_id = "an old-fashioned.id"
    assert list(map_from_parts(parts).task_ids) == ["an old-fashioned.id"]


def test_many_tasks_in_deep_groups_are_read_in_one_go() -> None:
    deep = [pb.MapGroup(task_id=f"g{n}", parent=20_000 + n - 1 if n else None) for n in range(MAX_NESTING)]
    tasks = [task(f"t{n}", n + 1, parent=20_000 + MAX_NESTING - 1) for n in range(20_000)]
    begun = time.process_time()
    fetched_map("p", parts_of(tasks, deep))
    assert time.process_time() - begun < 5  # seconds; a climb for each task takes 20


# ---------------------------------------------------------------- over the wire


@contextlib.asynccontextmanager
async def answering(answers: Callable[[], Iterable[bytes]]) -> AsyncIterator[str]:
    """Yields the address of a planner that answers GetPlan with these bytes."""

    async def get_plan(request: bytes, context: Any) -> AsyncIterator[bytes]:
        for answer in answers():
            yield answer

    handler: Any = grpc.unary_stream_rpc_method_handler(get_plan)
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("signoff.v1.PlannerService", {"GetPlan": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def sent(parts: Iterable[pb.MapPart]) -> Iterator[bytes]:
    return (planner_pb2.GetPlanResponse(part=part).SerializeToString() for part in parts)


def endless() -> Iterator[bytes]:
    while True:
        yield b""


ANSWERS: dict[str, tuple[Callable[[], Iterable[bytes]], str]] = {
    "a path as a task": (lambda: sent(ROGUE["a path as a task"][0]()), "the planner's map of p: parts"),
    "no protobuf": (lambda: [b"\xff\xff\xff"], r"parts\[0\]: expected a GetPlanResponse, but got 3 bytes"),
    "bytes of a file": (lambda: [planner_pb2.GetPlanResponse(chunk=b"x").SerializeToString()], "an empty part"),
    "a part too large": (lambda: [bytes(5 * 2**20)], "expected parts that fit"),
    "no end": (endless, "expected at most 10 parts of"),
    "nothing": (list, "but got nothing"),
}


@pytest.mark.guard(name="an answer of a planner is checked")
async def test_a_path_as_a_task_is_no_plan() -> None:
    async with answering(lambda: sent(ROGUE["a path as a task"][0]())) as address:
        planner = GrpcPlanner(address, timeout=20)
        with pytest.raises(PlanInvalid, match="expected letters"):
            await planner.fetch("p")
        await planner.close()


@pytest.mark.parametrize("name", ANSWERS)
async def test_nothing_of_a_rogue_answer_is_stored_and_the_runner_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner_svc.planner.MOST_PARTS", 10)
    answers, problem = ANSWERS[name]
    store = MemoryStore()
    async with answering(answers) as address:
        planner = GrpcPlanner(address, timeout=20)
        async with running(planner, tmp_path, store=store) as runner:
            for ask in (
                lambda: runner.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id="p")),
                lambda: runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id="p")),
            ):
                with refused("PLAN_INVALID", grpc.StatusCode.INVALID_ARGUMENT) as seen:
                    await ask()
                assert seen.error is not None
                assert re.search(problem, seen.error.details() or "")
            assert not (await runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest())).executions
        await planner.close()
    assert not store.rows
    assert not store._maps


async def test_a_map_that_is_fine_is_fetched_whole() -> None:
    async with answering(lambda: sent(fine())) as address:
        planner = GrpcPlanner(address, timeout=20)
        fetched = await planner.fetch("p")
        await planner.close()
    assert fetched.parts == tuple(part.SerializeToString(deterministic=True) for part in fine())
    assert fetched.map == map_from_parts(fine())
