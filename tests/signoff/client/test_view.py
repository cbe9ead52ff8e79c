"""The view: the fold of a watch, without a terminal and without a runner."""

from __future__ import annotations

import pytest

from runner_svc.core.model import events as core_events
from runner_svc.core.model.states import TRANSITIONS
from signoff.client.view import (
    DOING,
    DONE,
    THINKING_TAIL,
    UNDONE,
    VALIDATING,
    VALIDATION_FAILED,
    TaskView,
    View,
    task_after,
)
from signoff.client.watch import Snapshot
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.servers.fake_runner import (
    assigned,
    created,
    done,
    execution,
    failed,
    given_to_judge,
    given_up,
    journal,
    passed,
    rejected,
    retry_scheduled,
    signed_off,
    started,
    stored,
    succeeded,
    undone,
)


def view_of(*events: pb.Event, tasks: tuple[str, ...] = ("a",)) -> View:
    """A view that has seen a snapshot of undone tasks, then the events."""
    view = View()
    states = tuple(undone(task) for task in tasks)
    view.apply(Snapshot(execution=execution(pb.EXECUTION_STATE_RUNNING, undone=len(tasks)), tasks=states))
    for event in journal(*events):
        view.apply(event)
    return view


def thought(task: str, text: str, *, gap: bool = False) -> runner_pb2.Thinking:
    return runner_pb2.Thinking(task_id=task, attempt=1, text=text, gap=gap)


def test_a_task_goes_from_undone_to_done() -> None:
    seen = []
    view = view_of()
    for event in journal(*done("a")):
        change = view.apply(event)
        assert change is not None
        assert change.after is not None
        seen.append(change.after.status)
    assert seen == [DOING, VALIDATING, VALIDATING, DONE]
    assert view.done == view.total == 1


def test_counts_always_add_up_to_the_tasks() -> None:
    view = view_of(assigned("a"), stored("a"), rejected("a", "no year"), retry_scheduled("a"), tasks=("a", "b", "c"))
    assert view.counts.total() == sum(counts.total() for counts in view.stages.values()) == 3
    assert view.counts[UNDONE] == 3


def test_a_rejection_counts_as_a_failure_and_keeps_its_reason() -> None:
    task = view_of(assigned("a"), stored("a"), rejected("a", "no year")).tasks["a"]
    assert (task.status, task.failures, task.last_failure) == (VALIDATION_FAILED, 1, "no year")


def test_a_task_that_is_given_up_says_so_until_it_is_retried() -> None:
    view = view_of(assigned("a"), stored("a"), rejected("a", "no year"), given_up("a", "three failures"))
    assert view.tasks["a"].given_up
    view.apply(pb.Event(sequence=5, task_id="a", task_retried=pb.TaskRetried()))
    assert (view.tasks["a"].given_up, view.tasks["a"].failures, view.tasks["a"].status) == (False, 0, UNDONE)


def test_a_lost_executor_gives_its_task_back_and_a_lost_validator_does_not() -> None:
    view = view_of(assigned("a"))
    view.apply(pb.Event(sequence=2, task_id="a", lease_lost=pb.LeaseLost(attempt=1, phase=pb.PHASE_EXECUTE)))
    assert (view.tasks["a"].status, view.tasks["a"].losses, view.tasks["a"].worker) == (UNDONE, 1, "")
    view = view_of(assigned("a"), stored("a"), given_to_judge("a"))
    view.apply(pb.Event(sequence=4, task_id="a", lease_lost=pb.LeaseLost(attempt=1, phase=pb.PHASE_VALIDATE)))
    assert (view.tasks["a"].status, view.tasks["a"].losses) == (VALIDATING, 1)


def test_a_lease_that_is_given_back_never_was_an_attempt() -> None:
    view = view_of(assigned("a"))
    view.apply(pb.Event(sequence=2, task_id="a", lease_returned=pb.LeaseReturned(attempt=1, phase=pb.PHASE_EXECUTE)))
    assert (view.tasks["a"].status, view.tasks["a"].attempt) == (UNDONE, 0)


def test_the_execution_moves_with_its_events() -> None:
    view = View()
    states = []
    for event in journal(
        created(),
        started(),
        pb.Event(execution_paused=pb.ExecutionPaused(reason="lunch")),
        pb.Event(execution_resumed=pb.ExecutionResumed()),
        failed("a failed"),
    ):
        view.apply(event)
        states.append((view.state, view.reason))
    assert states == [
        (pb.EXECUTION_STATE_READY, ""),
        (pb.EXECUTION_STATE_RUNNING, ""),
        (pb.EXECUTION_STATE_PAUSED, "lunch"),
        (pb.EXECUTION_STATE_RUNNING, ""),
        (pb.EXECUTION_STATE_FAILED, "a failed"),
    ]
    assert view.is_at_rest


def test_a_fold_from_the_first_event_needs_no_snapshot() -> None:
    view = View()
    for event in journal(created(), started(), *done("a"), succeeded()):
        view.apply(event)
    assert (view.plan_id, view.done, view.state) == ("trends", 1, pb.EXECUTION_STATE_SUCCEEDED)


def test_the_clock_of_an_execution_stands_still_once_it_has_ended() -> None:
    view = View()
    assert view.took(5.0) is None
    begun, *_, last = events = journal(created(), started(), *done("a"), succeeded())
    for event in events[:-1]:
        view.apply(event)
    now = last.at.seconds + 100
    assert view.took(now) == now - view.started_at > 0
    view.apply(last)
    assert view.took(now) == last.at.seconds - view.started_at
    view.apply(journal(begun, pb.Event(execution_resumed=pb.ExecutionResumed()))[-1])
    assert view.took(now) == now - view.started_at


def test_a_second_snapshot_replaces_all_that_was_known() -> None:
    view = view_of(assigned("a"), tasks=("a", "b"))
    view.apply(Snapshot(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, sequence=9), tasks=(signed_off("c"),)))
    assert set(view.tasks) == {"c"}
    assert (view.counts[DONE], view.counts.total(), view.sequence) == (1, 1, 9)


def test_thinking_keeps_its_tail_while_the_task_is_at_work() -> None:
    view = view_of(assigned("a"))
    view.apply(thought("a", "x" * THINKING_TAIL))
    view.apply(thought("a", "the end"))
    assert view.thinking["a"].endswith("the end")
    assert len(view.thinking["a"]) == THINKING_TAIL
    view.apply(thought("a", "later", gap=True))
    assert view.thinking["a"].endswith("the end … later")
    view.apply(pb.Event(sequence=2, task_id="a", candidate_stored=pb.CandidateStored(attempt=1)))
    assert view.thinking == {}


def test_who_thought_last_comes_last() -> None:
    view = view_of(assigned("a"), assigned("b"), tasks=("a", "b"))
    for task in ("a", "b", "a"):
        view.apply(thought(task, "."))
    assert list(view.thinking) == ["b", "a"]


def test_thinking_of_a_task_that_is_not_at_work_is_dropped() -> None:
    view = view_of(*done("a"))
    view.apply(thought("a", "too late"))
    view.apply(thought("unknown", "who?"))
    assert view.thinking == {}


def test_an_event_of_an_unknown_kind_changes_nothing() -> None:
    task = TaskView(task_id="a", status=DOING)
    assert task_after(task, pb.Event(sequence=1, task_id="a")) == task


@pytest.mark.parametrize("status", list(TRANSITIONS))
def test_the_view_moves_tasks_as_the_runners_table_does(status: int) -> None:
    for kind, to in TRANSITIONS[next(known for known in TRANSITIONS if known == status)].items():
        event = _event_of(kind, phase=pb.PHASE_EXECUTE if status in (UNDONE, DOING) else pb.PHASE_VALIDATE)
        after = task_after(TaskView(task_id="a", status=status, attempt=1), event)
        assert after.status == to, f"{kind.__name__} in {status}"


def _event_of(kind: type[core_events.Event], *, phase: pb.Phase.ValueType) -> pb.Event:
    """An event of the wire with the name of the runner's class; with a phase when it has one."""
    for field in pb.Event.DESCRIPTOR.oneofs_by_name["kind"].fields:
        event = pb.Event(sequence=1, task_id="a")
        body = getattr(event, field.name)
        if body.DESCRIPTOR.name == kind.__name__:
            body.SetInParent()
            if "phase" in body.DESCRIPTOR.fields_by_name:
                body.phase = phase
            return event
    raise AssertionError(f"{kind.__name__} is not on the wire")


def test_every_move_changes_the_time_of_the_last_change() -> None:
    view = view_of(assigned("a"), stored("a"))
    before = view.tasks["a"].changed_at
    view.apply(pb.Event(sequence=3, task_id="a", judge_failed=pb.JudgeFailed(attempt=1, message="broke")))
    assert view.tasks["a"].changed_at == before
    event = passed("a")
    event.sequence, event.at.seconds = 4, int(before) + 10
    view.apply(event)
    assert view.tasks["a"].changed_at == before + 10


def test_a_candidate_whose_judge_broke_is_in_trouble_until_it_is_judged() -> None:
    broke = pb.Event(task_id="a", judge_failed=pb.JudgeFailed(attempt=1, message="broke"))
    view = view_of(assigned("a"), stored("a"), given_to_judge("a"), broke)
    assert view.troubled == {"a"}
    event = passed("a")
    event.sequence = 5
    view.apply(event)
    assert view.troubled == set()


def test_a_snapshot_tells_which_candidates_wait_for_a_judge() -> None:
    stuck = undone("a")
    stuck.status = pb.TASK_STATUS_VALIDATING
    stuck.waiting.waiting_for = pb.WAITING_FOR_JUDGE
    view = View()
    view.apply(Snapshot(execution=execution(pb.EXECUTION_STATE_RUNNING), tasks=(stuck, undone("b"))))
    assert view.troubled == {"a"}


def away(task: str, phase: pb.Phase.ValueType = pb.PHASE_EXECUTE) -> pb.Event:
    outage = pb.Outage(model="m", endpoint="http://h/v1", tries=1, message="it said 503")
    return pb.Event(task_id=task, outage_met=pb.OutageMet(attempt=1, phase=phase, outage=outage))


def test_a_task_whose_model_is_away_has_not_begun_and_the_model_is_remembered_until_it_answers() -> None:
    view = view_of(assigned("a"), away("a"))
    assert (view.tasks["a"].status, view.tasks["a"].attempt, view.tasks["a"].failures) == (UNDONE, 0, 0)
    assert [outage.message for outage in view.outages.values()] == ["it said 503"]
    view.apply(pb.Event(sequence=3, outage_ended=pb.OutageEnded(model="m", endpoint="http://h/v1")))
    assert view.outages == {}


def test_a_candidate_whose_judge_is_away_stays_one() -> None:
    view = view_of(assigned("a"), stored("a"), given_to_judge("a"), away("a", pb.PHASE_VALIDATE))
    assert (view.tasks["a"].status, view.tasks["a"].attempt, view.tasks["a"].worker) == (VALIDATING, 1, "")
    assert view.troubled == set()
