"""The reason why nothing happens is reported once, and ends the run when no worker can ever go on."""

from __future__ import annotations

import asyncio

import pytest

from signoff.cli.show.output import CommandOutput
from signoff.cli.watch import stall as stalling
from signoff.cli.watch.follow import IS_PAUSED, NOT_SIGNED_OFF, follow, tell_ending
from signoff.cli.watch.reporters import reporter_for
from signoff.cli.watch.screen import GridRows
from signoff.cli.watch.stall import LOOKS, WHAT_TO_DO, Stall, reason_of
from signoff.client.client import Client
from signoff.client.view import View
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.processes.screens import lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import (
    EXECUTION_ID,
    FakeRunner,
    assigned,
    created,
    execution,
    journal,
    listening,
    started,
    succeeded,
    undone,
)

NO_WORKER = "no executor that is connected has what it asks for: the handler command"


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalling, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(stalling, "LONGEST_LOOK", 0.02)


def waiting(task_id: str, what: pb.WaitingFor.ValueType, message: str) -> pb.TaskState:
    task = undone(task_id)
    task.waiting.waiting_for = what
    task.waiting.message = message
    return task


def stuck() -> FakeRunner:
    """One task that no worker can do, and one that waits for it; the watch stays open."""
    return FakeRunner(
        execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=2, undone=2),
        tasks=[
            waiting("a", pb.WAITING_FOR_CAPABLE_WORKER, NO_WORKER),
            waiting("b", pb.WAITING_FOR_DEPENDENCIES, "it waits for a"),
        ],
        events=journal(created(), started()),
        looks=1_000,
    )


async def followed(runner: FakeRunner, output: CommandOutput, *, wait: bool = False, alone: bool = True) -> str:
    reporter = reporter_for(output, GridRows(), "")
    async with listening(runner) as address, Client(runner=address) as client, reporter:
        return await follow(client, EXECUTION_ID, reporter, thinking=False, wait=wait, alone=alone)


@pytest.mark.guard(name="a run that cannot go on ends")
async def test_a_run_that_no_worker_can_go_on_with_ends_with_the_reason() -> None:
    runner, output = stuck(), piped()
    assert await followed(runner, output) == f"a: {NO_WORKER}"
    assert notes_of(output) == [f"signoff: nothing is being done: a: {NO_WORKER}"]
    asked = [getattr(request, "tasks", None) for request in runner.asked]
    assert asked.count(runner_pb2.TASK_SELECTION_UNFINISHED) == LOOKS, "a worker may be about to come back"


@pytest.mark.parametrize(("wait", "alone"), [(True, True), (False, False)])
async def test_who_waits_or_may_be_joined_by_others_is_told_and_goes_on(wait: bool, alone: bool) -> None:
    runner, output = stuck(), piped()
    runner.looks = LOOKS + 2
    assert await followed(runner, output, wait=wait, alone=alone) == ""
    assert notes_of(output) == [f"signoff: nothing is being done: a: {NO_WORKER}"], "once"


async def test_what_a_person_or_time_can_change_is_not_the_end() -> None:
    runner = stuck()
    runner.tasks.append(waiting("c", pb.WAITING_FOR_PERSON, "a person is to approve"))
    runner.looks = LOOKS + 2
    assert await followed(runner, piped()) == ""


async def test_while_a_worker_is_at_it_the_runner_is_not_asked_why() -> None:
    runner, view, output = stuck(), View(state=pb.EXECUTION_STATE_RUNNING), piped()
    view.apply(journal(assigned("a"))[0])
    async with listening(runner) as address, Client(runner=address) as client:
        stall = Stall(client, EXECUTION_ID, reporter_for(output, GridRows(), ""))
        assert [await stall.look(view) for _ in range(LOOKS)] == [""] * LOOKS
    assert (runner.asked, notes_of(output)) == ([], [])


def test_the_most_telling_reason_is_told_with_how_many_have_it() -> None:
    tasks = [
        waiting("a", pb.WAITING_FOR_DEPENDENCIES, "it waits for x"),
        waiting("b", pb.WAITING_FOR_RATE, "its turn comes in 3.0 s"),
        waiting("c", pb.WAITING_FOR_EXECUTOR, "no executor is connected"),
        waiting("d", pb.WAITING_FOR_EXECUTOR, "no executor is connected"),
    ]
    assert reason_of(tasks) == "c (and 1 more): no executor is connected"
    assert reason_of(tasks[:1]) == ""


async def test_the_ending_says_why_nothing_can_go_on_and_what_to_do() -> None:
    output = piped()
    async with listening(stuck()) as address, Client(runner=address) as client:
        code = await tell_ending(client, EXECUTION_ID, output, None, cannot=f"a: {NO_WORKER}")
    assert code == NOT_SIGNED_OFF
    assert lines_of(output)[-2:] == [f"nothing can go on: a: {NO_WORKER}", WHAT_TO_DO]


async def test_the_ending_in_json_has_the_reason_too() -> None:
    output = piped(as_json=True)
    async with listening(stuck()) as address, Client(runner=address) as client:
        await tell_ending(client, EXECUTION_ID, output, None, cannot="a: no worker can do it")
    assert records_of(output)[-1]["cannot_go_on"] == "a: no worker can do it"


def paused(request_id: str) -> FakeRunner:
    return FakeRunner(
        execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=2, undone=1),
        tasks=[undone("a")],
        events=journal(
            created(),
            started(),
            pb.Event(execution_paused=pb.ExecutionPaused(request_id=request_id, reason="the budget is used up")),
            succeeded(),
        ),
    )


@pytest.mark.guard(name="a run that the runner pauses ends")
async def test_a_run_ends_when_the_runner_pauses_it_and_not_when_a_person_does() -> None:
    told = {}
    for request_id in ("", "r1"):
        output = piped()
        await followed(paused(request_id), output)
        told[request_id] = any("succeeded" in line for line in lines_of(output))
    assert told == {"": False, "r1": True}


@pytest.mark.guard(name="a run that was paused at once ends")
async def test_a_run_ends_when_it_was_paused_before_the_watch_began() -> None:
    runner = paused("")
    del runner.events[3:]
    runner.execution.state, runner.execution.sequence, runner.looks = pb.EXECUTION_STATE_PAUSED, 3, 1_000
    async with asyncio.timeout(20):
        assert await followed(runner, piped()) == ""


async def test_a_paused_execution_is_exit_code_3() -> None:
    runner = paused("")
    runner.execution.state = pb.EXECUTION_STATE_PAUSED
    async with listening(runner) as address, Client(runner=address) as client:
        assert await tell_ending(client, EXECUTION_ID, piped(), None) == IS_PAUSED == 3


def test_a_person_who_is_to_judge_is_told_of_when_nothing_else_is_to_be_told() -> None:
    asked = waiting("a", pb.WAITING_FOR_PERSON, "a person is to approve or reject the candidate of attempt 1")
    assert reason_of([asked]) == "a: a person is to approve or reject the candidate of attempt 1"
    assert reason_of([asked, waiting("b", pb.WAITING_FOR_CAPABLE_WORKER, NO_WORKER)]) == f"b: {NO_WORKER}"
