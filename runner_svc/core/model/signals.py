"""What the machine is told: reports from workers, commands from clients, and the passing of time.

`at` is Unix time in seconds, read from the clock at the edge. Ids that are new come with the signal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner_svc.core.decide.pass_rules import NOTHING_PASSED, Passed
from runner_svc.core.model.map import Map
from runner_svc.core.model.requirements import Abilities
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import (
    Budget,
    Content,
    CriterionResult,
    ExecutionId,
    FailureKind,
    LeaseId,
    Outcome,
    Role,
    SessionId,
    Settings,
    WorkerName,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed(Signal):
    """A deadline the machine named has come."""


# ---------------------------------------------------------------- from clients


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLayout(Signal):
    """Make a map, whose content is already stored, the current layout."""

    request_id: str
    map: Map


@dataclass(frozen=True, slots=True, kw_only=True)
class StartExecution(Signal):
    """Create an execution of the layout set for a plan (the last one set when empty) and start it."""

    request_id: str
    execution: ExecutionId  #: new
    plan_id: str
    settings: Settings = field(default_factory=Settings)
    currency: str = ""  #: that costs are counted in


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCommand(Signal):
    """A command about an execution that exists."""

    request_id: str
    execution: ExecutionId


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseExecution(ExecutionCommand):
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeExecution(ExecutionCommand):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class StopExecution(ExecutionCommand):
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTask(ExecutionCommand):
    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBudget(ExecutionCommand):
    """What a task or a group may spend; the execution itself when `task_id` is empty."""

    task_id: str
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTask(ExecutionCommand):
    """A person's verdict on a candidate that waits for one."""

    task_id: str
    passes: bool
    reason: str = ""
    person: str = ""
    digest: str = ""  #: of the candidate that the person saw; empty: whichever waits
    attempt: int = 0  #: that made what the person saw; 0: whichever waits


# ---------------------------------------------------------------- from workers


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJoined(Signal):
    """A new stream said Hello; it replaces an older session of the same name."""

    session: SessionId
    worker: WorkerName
    role: Role
    slots: int
    held: frozenset[LeaseId] = frozenset()
    makers: frozenset[str] = frozenset()  #: what an executor's candidates may say made them
    model: str = ""  #: that it asks when none is named
    endpoints: Mapping[str, str] = field(default_factory=dict)  #: URLs by the names of its models
    own_names: Mapping[str, str] = field(default_factory=dict)  #: of its models, by those that are others
    abilities: Abilities | None = None  #: None: those that every worker of its role has
    continues: SessionId | None = None  #: the session it says it goes on from


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSession(Signal):
    session: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(FromSession):
    """The stream ended or went silent. The worker may come back within the grace, unless it took its leave."""

    reason: str
    orderly: bool = False  #: it was draining and holds nothing back: do not wait for it


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGranted(FromSession):
    """How many leases the worker is willing to hold at once, as an absolute number."""

    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDraining(FromSession):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutLease(FromSession):
    lease: LeaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAccepted(AboutLease):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAssignable(AboutLease):
    """The assignment is too large for the frames of its worker: nothing was sent."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseGivenBack(AboutLease):
    """Declined or abandoned: costs nothing."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressMade(AboutLease):
    """Real progress: refreshes the idle clock."""

    answered: bool = False  #: a model has said something


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointMade(AboutLease):
    """How far the executor is, in its own words. Real progress."""

    content: Content
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported(AboutLease):
    """What the attempt has cost so far with a model: totals. Real progress."""

    model: str
    total: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateMade(AboutLease):
    content: Content
    body: bytes | None  #: None: already in the store, under its digest


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFailed(AboutLease):
    kind: FailureKind
    message: str
    retry_after: float | None = None
    gist: str = ""  #: as in Failure of worker.proto


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGiven(AboutLease):
    outcome: Outcome
    results: tuple[CriterionResult, ...] = ()
    passed: Passed = NOTHING_PASSED  #: by all results, also those that are not kept
    feedback: str = ""
    retry_worthwhile: bool = True
    retry_after: float | None = None
    kind: FailureKind | None = None  #: of an error that is not the judge's own
