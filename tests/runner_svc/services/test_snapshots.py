"""A snapshot shows one moment, with any number of events while it is written, and with slices of any size."""

from __future__ import annotations

import random
from collections.abc import Sequence
from unittest import mock

import pytest

from runner_svc.codec.views import overview_to_proto, tasks_to_proto
from runner_svc.core.model import signals
from runner_svc.core.model.values import Settings
from runner_svc.services.snapshots import Snapshot
from signoff.v1 import execution_pb2
from tests.support.story import (
    EXECUTION,
    Run,
    Step,
    candidate,
    executor,
    failed,
    given,
    judge_broke,
    passed,
    passes,
    rejected,
    started_with,
    validator,
)

PLAN = "a; b <- a; c <- a; g/d; g/e <- g/d; f <- g, b; h; i <- h; j <- c, i"
SETTINGS = Settings(max_failures=2, max_judge_errors=1, retry_base=0.1)
SMALL = "runner_svc.codec.views.WORK_A_TURN"


def begun() -> Run:
    return given(PLAN, executor("w1", slots=3), validator("v1", slots=2), started_with(SETTINGS))


def as_it_is(run: Run, names: Sequence[str] = ()) -> list[execution_pb2.TaskState]:
    """Returns all tasks, or those of some names, written at once."""
    tasks = sorted(run.map.numbers[name] for name in names) if names else range(run.map.task_count)
    return without_reasons(tasks_to_proto(run.machine.state, run.execution, tasks, run.at))


def without_reasons(tasks: object) -> list[execution_pb2.TaskState]:
    """Returns the tasks without their waiting sentences, which are of the moment in which they are written."""
    found = []
    for task in tasks:  # type: ignore[attr-defined]
        task.ClearField("waiting")
        found.append(task)
    return found


def some_step(run: Run, chance: random.Random) -> Step:
    """Draws a step that may happen next."""
    held = [
        (name, record.lease.phase.name)
        for name, number in run.map.numbers.items()
        if (record := run.execution.record(number)).lease is not None
    ]
    if not held or chance.random() < 0.1:
        return passes(1.0)
    name, phase = chance.choice(held)
    made = (candidate, candidate, candidate, failed) if phase == "EXECUTE" else (passed, passed, rejected, judge_broke)
    return chance.choice(made)(name)


def resumed(run: Run) -> signals.Signal:
    return signals.ResumeExecution(at=run.at, request_id="", execution=EXECUTION)


@pytest.mark.parametrize("seed", range(30))
def test_a_snapshot_is_as_of_the_moment_it_began(seed: int) -> None:
    chance = random.Random(seed)
    run = begun()
    for _ in range(chance.randrange(15)):
        run.when(some_step(run, chance))
    snapshot = Snapshot((), run.at)
    head, expected = snapshot.begin(run.machine.state, run.execution.id), as_it_is(run)
    assert head == overview_to_proto(run.execution.overview())
    found: list[execution_pb2.TaskState] = []
    with mock.patch(SMALL, 1):
        while not snapshot.is_whole:
            for part in snapshot.written():
                assert part.execution == head
                assert part.last == snapshot.is_whole
                found += part.tasks
            for _ in range(chance.randrange(4)):
                run.when(some_step(run, chance))
    snapshot.close()
    assert without_reasons(found) == expected
    assert not run.execution.changes.onlookers


@pytest.mark.guard(name="a resume is told before it changes tasks")
def test_a_resume_that_offers_stuck_candidates_again_is_not_seen_by_a_snapshot_that_began_before() -> None:
    run = given("a; b", executor("w1", slots=2), validator("v1", slots=2), started_with(SETTINGS))
    run.when(candidate("a"), candidate("b"), judge_broke("a"), judge_broke("b"))
    assert run.execution.stuck
    snapshot = Snapshot((), run.at)
    snapshot.begin(run.machine.state, run.execution.id)
    expected = as_it_is(run)
    assert [task.judge_errors for task in expected] == [1, 1]
    run.when(resumed)
    assert without_reasons(task for part in snapshot.written() for task in part.tasks) == expected
    snapshot.close()


def test_a_snapshot_of_some_tasks_has_these_alone_in_natural_order() -> None:
    run = begun()
    snapshot = Snapshot(["h", "b", "h", "unknown"], run.at)
    snapshot.begin(run.machine.state, run.execution.id)
    expected = as_it_is(run, ["h", "b"])
    run.when(candidate("h"), candidate("a"), passed("a"))
    assert without_reasons(task for part in snapshot.written() for task in part.tasks) == expected
    snapshot.close()


def test_a_snapshot_of_no_task_is_one_part_without_tasks() -> None:
    run = begun()
    snapshot = Snapshot(["unknown"], run.at)
    snapshot.begin(run.machine.state, run.execution.id)
    (part,) = snapshot.written()
    assert part.last
    assert not part.tasks
    snapshot.close()


def test_a_snapshot_that_was_closed_before_it_began_does_not_listen() -> None:
    run = begun()
    snapshot = Snapshot((), run.at)
    snapshot.close()
    snapshot.begin(run.machine.state, run.execution.id)
    assert not run.execution.changes.onlookers


@pytest.mark.guard(name="a task is written down before it changes")
def test_two_snapshots_that_began_at_different_moments_are_each_of_their_own() -> None:
    run = begun()
    first, second = Snapshot((), run.at), Snapshot((), run.at)
    first.begin(run.machine.state, run.execution.id)
    of_first = as_it_is(run)
    run.when(candidate("a"))
    second.begin(run.machine.state, run.execution.id)
    of_second = as_it_is(run)
    run.when(passed("a"))
    for snapshot, expected in ((second, of_second), (first, of_first)):
        assert without_reasons(task for part in snapshot.written() for task in part.tasks) == expected
        snapshot.close()
    assert of_first != of_second
