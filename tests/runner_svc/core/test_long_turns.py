"""Turns stay short: work beyond a turn's bound is lent in the next, in the same order; long decisions have steps."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from unittest import mock

import pytest

from runner_svc.core.decide.inputs import inputs_of
from runner_svc.core.decide.turn import Decision
from runner_svc.core.explain.why_waiting import Reasons
from runner_svc.core.fleet.roster import Roster
from runner_svc.core.machine import MORE_LENDS, NOW
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.requirements import Requirement, Requirements
from runner_svc.core.model.states import DONE, UNDONE
from runner_svc.core.model.values import Budget, Content, ExecutionId, LeaseId, Role, RollbackScope, Settings
from runner_svc.core.state.execution import Execution
from runner_svc.services.leases import content_of_lease
from signoff.errors import ArtifactNotFound, StaleLease
from signoff.v1 import runner_pb2
from tests.support.steps import turn_by_steps
from tests.support.story import (
    EXECUTION,
    Run,
    candidate,
    executor,
    failed,
    given,
    passes,
    rejected,
    signed_off,
    started,
    started_with,
    validator,
    worker_lost,
)
from tests.support.values.maps import map_of

MANY = "; ".join(f"t{n}" for n in range(1000))
BEHIND_ONE = "a; " + "; ".join(f"t{n} <- a" for n in range(50))
GPU = Requirements(
    executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"model"}), labels=frozenset({("gpu", "1")})),)
)


def lent(run: Run) -> list[tuple[int, str]]:
    """Returns the tasks in the order in which they were given out, with the workers."""
    return [
        (entry.event.task, entry.event.worker) for entry in run.entries if isinstance(entry.event, events.TaskAssigned)
    ]


def credit(run: Run, worker: str, window: int) -> signals.Signal:
    return signals.CreditGranted(at=run.at, session=run.sessions[worker], window=window)


@pytest.mark.guard(name="a turn lends a bounded amount")
def test_a_turn_lends_a_bounded_amount_a_step_and_the_next_one_is_due_at_once() -> None:
    run = given(MANY, started, executor("w1", slots=0))
    turns = [turn_by_steps(run.machine, [credit(run, "w1", 2**32 - 1)])[1]]
    while run.machine.next_deadline == NOW:
        turns.append(turn_by_steps(run.machine, [signals.TimePassed(at=run.at)])[1])
    assert max(max(steps) for steps in turns) <= 250
    assert max(sum(steps) for steps in turns) <= 250 * (1 + MORE_LENDS)
    assert len(turns) > 1
    assert sum(sum(steps) for steps in turns) == 1000


def test_a_worker_that_leaves_while_work_is_lent_is_given_no_more() -> None:
    run = given(MANY, started, executor("w1", slots=0))
    run.machine.turn([credit(run, "w1", 2**32 - 1)])
    assert run.machine.next_deadline == NOW
    run.machine.turn([signals.WorkerLost(at=run.at, session=run.sessions["w1"], reason="it left", orderly=True)])
    assert run.machine.next_deadline != NOW
    assert run.execution.ready_count == 1000


STORIES = {
    "many workers": ("; ".join(f"t{n}" for n in range(40)), {}, {}),
    "long paths first": ("a; b; c <- b; d <- c; e; f <- e; g <- f; h <- g", {}, {}),
    "different wants": ("; ".join(f"t{n}" for n in range(20)), {f"t{n}": GPU for n in range(0, 20, 3)}, {}),
    "a budget": ("; ".join(f"g/t{n}" for n in range(10)), {}, {"g": Budget(tokens=3000)}),
    "named inputs": ("a[p]; b[q]; " + "; ".join(f"r{n}(p, q) <- a, b" for n in range(10)), {}, {}),
}


@pytest.mark.parametrize("work", [1, 30, 120])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_is_lent_in_small_parts_is_lent_to_the_same_workers_in_the_same_order(
    story: tuple[str, dict[str, Requirements], dict[str, Budget]], work: int
) -> None:
    def told() -> list[tuple[int, str]]:
        text, terms, budgets = story
        run = given(text, requirements=terms, budgets=budgets)
        run.when(executor("w1", slots=7), executor("w2", slots=3), validator("v1", slots=4), started)
        for name in run.map.task_ids:
            if run.execution.record(run.task(name)).lease is not None:
                run.when(*signed_off(name))
        return lent(run)

    at_once = told()
    with mock.patch("runner_svc.core.decide.assign.WORK_A_STEP", work):
        assert told() == at_once


def test_an_execution_begins_with_queues_as_if_each_ready_task_had_been_put_in_alone() -> None:
    plan = map_of("a; b <- a; c; d <- c; e <- d; f", requirements={"c": GPU})
    execution = Execution(ExecutionId("e1"), Settings(), plan)
    alone: dict[Requirement, list[tuple[int, int]]] = {}
    for task in range(plan.task_count):
        if not plan.waits_for[task]:
            place = (-plan.tails[task], task)
            heapq.heappush(alone.setdefault(execution.requirement(task, Role.EXECUTOR), []), place)
    assert {wants: sorted(queue) for wants, queue in execution.agenda.queued[Role.EXECUTOR].items()} == {
        wants: sorted(queue) for wants, queue in alone.items()
    }
    assert execution.ready_count == 3


def test_executions_of_one_map_do_not_share_their_queues() -> None:
    plan = map_of("a; b; c")
    first, second = (Execution(ExecutionId(name), Settings(), plan) for name in ("e1", "e2"))
    for queue in first.agenda.queued[Role.EXECUTOR].values():
        queue.clear()
    first.waiting[0] = first.unfinished[0] = 7
    assert [len(queue) for queue in second.agenda.queued[Role.EXECUTOR].values()] == [3]
    assert (second.waiting[0], second.unfinished[0]) == (0, 0)


@pytest.mark.parametrize("many", [1, 3, 60])
def test_tasks_that_are_queued_together_come_out_like_tasks_that_are_queued_one_by_one(many: int) -> None:
    plan = map_of("; ".join(f"t{n}" + (f" <- t{n - 1}" if n % 3 else "") for n in range(100)))
    together, alone = (Execution(ExecutionId(name), Settings(), plan) for name in ("e1", "e2"))
    again = [task for task in range(100) if not plan.waits_for[task]][:many]
    together.agenda.add_all(again)
    for task in again:
        alone.agenda.add(task)
    assert list(popped(together)) == list(popped(alone))


def popped(execution: Execution) -> Iterator[tuple[int, int]]:
    (queue,) = execution.agenda.queued[Role.EXECUTOR].values()
    while queue:
        yield heapq.heappop(queue)


# ---------------------------------------------------------------- steps


def done() -> Run:
    """All tasks behind the first are signed off."""
    run = given(BEHIND_ONE, executor("w1", slots=100), validator("v1", slots=100), started)
    run.when(*signed_off("a"))
    for n in range(50):
        run.when(*signed_off(f"t{n}"))
    return run


@pytest.mark.guard(name="a rollback has steps")
def test_a_rollback_is_decided_step_by_step_and_the_decision_is_the_same() -> None:
    signal = signals.RetryTask(at=0.0, request_id="r1", execution=EXECUTION, task_id="a")
    at_once = done().machine.turn([signal])
    decision = Decision()
    sizes = [len(decision.entries) for _ in done().machine.steps([signal], decision)]
    assert (decision.entries, decision.replies) == (at_once.entries, at_once.replies)
    assert max(after - before for before, after in zip([0, *sizes], sizes, strict=False)) <= 2


def test_a_rollback_to_the_producers_has_steps_and_takes_everything_back_that_rests_on_them() -> None:
    text = "a; " + "; ".join(f"t{n} <- a" for n in range(50))
    settings = Settings(rollback_scope=RollbackScope.PRODUCERS, max_failures=1)
    run = given(text, executor("w1", slots=100), validator("v1", slots=100), started_with(settings))
    run.when(*signed_off("a"))
    for n in range(49):
        run.when(*signed_off(f"t{n}"))
    lease, session = run.lease("t49"), run.holder("t49")
    signal = failed("t49")(run)
    assert isinstance(signal, signals.WorkFailed)
    assert (signal.lease, signal.session) == (lease, session)
    steps = list(run.machine.steps([signal], Decision()))
    assert len(steps) >= 50
    statuses = {run.execution.task_status(task) for task in range(1, 51)}
    assert statuses == {UNDONE}


def test_what_follows_in_a_turn_finds_a_rollback_finished() -> None:
    run = done()
    retry = signals.RetryTask(at=run.at, request_id="", execution=EXECUTION, task_id="a")
    pause = signals.PauseExecution(at=run.at, request_id="", execution=EXECUTION, reason="")
    recorded = [type(entry.event).__name__ for entry in run.machine.turn([retry, pause]).entries]
    assert recorded.index("ExecutionPaused") > max(n for n, name in enumerate(recorded) if name == "TaskRolledBack")


def test_a_worker_with_many_leases_is_lost_step_by_step() -> None:
    run = given(BEHIND_ONE, executor("w1", slots=100), validator("v1", slots=100), started, *signed_off("a"))
    run.when(worker_lost("w1"))
    run.at += 61
    steps = list(run.machine.steps([signals.TimePassed(at=run.at)], Decision()))
    assert len(steps) >= 50
    assert run.execution.ready_count == 50


def test_a_command_that_changes_nothing_is_noted_once_all_its_steps_are_done() -> None:
    run = done()
    stop = signals.StopExecution(at=run.at, request_id="r1", execution=EXECUTION, reason="")
    with_refusal = run.machine.turn([stop])  # it has succeeded
    assert not with_refusal.entries
    retry = signals.RetryTask(at=run.at, request_id="r2", execution=EXECUTION, task_id="t0")
    assert "CommandNoted" not in {type(entry.event).__name__ for entry in run.machine.turn([retry]).entries}


# ---------------------------------------------------------------- once, and not again and again


@pytest.mark.guard(name="inputs are found once a lease")
def test_what_a_task_is_given_is_found_once_a_lease() -> None:
    names = [f"p{n}" for n in range(30)]
    text = "; ".join(f"t{n}[{name}]" for n, name in enumerate(names)) + f"; z({', '.join(names)}) <- "
    text += ", ".join(f"t{n}" for n in range(30))
    run = given(text, executor("w1", slots=100), validator("v1", slots=100), started)
    for n in range(30):
        run.when(*signed_off(f"t{n}"))
    lease = run.machine.state.roster.leases[run.lease("z")]
    assert lease.input_digest
    session, z = run.holder("z"), run.task("z")
    with mock.patch("runner_svc.core.decide.inputs.inputs_of", wraps=inputs_of) as found:
        for n in range(30):
            read = read_under(run, lease.id, f"t{n}")
            assert read.digest == hashlib.sha256(f"made by t{n}".encode()).hexdigest()
        assert found.call_count == 0
        signal = candidate("z")(run)
        assert isinstance(signal, signals.CandidateMade)
        decision = run.machine.turn([signal])
    assert signal.session == session
    assert found.call_count == 1  # of the validator's lease, which is another one
    (stored,) = [entry.event for entry in decision.entries if isinstance(entry.event, events.CandidateStored)]
    assert stored.content.input_digest == lease.input_digest
    (given_out,) = [
        command for command in decision.commands if isinstance(command, commands.Assign) and command.task == z
    ]
    assert len(given_out.inputs) == 30


def read_under(run: Run, lease: LeaseId, task_id: str) -> Content:
    """Returns the input that the holder of a lease is given when it asks for it."""
    artifact = run.execution.record(run.task(task_id)).artifact
    assert artifact is not None
    request = runner_pb2.GetArtifactRequest(lease_id=lease, digest=artifact.digest)
    return content_of_lease(run.machine.state, run.execution, run.task(task_id), request)


def test_a_lease_reads_what_its_assignment_names_and_nothing_else() -> None:
    run = given("a[p]; b[q]; c(p) <- a; d", executor("w1", slots=9), validator("v1", slots=9), started)
    run.when(*signed_off("a"), *signed_off("b"))
    assert read_under(run, run.lease("c"), "a").size == len("made by a")
    with pytest.raises(ArtifactNotFound):
        read_under(run, run.lease("c"), "b")
    with pytest.raises(ArtifactNotFound):
        read_under(run, run.lease("d"), "a")
    lease = run.lease("c")
    run.when(candidate("c"))
    with pytest.raises(StaleLease):
        read_under(run, lease, "a")


def test_what_many_tasks_wait_for_is_found_out_once() -> None:
    run = given(MANY, started, executor("w1"), passes(0))
    with mock.patch.object(Roster, "can_do", autospec=True, side_effect=Roster.can_do) as asked:
        reasons = Reasons(run.machine.state, run.execution, run.at)
        told = {waiting.message for task in range(1000) if (waiting := reasons.of(task)) is not None}
    assert told == {"w1 is working on attempt 1", "it waits for a free executor: all 1 slots are taken"}
    assert asked.call_count == 1


def test_tasks_behind_a_group_where_many_failed_for_good_name_the_first_of_them() -> None:
    text = "; ".join(f"g/t{n}" for n in range(30)) + "; z <- g"
    settings = Settings(max_failures=1, max_rollbacks=0)
    run = given(text, executor("w1", slots=100), validator("v1", slots=100), started_with(settings))
    for n in range(30):
        run.when(candidate(f"t{n}"), rejected(f"t{n}"))
    reasons = Reasons(run.machine.state, run.execution, run.at)
    waiting = reasons.of(run.task("z"))
    assert waiting is not None
    assert waiting.message == f"it waits for {', '.join(f't{n}' for n in range(20))}, which failed for good"
    assert run.execution.counts[DONE] == 0
