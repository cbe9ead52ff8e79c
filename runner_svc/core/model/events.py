"""What happened, in the order it happened: the journal, of which everything else is derived.

Past tense. `at` is Unix time in seconds; `task` is the task's number in the map, NO_TASK where it is about none.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner_svc.core.fleet.outages import Away
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import (
    NO_TASK,
    Budget,
    Content,
    CriterionResult,
    ExecutionId,
    FailureKind,
    Labels,
    LeaseId,
    ModelAt,
    Outcome,
    Phase,
    Settings,
    VerdictBy,
    WorkerName,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: float
    task: int = NO_TASK


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its place in a journal. Sequences start at 1 and have no gaps."""

    execution: ExecutionId
    sequence: int
    event: Event


# ---------------------------------------------------------------- of the runner


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSet(Event):
    request_id: str
    plan_id: str
    map_digest: str


# ---------------------------------------------------------------- of an execution


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCreated(Event):
    request_id: str
    plan_id: str
    map_digest: str
    settings: Settings
    idea: str
    task_count: int
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStarted(Event):
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPaused(Event):
    request_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResumed(Event):
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStopped(Event):
    request_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSucceeded(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFailed(Event):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEnded(Event):
    """A model has answered that was away."""

    model: ModelAt


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNoted(Event):
    """A command had nothing to change; repeating it must not change anything later either."""

    request_id: str
    command: str = ""  #: its name; empty: an earlier version did not keep it


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSet(Event):
    """From now on a node may spend this; what was spent before counts."""

    request_id: str
    node: int  #: WHOLE: the execution
    budget: Budget


# ---------------------------------------------------------------- of a task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned(Event):
    lease: LeaseId
    attempt: int
    phase: Phase
    worker: WorkerName
    canary: int = 0  #: the number, from 1, of the canary that is to be judged instead of the candidate
    model: str | None = None  #: that it asks, as its costs are reported; None: none, or an earlier version did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateStored(Event):
    lease: LeaseId
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPassed(Event):
    """The candidate is an artifact from now on. A person's verdict comes under no lease, by a command."""

    lease: LeaseId
    attempt: int
    results: tuple[CriterionResult, ...]
    request_id: str = ""
    by: VerdictBy | None = None  #: None: an earlier version did not keep it


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFailed(Event):
    lease: LeaseId
    attempt: int
    results: tuple[CriterionResult, ...]
    feedback: str
    retry_worthwhile: bool
    request_id: str = ""
    by: VerdictBy | None = None  #: as above


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAsked(Event):
    """All that workers look at has passed; a person's verdict is wanted."""

    lease: LeaseId
    attempt: int
    results: tuple[CriterionResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Event):
    lease: LeaseId
    attempt: int
    kind: FailureKind
    message: str
    retry_after: float | None
    fingerprint: str = ""  #: attempts.py; empty: not to be compared
    model: str = ""  #: of FailureKind.TOO_SMALL: that was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeFailed(Event):
    lease: LeaseId
    attempt: int
    message: str
    retry_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageMet(Event):
    """The model that the lease would ask is away: the lease ends, and counts as nothing."""

    lease: LeaseId
    attempt: int
    phase: Phase
    kind: FailureKind
    away: Away  #: as of this moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseLost(Event):
    lease: LeaseId
    attempt: int
    phase: Phase
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReturned(Event):
    lease: LeaseId
    attempt: int
    phase: Phase
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    retry_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRolledBack(Event):
    cause: int  #: the number of the task whose failure or retry caused it
    make_anew: bool  #: the withdrawn artifact must not be reinstated


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(Event):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRetried(Event):
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanStored(Event):
    lease: LeaseId
    worker: WorkerName
    what: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecorded(Event):
    """Tells what an attempt has cost since the last such event about its lease and model.

    Its worker says so, or the runner estimates it where the worker has said nothing.
    """

    lease: LeaseId
    attempt: int
    phase: Phase
    worker: WorkerName
    model: str
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointStored(Event):
    """The executor has left word of how far it is, for whoever executes the task next."""

    lease: LeaseId
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryJudged(Event):
    """A validator has judged a canary, or failed to: it says something of the validator, and nothing of the task."""

    lease: LeaseId
    canary: int  #: its number, from 1
    good: bool
    outcome: Outcome
    reason: str
    worker: WorkerName
    model: str  #: that the validator asks; empty when only checks decide
    labels: Labels  #: of the validator


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactKept(Event):
    attempt: int


#: What ends a lease: with what was wanted of its worker, and without.
RESULTS = (CandidateStored, VerdictPassed, VerdictFailed, PersonAsked)
FAULTS = (AttemptFailed, JudgeFailed, OutageMet, CanaryJudged, LeaseLost, LeaseReturned)
