"""The signals: reports from workers, commands from clients, and the passing of time.

They are all that the machine is told. `at` is Unix time in seconds, read from the clock at the edge. New ids come with
the signal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from runner_svc.core.model.inputs import GivenInput
from runner_svc.core.model.makers import NamedMaker
from runner_svc.core.model.map import Map
from runner_svc.core.model.pass_rules import NOTHING_PASSED, Passed
from runner_svc.core.model.requirements import Abilities
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.value import value
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


@value(frozen=True, slots=True, kw_only=True)
class Signal:
    at: float


@value(frozen=True, slots=True, kw_only=True)
class TimePassed(Signal):
    """A deadline that the machine has named is over."""


@value(frozen=True, slots=True, kw_only=True)
class ClockJumped(Signal):
    """Time has jumped ahead, without time to work in between: deadlines move with it."""

    by: float  #: seconds


# ---------------------------------------------------------------- from clients


@value(frozen=True, slots=True, kw_only=True)
class SetLayout(Signal):
    """Makes a map, whose content is already stored, the layout of its plan."""

    request_id: str
    map: Map


@value(frozen=True, slots=True, kw_only=True)
class StartExecution(Signal):
    """Creates an execution of the layout set for a plan and starts it. An empty `plan_id`: the last layout set."""

    request_id: str
    execution: ExecutionId  #: new
    plan_id: str
    settings: Settings = field(default_factory=Settings)
    currency: str = ""  #: that costs are counted in
    inputs: tuple[GivenInput, ...] = ()  #: of the plan, as the client gives them


@value(frozen=True, slots=True, kw_only=True)
class ExecutionCommand(Signal):
    """A command about an execution that exists."""

    request_id: str
    execution: ExecutionId


@value(frozen=True, slots=True, kw_only=True)
class PauseExecution(ExecutionCommand):
    reason: str = ""


@value(frozen=True, slots=True, kw_only=True)
class ResumeExecution(ExecutionCommand):
    pass


@value(frozen=True, slots=True, kw_only=True)
class StopExecution(ExecutionCommand):
    reason: str = ""


@value(frozen=True, slots=True, kw_only=True)
class RetryTask(ExecutionCommand):
    task_id: str


@value(frozen=True, slots=True, kw_only=True)
class SetBudget(ExecutionCommand):
    """Sets the budget of a task or a group, or of the execution itself when `task_id` is empty."""

    task_id: str
    budget: Budget


@value(frozen=True, slots=True, kw_only=True)
class JudgeTask(ExecutionCommand):
    """A person's verdict on a candidate that waits for one, or rather: on the one that the person saw."""

    task_id: str
    passes: bool
    reason: str = ""
    person: str = ""
    digest: str = ""  #: of the candidate that the person saw; empty: the one that waits
    attempt: int = 0  #: which made that candidate; 0: the one that waits


# ---------------------------------------------------------------- from workers


@value(frozen=True, slots=True, kw_only=True)
class WorkerJoined(Signal):
    """A new stream said Hello; it replaces an older session of the same name."""

    session: SessionId
    worker: WorkerName
    role: Role
    slots: int
    held: frozenset[LeaseId] = frozenset()
    makers: frozenset[str] = frozenset()  #: digests that an executor's candidates may name as their maker
    known_makers: tuple[NamedMaker, ...] = ()  #: the parts of its makers and judges
    model: str = ""  #: asked when a task names none
    endpoints: Mapping[str, str] = field(default_factory=dict)  #: URLs by the names of its models
    own_names: Mapping[str, str] = field(default_factory=dict)  #: the worker's names of models, by the tasks' names
    abilities: Abilities | None = None  #: None: the usual ones of its role
    continues: SessionId | None = None  #: the session it says it goes on from


@value(frozen=True, slots=True, kw_only=True)
class FromSession(Signal):
    session: SessionId


@value(frozen=True, slots=True, kw_only=True)
class WorkerLost(FromSession):
    """A stream ended or went silent. The worker may come back within the grace, unless it has said goodbye."""

    reason: str
    orderly: bool = False  #: the worker was draining and holds nothing back: it is not waited for


@value(frozen=True, slots=True, kw_only=True)
class CreditGranted(FromSession):
    """The number of leases that a worker is willing to hold at once, as an absolute number."""

    window: int


@value(frozen=True, slots=True, kw_only=True)
class WorkerDraining(FromSession):
    pass


@value(frozen=True, slots=True, kw_only=True)
class AboutLease(FromSession):
    lease: LeaseId


@value(frozen=True, slots=True, kw_only=True)
class LeaseAccepted(AboutLease):
    pass


@value(frozen=True, slots=True, kw_only=True)
class NotAssignable(AboutLease):
    """An assignment is too large for the frames of its worker. Nothing was sent."""

    message: str


@value(frozen=True, slots=True, kw_only=True)
class LeaseGivenBack(AboutLease):
    """A worker declines or abandons a lease, which counts neither as a failure nor as a loss."""

    reason: str


@value(frozen=True, slots=True, kw_only=True)
class WorkUnchanged(AboutLease):
    """A worker finds that it would do the work as it was done for an earlier result, and has not begun it."""

    maker: str  #: of that result


@value(frozen=True, slots=True, kw_only=True)
class ProgressMade(AboutLease):
    """A worker makes real progress, which refreshes the idle clock."""

    answered: bool = False  #: the model has begun to answer


@value(frozen=True, slots=True, kw_only=True)
class CheckpointMade(AboutLease):
    """An executor says how far it is, in its own words. It counts as progress."""

    content: Content
    body: bytes


@value(frozen=True, slots=True, kw_only=True)
class PromptSent(AboutLease):
    """A worker says what it asks a model with."""

    content: Content
    body: bytes | None  #: None: it was brought under the lease before


@value(frozen=True, slots=True, kw_only=True)
class UsageReported(AboutLease):
    """An attempt's costs with one model so far, as totals. It counts as progress."""

    model: str
    total: Usage


@value(frozen=True, slots=True, kw_only=True)
class CandidateMade(AboutLease):
    content: Content
    body: bytes | None  #: None: it was brought under the lease before; else, as when that was not held, it is nowhere
    brought: tuple[str, ...] = ()  #: digests of what was brought under the lease before, and belongs to it


@value(frozen=True, slots=True, kw_only=True)
class WorkFailed(AboutLease):
    kind: FailureKind
    message: str
    retry_after: float | None = None
    gist: str = ""  #: as in Failure of worker.proto


@value(frozen=True, slots=True, kw_only=True)
class VerdictGiven(AboutLease):
    outcome: Outcome
    results: tuple[CriterionResult, ...] = ()
    passed: Passed = NOTHING_PASSED  #: by all results, including those that are not kept
    feedback: str = ""
    retry_worthwhile: bool = True
    retry_after: float | None = None
    kind: FailureKind | None = None  #: set when the error is not the judge's own
