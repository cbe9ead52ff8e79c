"""The events: facts in the order in which they happened. They are the journal; everything else is derived from it.

Their names are in the past tense. `at` is Unix time in seconds. `task` is the task's number in the map, or NO_TASK.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner_svc.core.model.inputs import GivenInput
from runner_svc.core.model.tallies import Tallies
from runner_svc.core.model.usage import Totals, Usage
from runner_svc.core.model.value import value
from runner_svc.core.model.values import (
    NO_TASK,
    Away,
    Budget,
    Content,
    CriterionResult,
    ExecutionId,
    FailureKind,
    Labels,
    LeaseId,
    Makers,
    ModelAt,
    Outcome,
    Phase,
    Settings,
    VerdictBy,
    WorkerName,
)


@value(frozen=True, slots=True, kw_only=True)
class Event:
    at: float
    task: int = NO_TASK


@value(frozen=True, slots=True, kw_only=True)
class LeaseEnded(Event):
    """The base of the events that end a lease."""

    lease: LeaseId


@value(frozen=True, slots=True, kw_only=True)
class LeaseResult(LeaseEnded):
    """The base of the events that end a lease with the result that was wanted of its worker."""


@value(frozen=True, slots=True, kw_only=True)
class LeaseFault(LeaseEnded):
    """The base of the events that end a lease without such a result."""


@value(frozen=True, slots=True)
class Entry:
    """An event in its place in a journal. Sequences start at 1 and have no gaps."""

    execution: ExecutionId
    sequence: int
    event: Event


# ---------------------------------------------------------------- of the runner


@value(frozen=True, slots=True, kw_only=True)
class LayoutSet(Event):
    request_id: str
    plan_id: str
    map_digest: str


@value(frozen=True, slots=True, kw_only=True)
class ExecutionsPruned(Event):
    """Executions were removed, or lost all but their artifacts. The sums are of those that were removed."""

    removed: int
    pruned_to_artifacts: int
    usage: Mapping[str, Totals]  #: by currency
    canaries: Tallies


# ---------------------------------------------------------------- of an execution


@value(frozen=True, slots=True, kw_only=True)
class ExecutionCreated(Event):
    request_id: str
    plan_id: str
    map_digest: str
    settings: Settings
    idea: str
    task_count: int
    currency: str = ""
    inputs: tuple[GivenInput, ...] = ()  #: all that the plan declares, in its order


@value(frozen=True, slots=True, kw_only=True)
class ExecutionStarted(Event):
    request_id: str


@value(frozen=True, slots=True, kw_only=True)
class ExecutionPaused(Event):
    request_id: str
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class ExecutionResumed(Event):
    request_id: str


@value(frozen=True, slots=True, kw_only=True)
class ExecutionStopped(Event):
    request_id: str
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class ExecutionSucceeded(Event):
    pass


@value(frozen=True, slots=True, kw_only=True)
class ExecutionFailed(Event):
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class OutageEnded(Event):
    """A model that was away has answered."""

    model: ModelAt


@value(frozen=True, slots=True, kw_only=True)
class CommandNoted(Event):
    """A command had nothing to change. It is kept so that its repetition changes nothing later either."""

    request_id: str
    command: str = ""  #: its name; empty: not kept by an earlier version


@value(frozen=True, slots=True, kw_only=True)
class BudgetSet(Event):
    """A node has a new budget. Costs from before count against it."""

    request_id: str
    node: int  #: WHOLE: the execution
    budget: Budget


# ---------------------------------------------------------------- of a task


@value(frozen=True, slots=True, kw_only=True)
class TaskAssigned(Event):
    lease: LeaseId
    attempt: int
    phase: Phase
    worker: WorkerName
    canary: int = 0  #: the number, from 1, of the canary that is judged instead of the candidate
    model: str | None = None  #: asked, by the name of its costs; None: no model, or not kept by an earlier version


@value(frozen=True, slots=True, kw_only=True)
class CandidateStored(LeaseResult):
    content: Content


@value(frozen=True, slots=True, kw_only=True)
class VerdictPassed(LeaseResult):
    """The candidate has become an artifact. A person's verdict comes by a command, under no lease."""

    attempt: int
    results: tuple[CriterionResult, ...]
    request_id: str = ""
    by: VerdictBy | None = None  #: None: not kept by an earlier version
    judged_by: Makers = ()  #: as far as the worker has said


@value(frozen=True, slots=True, kw_only=True)
class VerdictFailed(LeaseResult):
    attempt: int
    results: tuple[CriterionResult, ...]
    feedback: str
    retry_worthwhile: bool
    request_id: str = ""
    by: VerdictBy | None = None  #: None: not kept by an earlier version


@value(frozen=True, slots=True, kw_only=True)
class PersonAsked(LeaseResult):
    """The candidate has passed all that workers check, and waits for a person's verdict."""

    attempt: int
    results: tuple[CriterionResult, ...]
    judged_by: Makers = ()  #: as far as the worker has said


@value(frozen=True, slots=True, kw_only=True)
class AttemptFailed(LeaseFault):
    attempt: int
    kind: FailureKind
    message: str
    retry_after: float | None
    fingerprint: str = ""  #: attempts.py; empty: not to be compared
    model: str = ""  #: the one that was asked, when the kind is TOO_SMALL
    input_digest: str = ""  #: see LeaseLost; of a time-out


@value(frozen=True, slots=True, kw_only=True)
class JudgeFailed(LeaseFault):
    attempt: int
    message: str
    retry_at: float


@value(frozen=True, slots=True, kw_only=True)
class OutageMet(LeaseFault):
    """The model of the lease is away: the lease ends, and counts neither as a failure nor as a loss."""

    attempt: int
    phase: Phase
    kind: FailureKind
    away: Away  #: as of this moment


@value(frozen=True, slots=True, kw_only=True)
class LeaseLost(LeaseFault):
    attempt: int
    phase: Phase
    reason: str
    input_digest: str = ""  #: of what the executor was given, if its candidate may still come; empty: none will do


@value(frozen=True, slots=True, kw_only=True)
class LeaseReturned(LeaseFault):
    attempt: int
    phase: Phase
    reason: str
    input_digest: str = ""  #: see LeaseLost


@value(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    retry_at: float


@value(frozen=True, slots=True, kw_only=True)
class TaskRolledBack(Event):
    cause: int  #: the number of the task whose failure or retry caused it
    make_anew: bool  #: the withdrawn artifact must not be used again


@value(frozen=True, slots=True, kw_only=True)
class TaskFailed(Event):
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class TaskRetried(Event):
    request_id: str


@value(frozen=True, slots=True, kw_only=True)
class OrphanStored(Event):
    lease: LeaseId
    worker: WorkerName
    what: str
    digest: str
    size: int


@value(frozen=True, slots=True, kw_only=True)
class OrphanAdopted(Event):
    """A candidate came after its lease had ended, and is judged all the same, because there is nothing better."""

    lease: LeaseId
    worker: WorkerName
    content: Content


@value(frozen=True, slots=True, kw_only=True)
class UsageRecorded(Event):
    """An attempt has cost this much since the last such event about its lease and model.

    Its worker says so, or the runner estimates it where the worker has said nothing.
    """

    lease: LeaseId
    attempt: int
    phase: Phase
    worker: WorkerName
    model: str
    usage: Usage


@value(frozen=True, slots=True, kw_only=True)
class CheckpointStored(Event):
    """The executor has said how far it is. The next executor of the task starts from there."""

    lease: LeaseId
    content: Content


@value(frozen=True, slots=True, kw_only=True)
class PromptKept(Event):
    """A worker has asked a model with this prompt. People can read it; it changes nothing."""

    lease: LeaseId
    attempt: int
    phase: Phase
    digest: str
    size: int  #: bytes


@value(frozen=True, slots=True, kw_only=True)
class CanaryJudged(LeaseFault):
    """A validator has judged a canary, or failed to. It measures the validator and changes nothing about the task."""

    canary: int  #: its number, from 1
    good: bool
    outcome: Outcome
    reason: str
    worker: WorkerName
    model: str  #: asked by the validator; empty: only checks decide
    labels: Labels  #: of the validator


@value(frozen=True, slots=True, kw_only=True)
class ArtifactKept(Event):
    attempt: int


@value(frozen=True, slots=True, kw_only=True)
class ArtifactReused(Event):
    """A result of an earlier execution is the task's artifact here too, with the evidence that was given there."""

    content: Content
    results: tuple[CriterionResult, ...]
    judged_by: Makers


@value(frozen=True, slots=True, kw_only=True)
class CandidateReused(Event):
    """A result of an earlier execution is the task's candidate here, because it is to be judged by something else."""

    content: Content
