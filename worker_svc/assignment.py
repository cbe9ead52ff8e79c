"""The values of a worker: assignments, results, and the protocols of their handlers. No sockets.

To the stream, an executor and a validator are the same: a Handler that turns an Assignment into a Result while it
reports progress. Protobuf messages inside these values are read, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from mmap import mmap
from pathlib import Path
from typing import Protocol, TypeAlias

from signoff.manifest.manifest import Manifest
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from worker_svc.files.collecting import FilesLimit
from worker_svc.spent import Spent

Prompt: TypeAlias = tuple[tuple[str, str], ...]  #: the role and the text of each message of a question to a model
Bytes: TypeAlias = "bytes | mmap"  #: a large input lies in a file, and takes memory only as far as it is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A content with its bytes: an input, a candidate to judge, or a rejected candidate."""

    name: str  #: the reader's name for it; empty when its maker gives it none
    task_id: str  #: the task that made it; empty: it is an input of the plan
    media_type: str
    digest: str  #: SHA-256 in hex
    content: Bytes  #: of an artifact with files: their manifest
    manifest: Manifest | None = None  #: its files; None: it is one content
    folder: Path | None = None  #: where its files are, by their paths, until the handler returns; None: it has none
    remark: str = ""  #: of a candidate to judge: the text that its maker wrote around it
    unread: execution_pb2.Unread | None = None  #: of a candidate: inputs that its maker was not shown; None: it saw all

    def whole(self) -> bytes:
        """Returns the content in memory."""
        return self.content if isinstance(self.content, bytes) else self.content[:]

    @property
    def size(self) -> int:
        """Returns its bytes; of an artifact with files, those of all of them."""
        return len(self.content) if self.manifest is None else self.manifest.size

    def file(self, path: str) -> Path:
        """Returns the place of one of its files. Raises ValueError when it has none."""
        if self.folder is None:
            raise ValueError(f"expected an artifact with files, but {self.name or self.task_id} has none")
        return self.folder / path


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The reasons why the previous attempt did not count."""

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
    idea: str  #: the purpose of the whole plan
    attempt: int  #: 1-based
    task: plan_pb2.TaskSpec
    inputs: tuple[Artifact, ...]
    omitted: tuple[worker_pb2.OmittedInput, ...]  #: inputs that it does not get, with the reason for each
    candidate: Artifact | None  #: the candidate to judge; None in the execute phase
    feedback: Feedback | None  #: None on the first attempt
    model: str = ""  #: the model to ask, one of the worker's; empty: the worker's default
    checkpoint: bytes = b""  #: left by the executor of an earlier attempt; empty: none
    unless_maker: str = ""  #: of an earlier result: the work need not be done when this would be its maker again
    idle_timeout: float = 0.0  #: seconds without progress after which the runner ends the lease; 0: not stated


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateResult:
    """An executor's result."""

    content: bytes
    media_type: str
    maker: str  #: digest of model, prompt version and settings
    digest: str = ""  #: SHA-256 of the content in hex; empty: not made yet
    remark: str = ""  #: the text that the model wrote around it, which is no part of it; a judge sees it
    unread: execution_pb2.Unread | None = None  #: inputs that the model was not shown; None: it saw all


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureResult:
    """The result of an executor that could not make a candidate."""

    kind: execution_pb2.FailureKind.ValueType
    message: str
    retry_after: timedelta | None = None
    gist: str = ""  #: the same for failures that will come again, as worker.proto says; empty: it may pass by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictResult:
    """A validator's result. OUTCOME_ERROR means that it could not decide: it counts neither for nor against."""

    outcome: execution_pb2.Outcome.ValueType
    results: tuple[execution_pb2.CriterionResult, ...]
    feedback: str  #: the reasons in short, for the next attempt; empty on a pass
    retry_worthwhile: bool = True
    retry_after: timedelta | None = None
    judge: str = ""  #: digest of model, prompt version and settings
    failure_kind: execution_pb2.FailureKind.ValueType = execution_pb2.FAILURE_KIND_UNSPECIFIED  #: when a judge failed


@dataclass(frozen=True, slots=True, kw_only=True)
class UnchangedResult:
    """The result of an executor that would be the maker of an earlier result, and has done nothing."""

    maker: str  #: Assignment.unless_maker


Result = CandidateResult | UnchangedResult | FailureResult | VerdictResult


def no_result(
    phase: execution_pb2.Phase.ValueType, kind: execution_pb2.FailureKind.ValueType, problem: str
) -> FailureResult | VerdictResult:
    """Returns a failure in the form of its phase: a judge that cannot judge counts neither for nor against."""
    if phase == execution_pb2.PHASE_VALIDATE:
        return VerdictResult(outcome=execution_pb2.OUTCOME_ERROR, results=(), feedback=problem)
    return FailureResult(kind=kind, message=problem)


def result_of_bug(phase: execution_pb2.Phase.ValueType, error: Exception) -> FailureResult | VerdictResult:
    """Returns the result of a handler that raised: the same would happen again."""
    problem = f"a bug in the worker: {type(error).__name__}: {error}"
    return no_result(phase, execution_pb2.FAILURE_KIND_PERMANENT, problem)


class LeaseEnded(Exception):
    """The runner has taken the lease back, and expects no result. Only Report.files raises it."""


class Report(Protocol):
    """Takes the reports of a handler while it works. Never blocks, never fails; called from the event loop."""

    @property
    def thinking_wanted(self) -> bool:
        """Tells whether a client watches; otherwise thinking that is reported is dropped."""

    def thinking(self, text: str) -> None:
        """Reports a piece of the model's thinking; counts as progress."""

    def tokens(self, received: int) -> None:
        """Reports the tokens received so far in this attempt; counts as progress."""

    def checkpoint(self, content: bytes) -> None:
        """Reports how far the work is, for the next attempt: at most MAX_CHECKPOINT_BYTES. The last one counts."""

    @property
    def prompts_wanted(self) -> bool:
        """Tells whether prompts are kept; otherwise those that are reported are dropped."""

    async def prompt(self, prompt: Prompt) -> None:
        """Reports what a model is about to be asked. Other work goes on while a long one is searched for secrets."""

    @property
    def files_limit(self) -> FilesLimit:
        """Tells how many files a candidate may have, and how large they may be together."""

    async def files(self, folder: Path, paths: Sequence[str], main: str) -> bytes:
        """Brings the files of a candidate to the runner, and returns their manifest once all of them are kept there.

        Nothing else may change the folder meanwhile. Waits for a runner that is away. Raises FilesRefused for files
        that cannot be a candidate, OSError when they cannot be read, and LeaseEnded.
        """

    def usage(self, model: str, spent: Spent) -> None:
        """Reports the attempt's costs so far with this model: a total, which replaces the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The abilities of a handler, as Hello carries them: worker.proto explains each part."""

    handlers: tuple[str, ...] = ()  #: empty: only what every worker of its role can do
    models: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()  #: of an executor: the makers that its candidates may name
    known_makers: tuple[worker_pb2.NamedMaker, ...] = ()  #: the parts of its makers and judges
    endpoints: Mapping[str, str] = field(default_factory=dict)  #: URLs by the names of models
    own_names: Mapping[str, str] = field(default_factory=dict)  #: the models' own names, by their other names


class CheckRunner(Protocol):
    """Carries out checks of a kind that needs more than the candidate's bytes: a program, or a function."""

    async def __call__(
        self, check: plan_pb2.Check, assignment: Assignment, report: Report
    ) -> execution_pb2.CriterionResult:
        """Returns the result, with OUTCOME_ERROR when the check could not be carried out. Raises only for a bug."""

    async def close(self) -> None: ...


class Handler(Protocol):
    """Turns assignments into results.

    Cancelling the call drops the work at once, with the requests behind it. Anything it raises is a bug of the handler,
    and is reported as a permanent failure in the execute phase and as a judge error in the validate phase.
    """

    @property
    def offer(self) -> Offer: ...

    async def __call__(self, assignment: Assignment, report: Report) -> Result: ...

    async def close(self) -> None:
        """Closes connections; no call is running."""
