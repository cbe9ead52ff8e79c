"""A watcher's view of an execution, folded from a snapshot and the events after it. No clock, no terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from signoff.client.watch import Message, Snapshot
from signoff.display.wire_names import unix
from signoff.states import is_at_rest
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2

UNDONE, DOING, VALIDATING = pb.TASK_STATUS_UNDONE, pb.TASK_STATUS_DOING, pb.TASK_STATUS_VALIDATING
DONE, EXECUTION_FAILED = pb.TASK_STATUS_DONE, pb.TASK_STATUS_EXECUTION_FAILED
VALIDATION_FAILED = pb.TASK_STATUS_VALIDATION_FAILED

THINKING_TAIL = 400  #: characters kept of what a task's worker thinks; a screen line shows fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One task as a watcher sees it."""

    task_id: str
    stage: int = 0  #: 0 while unknown, when the fold began with the first event
    status: int = UNDONE
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    worker: str = ""  #: the worker that holds the lease; empty when none does
    changed_at: float = 0.0  #: Unix time of the last status change
    last_failure: str = ""
    given_up: bool = False  #: failed for good: only RetryTask moves it


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event, and what it did to the task it is about."""

    event: pb.Event
    before: TaskView | None  #: None for events of the execution
    after: TaskView | None


@dataclass(slots=True)
class View:
    """An execution as a watcher sees it. Feed it every message of a watch, in order."""

    execution_id: str = ""
    plan_id: str = ""
    idea: str = ""
    state: int = pb.EXECUTION_STATE_READY
    reason: str = ""  #: why it is paused, stopped or failed
    sequence: int = 0
    started_at: float = 0.0  #: Unix time; 0 while unknown
    not_asked: int = 0  #: tasks that stay undone, because it was not asked for them
    ended_at: float = 0.0  #: 0 while it has not succeeded or failed
    tasks: dict[str, TaskView] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)  #: tasks per status
    stages: dict[int, Counter[int]] = field(default_factory=dict)  #: the same per stage
    troubled: set[str] = field(default_factory=set)  #: candidates whose judge broke or was lost, and not judged since
    awaiting: dict[str, None] = field(default_factory=dict)  #: candidates that wait for a person's verdict, in order
    #: by model and endpoint: models that could not be asked, and that have not answered since
    outages: dict[tuple[str, str], pb.Outage] = field(default_factory=dict)
    thinking: dict[str, str] = field(default_factory=dict)  #: the tail per task at work; who thought last comes last

    @property
    def is_at_rest(self) -> bool:
        """Tells whether nothing more happens by itself."""
        return is_at_rest(self.state)

    def took(self, at: float) -> float | None:
        """Returns the seconds from its start to its end, or to `at` while it has none; None before it was started."""
        return (self.ended_at or at) - self.started_at if self.started_at else None

    @property
    def total(self) -> int:
        """Returns the number of tasks that it is asked for."""
        return len(self.tasks) - self.not_asked

    @property
    def done(self) -> int:
        return self.counts[DONE]

    def apply(self, message: Message) -> Change | None:
        """Folds one message in. Returns what an event changed; None for snapshots and thinking."""
        if isinstance(message, Snapshot):
            self._begin(message)
        elif isinstance(message, runner_pb2.Thinking):
            self._think(message)
        else:
            return self._happen(message)
        return None

    def _begin(self, snapshot: Snapshot) -> None:
        execution = snapshot.execution
        self.execution_id, self.plan_id, self.idea = execution.execution_id, execution.plan_id, execution.idea
        self.state, self.reason, self.sequence = execution.state, execution.reason, execution.sequence
        self.started_at, self.ended_at = unix(execution.started_at), unix(execution.ended_at)
        self.not_asked = execution.not_asked
        self.outages = {(outage.model, outage.endpoint): outage for outage in execution.outages}
        self.thinking.clear()
        self.tasks.clear()
        self.counts.clear()
        self.stages.clear()
        for task in snapshot.tasks:
            self._put(_task_from_proto(task))
        self.awaiting = {t.task_id: None for t in snapshot.tasks if t.waiting.waiting_for == pb.WAITING_FOR_PERSON}
        self.troubled = {t.task_id for t in snapshot.tasks if t.waiting.waiting_for == pb.WAITING_FOR_JUDGE}

    def _think(self, thought: runner_pb2.Thinking) -> None:
        task = self.tasks.get(thought.task_id)
        if task is None or task.status not in (DOING, VALIDATING):
            return
        before = self.thinking.pop(thought.task_id, "")
        tail = f"{before} … {thought.text}" if thought.gap else before + thought.text
        self.thinking[thought.task_id] = tail[-THINKING_TAIL:]

    def _happen(self, event: pb.Event) -> Change:
        self.sequence = event.sequence
        if not event.task_id:
            self._move_execution(event)
            return Change(event=event, before=None, after=None)
        if event.HasField("outage_met"):
            outage = event.outage_met.outage
            self.outages[outage.model, outage.endpoint] = outage
        before = self.tasks.get(event.task_id) or TaskView(task_id=event.task_id)
        after = task_after(before, event)
        self._put(after)
        if after.status != VALIDATING:
            self.awaiting.pop(event.task_id, None)
            self.troubled.discard(event.task_id)
        elif event.WhichOneof("kind") in ("judge_failed", "lease_lost"):
            self.troubled.add(event.task_id)
        elif event.HasField("person_asked"):
            self.awaiting[event.task_id] = None
            self.troubled.discard(event.task_id)
        if (after.status, after.attempt) != (before.status, before.attempt) or not after.worker:
            self.thinking.pop(event.task_id, None)
        return Change(event=event, before=before, after=after)

    def _move_execution(self, event: pb.Event) -> None:
        kind = event.WhichOneof("kind") or ""
        self.state = _STATE_AFTER.get(kind, self.state)
        if kind in _STATE_AFTER:
            self.reason = getattr(getattr(event, kind), "reason", "")
            self.ended_at = unix(event.at) if self.state in _FINAL else 0.0
        if kind == "execution_created":
            self.plan_id, self.idea = event.execution_created.plan_id, event.execution_created.idea
        if kind == "outage_ended":
            self.outages.pop((event.outage_ended.model, event.outage_ended.endpoint), None)
        if kind == "execution_started":
            self.started_at = unix(event.at)

    def _put(self, task: TaskView) -> None:
        before = self.tasks.get(task.task_id)
        if before is not None:
            self.counts[before.status] -= 1
            self.stages[before.stage][before.status] -= 1
        self.tasks[task.task_id] = task
        self.counts[task.status] += 1
        if task.stage not in self.stages:
            self.stages[task.stage] = Counter()
        self.stages[task.stage][task.status] += 1


_FINAL = (pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_FAILED)
_STATE_AFTER: Mapping[str, int] = MappingProxyType(
    {
        "execution_created": pb.EXECUTION_STATE_READY,
        "execution_started": pb.EXECUTION_STATE_RUNNING,
        "execution_paused": pb.EXECUTION_STATE_PAUSED,
        "execution_resumed": pb.EXECUTION_STATE_RUNNING,
        "execution_stopped": pb.EXECUTION_STATE_STOPPED,
        "execution_succeeded": pb.EXECUTION_STATE_SUCCEEDED,
        "execution_failed": pb.EXECUTION_STATE_FAILED,
    }
)


def task_after(task: TaskView, event: pb.Event) -> TaskView:
    """Returns the task after one of its events. An event of an unknown kind changes nothing."""
    kind = event.WhichOneof("kind") or ""
    change = _CHANGES.get(kind)
    if change is None:
        return task
    fields = change(task, getattr(event, kind))
    if fields.get("status", task.status) == task.status:
        return replace(task, **fields)
    return replace(task, **fields, changed_at=unix(event.at))


Fields = Mapping[str, Any]


def _assigned(_task: TaskView, event: pb.TaskAssigned) -> Fields:
    status = DOING if event.phase == pb.PHASE_EXECUTE else VALIDATING
    return {"status": status, "attempt": event.attempt, "worker": event.worker}


def _stored(_task: TaskView, _event: pb.CandidateStored) -> Fields:
    return {"status": VALIDATING, "worker": ""}


def _passed(_task: TaskView, _event: pb.VerdictPassed) -> Fields:
    return {"status": DONE, "worker": "", "last_failure": ""}


def _person_asked(_task: TaskView, _event: pb.PersonAsked) -> Fields:
    return {"worker": ""}


def _judged_bad(task: TaskView, event: pb.VerdictFailed) -> Fields:
    return {
        "status": VALIDATION_FAILED,
        "worker": "",
        "failures": task.failures + 1,
        "last_failure": event.feedback,
    }


def _attempt_failed(task: TaskView, event: pb.AttemptFailed) -> Fields:
    return {
        "status": EXECUTION_FAILED,
        "worker": "",
        "failures": task.failures + 1,
        "last_failure": event.message,
    }


def _judge_failed(_task: TaskView, event: pb.JudgeFailed) -> Fields:
    return {"worker": "", "last_failure": event.message}


def _canary_judged(_task: TaskView, _event: pb.CanaryJudged) -> Fields:
    return {"worker": ""}


def _lost(task: TaskView, event: pb.LeaseLost) -> Fields:
    return {**_back_in_line(event.phase), "losses": task.losses + 1, "last_failure": event.reason}


def _returned(task: TaskView, event: pb.LeaseReturned) -> Fields:
    never_begun = 1 if event.phase == pb.PHASE_EXECUTE else 0
    return {**_back_in_line(event.phase), "attempt": task.attempt - never_begun}


def _outage_met(task: TaskView, event: pb.OutageMet) -> Fields:
    not_asked = 1 if event.phase == pb.PHASE_EXECUTE else 0
    changed = {"attempt": task.attempt - not_asked, "last_failure": event.outage.message}
    return {**_back_in_line(event.phase), **changed}


def _back_in_line(phase: int) -> dict[str, Any]:
    return {"status": UNDONE if phase == pb.PHASE_EXECUTE else VALIDATING, "worker": ""}


def _scheduled(_task: TaskView, _event: pb.RetryScheduled) -> Fields:
    return {"status": UNDONE, "worker": ""}


def _started_anew(_task: TaskView, _event: pb.TaskRolledBack | pb.TaskRetried) -> Fields:
    return {"status": UNDONE, "worker": "", "failures": 0, "losses": 0, "given_up": False}


def _given_up(task: TaskView, event: pb.TaskFailed) -> Fields:
    status = VALIDATION_FAILED if task.status == VALIDATION_FAILED else EXECUTION_FAILED
    return {"status": status, "worker": "", "given_up": True, "last_failure": event.reason}


def _kept(_task: TaskView, event: pb.ArtifactKept) -> Fields:
    return {"status": DONE, "worker": "", "attempt": event.attempt}


def _artifact_reused(_task: TaskView, event: pb.ArtifactReused) -> Fields:
    return {"status": DONE, "worker": "", "attempt": event.candidate.attempt, "last_failure": ""}


def _again_to_judge(_task: TaskView, event: pb.CandidateReused | pb.OrphanAdopted) -> Fields:
    return {"status": VALIDATING, "worker": "", "attempt": event.candidate.attempt}


_CHANGES: Mapping[str, Callable[[TaskView, Any], Fields]] = MappingProxyType(
    {
        "task_assigned": _assigned,
        "candidate_stored": _stored,
        "verdict_passed": _passed,
        "verdict_failed": _judged_bad,
        "person_asked": _person_asked,
        "attempt_failed": _attempt_failed,
        "judge_failed": _judge_failed,
        "outage_met": _outage_met,
        "canary_judged": _canary_judged,
        "lease_lost": _lost,
        "lease_returned": _returned,
        "retry_scheduled": _scheduled,
        "task_rolled_back": _started_anew,
        "task_failed": _given_up,
        "task_retried": _started_anew,
        "artifact_kept": _kept,
        "artifact_reused": _artifact_reused,
        "candidate_reused": _again_to_judge,
        "orphan_adopted": _again_to_judge,
    }
)


def _task_from_proto(task: pb.TaskState) -> TaskView:
    return TaskView(
        task_id=task.task_id,
        stage=task.stage,
        status=task.status,
        attempt=task.attempt,
        failures=task.failures,
        losses=task.losses,
        worker=task.worker,
        changed_at=unix(task.changed_at),
        last_failure=task.last_failure,
        given_up=task.waiting.waiting_for == pb.WAITING_FOR_RETRY_COMMAND,
    )
