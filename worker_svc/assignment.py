"""What a worker works on and what comes of it: values only, no sockets.

An executor and a validator are the same thing to the stream: a Handler that turns an Assignment into a Result while
it reports progress. Protobuf messages inside these values are read, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from mmap import mmap
from typing import Protocol, TypeAlias

from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from worker_svc.spent import Spent

Bytes: TypeAlias = "bytes | mmap"  #: a large input lies in a file: it takes memory only as far as it is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Something a task made, with its bytes: an input, a candidate to judge, or a rejected candidate."""

    name: str  #: as the reader names it; empty when the maker names none
    task_id: str  #: the task that made it
    media_type: str
    digest: str  #: SHA-256 in hex
    content: Bytes
    remark: str = ""  #: of a candidate to judge: what its maker wrote around it
    unread: execution_pb2.Unread | None = None  #: and what its maker was not shown of its inputs; None: nothing

    def whole(self) -> bytes:
        """Returns the content in memory."""
        return self.content if isinstance(self.content, bytes) else self.content[:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Why the previous attempt did not count."""

    summary: str
    results: tuple[execution_pb2.CriterionResult, ...]
    previous_candidate: Artifact | None
    earlier: tuple[str, ...] = ()  #: a line for each attempt before that one, the oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One phase of one attempt, with every byte it needs."""

    lease_id: str
    phase: execution_pb2.Phase.ValueType
    execution_id: str
    plan_id: str
    idea: str  #: what the whole plan is for
    attempt: int  #: 1-based
    task: plan_pb2.TaskSpec
    inputs: tuple[Artifact, ...]
    omitted: tuple[worker_pb2.OmittedInput, ...]  #: inputs it does not get, with the reason for each
    candidate: Artifact | None  #: what is to be judged; None in the execute phase
    feedback: Feedback | None  #: None on the first attempt
    model: str = ""  #: the model to ask, one of the worker's; empty: its own choice
    checkpoint: bytes = b""  #: what the executor before this one has left; empty: nothing
    idle_timeout: float = 0.0  #: seconds without progress after which the runner takes it away; 0: not said


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateResult:
    """An executor's result."""

    content: bytes
    media_type: str
    maker: str  #: digest of model, prompt version and settings
    digest: str = ""  #: SHA-256 of the content in hex; empty: not made yet
    remark: str = ""  #: what the model wrote around it, which is no part of it: for whoever judges it
    unread: execution_pb2.Unread | None = None  #: what the model was not shown of the inputs; None: nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureResult:
    """An executor could not do it."""

    kind: execution_pb2.FailureKind.ValueType
    message: str
    retry_after: timedelta | None = None
    gist: str = ""  #: what fails in the same way each time, as worker.proto says; empty: it may go better by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictResult:
    """A validator's answer. OUTCOME_ERROR means that the judge broke: it counts neither for nor against."""

    outcome: execution_pb2.Outcome.ValueType
    results: tuple[execution_pb2.CriterionResult, ...]
    feedback: str  #: the reasons in short, as the next attempt will read them; empty on a pass
    retry_worthwhile: bool = True
    retry_after: timedelta | None = None
    judge: str = ""  #: digest of model, prompt version and settings
    failure_kind: execution_pb2.FailureKind.ValueType = execution_pb2.FAILURE_KIND_UNSPECIFIED  #: of a judge that broke


Result = CandidateResult | FailureResult | VerdictResult


def no_result(
    phase: execution_pb2.Phase.ValueType, kind: execution_pb2.FailureKind.ValueType, problem: str
) -> FailureResult | VerdictResult:
    """A failure, as the phase can say it: what keeps a judge from judging counts neither for nor against."""
    if phase == execution_pb2.PHASE_VALIDATE:
        return VerdictResult(outcome=execution_pb2.OUTCOME_ERROR, results=(), feedback=problem)
    return FailureResult(kind=kind, message=problem)


class Report(Protocol):
    """Where a handler tells how it goes. Never blocks, never fails; called from the event loop."""

    @property
    def thinking_wanted(self) -> bool:
        """Whether anybody watches; thinking reported while nobody does is dropped."""

    def thinking(self, text: str) -> None:
        """A piece of what the model thinks aloud; real progress."""

    def tokens(self, received: int) -> None:
        """Tokens received so far in this attempt; real progress."""

    def checkpoint(self, content: bytes) -> None:
        """How far the work is, for whoever does it next; at most MAX_CHECKPOINT_BYTES, of which the last counts."""

    def usage(self, model: str, spent: Spent) -> None:
        """What the attempt has cost so far with this model: a total, which replaces the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a handler can do, for Hello: worker.proto says what each part means."""

    handlers: tuple[str, ...] = ()  #: empty: what every worker of its role does
    models: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()  #: of an executor: what its candidates may say made them
    endpoints: Mapping[str, str] = field(default_factory=dict)  #: URLs by the names of models
    own_names: Mapping[str, str] = field(default_factory=dict)  #: of models, by those that are others


class CheckRunner(Protocol):
    """Carries out checks of a kind that needs more than the candidate's bytes: a program, or a function."""

    async def __call__(
        self, check: plan_pb2.Check, assignment: Assignment, report: Report
    ) -> execution_pb2.CriterionResult:
        """The result, with OUTCOME_ERROR when the check could not be carried out. Never raises but for a bug."""

    async def close(self) -> None: ...


class Handler(Protocol):
    """Turns assignments into results.

    Cancelling the call drops the work at once, with the requests behind it. Anything it raises is a bug of the handler:
    the stream reports a permanent failure in the execute phase and a judge error in the validate phase.
    """

    @property
    def offer(self) -> Offer: ...

    async def __call__(self, assignment: Assignment, report: Report) -> Result: ...

    async def close(self) -> None:
        """Closes connections; no call is running."""
