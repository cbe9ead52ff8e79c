"""The inputs of a task: all of them, in order, and their digest."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from runner_svc.core.decide.assign import WORK_A_STEP, WORK_OF_LEASE
from runner_svc.core.decide.inputs import input_digest, inputs_of
from runner_svc.core.decide.turn import Decision
from runner_svc.core.model.commands import Assign
from runner_svc.core.model.map import NO_PARENT, Map
from runner_svc.core.model.signals import TimePassed, VerdictGiven
from runner_svc.core.model.values import Content, ExecutionId, Settings
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.task_record import TaskRecord
from signoff.plan.limits import MAX_INPUTS
from tests.support.steps import turn_by_steps
from tests.support.story import (
    candidate,
    executor,
    given,
    passed,
    passes,
    rejected,
    retried,
    signed_off,
    started,
    validator,
)
from tests.support.values.maps import map_of

MIB = 1024 * 1024


def after(plan: Map, size: int = 10) -> Execution:
    """An execution in which every task has made something of this size."""
    execution = Execution(ExecutionId("e1"), Settings(), plan)
    for task in range(plan.task_count):
        digest = hashlib.sha256(str(task).encode()).hexdigest()
        execution.records[task] = TaskRecord(artifact=Content(digest=digest, size=size, media_type="text/plain"))
    return execution


def gathering(count: int, named: bool, *, readers: int = 1) -> Map:
    """Tasks that make an artifact each, and others that wait for all of them; these may name what they read."""
    names = [f"p{n}" for n in range(count)]
    reading = [f"z{n}" for n in range(readers)]
    return Map(
        plan_id="plan",
        idea="",
        digest="d",
        task_ids=[*(f"t{n}" for n in range(count)), *reading],
        group_ids=[],
        parents=[NO_PARENT] * (count + readers),
        waits_for=[*[()] * count, *[tuple(range(count))] * readers],
        stages=[*[1] * count, *[2] * readers],
        reads=[*[()] * count, *[names if named else ()] * readers],
        makes=[*names, *[""] * readers],
        specs=[b""] * (count + readers),
    )


def makers(plan: Map, task: str) -> Sequence[str]:
    inputs, omitted = inputs_of(after(plan), plan.numbers[task])
    assert omitted == ()
    return [plan.task_ids[maker] for _, maker, _ in inputs]


@pytest.mark.guard(name="a task is given all of its inputs")
@pytest.mark.parametrize("count", [65, 70, 1_000, 1_001, 1_100, 20_000])
@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])
def test_a_task_is_given_all_that_it_reads_however_many_and_however_large(count: int, named: bool) -> None:
    plan = gathering(count, named)
    inputs, omitted = inputs_of(after(plan, size=60 * MIB), count)
    assert omitted == ()
    assert [(name, maker) for name, maker, _ in inputs] == [(f"p{n}", n) for n in range(count)]
    assert {content.size for _, _, content in inputs} == {60 * MIB}


def test_what_is_waited_for_through_a_group_and_by_itself_is_given_once() -> None:
    plan = map_of("g/a[p]; g/b; g/h/c[q]; d; z <- g/b, g, d, g/h")
    assert makers(plan, "z") == ["b", "a", "c", "d"]


@pytest.mark.guard(name="named inputs come before those of dependencies")
def test_a_task_that_named_some_that_nobody_makes_is_given_what_it_names_and_then_what_its_dependencies_made() -> None:
    plan = map_of("a[p]; b[q]; g/c; g/d[r]; z(q) <- a, b, g; y(q) <- a, b, g")
    plan = replace(plan, with_dependencies=frozenset({plan.numbers["z"]}))
    assert makers(plan, "z") == ["b", "a", "c", "d"]
    assert makers(plan, "y") == ["b"]


def test_what_is_not_there_is_said_and_nothing_else_is_left_out() -> None:
    plan = map_of("a[p]; b[q] <- a; z(p, q, r) <- a; y[r]")
    inputs, omitted = inputs_of(after(plan), plan.numbers["z"])
    assert [name for name, _, _ in inputs] == ["p"]
    assert omitted == (
        ("q", "b makes it, and this task does not wait for b"),
        ("r", "y makes it, and this task does not wait for y"),
    )


def test_the_digest_of_what_a_task_is_given_is_as_it_always_was() -> None:
    plan = map_of("a[p]; b; z <- a, b")
    inputs, _ = inputs_of(after(plan), plan.numbers["z"])
    spec, first, second = plan.spec_digest(2), *(hashlib.sha256(str(n).encode()).hexdigest() for n in range(2))
    assert input_digest(spec, inputs) == hashlib.sha256(f"{spec}\0p\0{first}\0\0{second}".encode()).hexdigest()


def test_each_of_very_many_inputs_counts_for_the_digest() -> None:
    plan = gathering(1_100, named=True)
    inputs, _ = inputs_of(after(plan), 1_100)
    digests = {input_digest("", inputs[:count]) for count in (64, 65, 1_000, 1_001, 1_099, 1_100)}
    assert len(digests) == 6


MANY = "; ".join(f"t{n}" for n in range(70)) + "; z <- " + ", ".join(f"t{n}" for n in range(70))


def test_what_was_made_of_more_than_64_inputs_counts_again_only_when_none_of_them_has_changed() -> None:
    run = given(MANY, executor("w1", slots=99), validator("v1", slots=99), started)
    for n in range(70):
        run.when(*signed_off(f"t{n}"))
    assert len(run.assignment("z").inputs) == 70
    run.when(*signed_off("z"))
    run.when(retried("t69"), candidate("t69"), rejected("t69"), passes(1.0), candidate("t69", "other"))
    run.when(*signed_off("t69", "other")[1:])
    assert len(run.assignment("z").inputs) == 70
    run.when(*signed_off("z"), retried("t69"))
    run.when(*signed_off("t69", "other"))
    run.then(
        events=["CandidateStored t69", "TaskAssigned t69", "VerdictPassed t69", "ArtifactKept z", "ExecutionSucceeded"]
    )


def test_a_judge_is_given_the_same_inputs_as_the_author() -> None:
    run = given(MANY, executor("w1", slots=99), validator("v1", slots=99), started)
    for n in range(70):
        run.when(*signed_off(f"t{n}"))
    author = run.assignment("z").inputs
    run.when(candidate("z"))
    assert run.assignment("z").candidate is not None
    assert run.assignment("z").inputs == author


# ---------------------------------------------------------------- how much it is


def test_a_task_receives_no_more_than_the_map_says() -> None:
    plan = map_of("g/a[p]; g/b; g/h/c[q]; d; z <- g/b, g, d; y(p, q) <- g; x(p) <- g")
    plan = replace(plan, with_dependencies=frozenset({plan.numbers["x"]}))
    counts = {name: plan.input_counts[plan.numbers[name]] for name in "abcdxyz"}
    assert counts == {"a": 0, "b": 0, "c": 0, "d": 0, "x": 4, "y": 2, "z": 5}
    assert {name: plan.count_inputs(plan.numbers[name]) for name in "xyz"} == {"x": 4, "y": 2, "z": 4}
    for name in "xyz":
        assert len(makers(plan, name)) <= plan.count_inputs(plan.numbers[name])


def test_of_a_map_without_the_bound_no_more_is_looked_at_than_shows_that_it_is_too_much() -> None:
    plan = gathering(MAX_INPUTS + 50, named=False)
    inputs, _ = inputs_of(after(plan), MAX_INPUTS + 50)
    assert len(inputs) == MAX_INPUTS + 1


@pytest.mark.guard(name="inputs of dependencies are work")
def test_readers_of_many_unnamed_inputs_are_lent_a_few_a_step() -> None:
    text = "; ".join(f"g/t{n}" for n in range(60)) + "; " + "; ".join(f"z{n} <- g" for n in range(100))
    run = given(text, executor("w1", slots=200), validator("v1", slots=200), started)
    for n in range(59):
        run.when(*signed_off(f"t{n}"))
    run.when(candidate("t59"))
    signal = passed("t59")(run)
    assert isinstance(signal, VerdictGiven)
    lent = turn_by_steps(run.machine, [signal], assigned)[1]
    while run.machine.state.is_lending:
        lent += turn_by_steps(run.machine, [TimePassed(at=run.at)], assigned)[1]
    assert sum(lent) == 100
    assert max(lent) <= WORK_A_STEP // (60 + WORK_OF_LEASE) + 1


def assigned(decision: Decision) -> int:
    return sum(isinstance(command, Assign) for command in decision.commands)


def test_a_task_with_20_000_inputs_is_found_what_it_reads_within_a_turn() -> None:
    execution = after(gathering(20_000, named=False))
    gc.collect()  # what other tests have left is not collected meanwhile
    begun = time.thread_time()
    inputs, _ = inputs_of(execution, 20_000)
    input_digest("", inputs)
    assert time.thread_time() - begun < 0.2  # 25 ms on a machine that does nothing else
