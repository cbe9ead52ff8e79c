"""The values that signals, events and commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum, unique
from typing import NewType

from runner_svc.core.model.value import value

ExecutionId = NewType("ExecutionId", str)
LeaseId = NewType("LeaseId", str)
WorkerName = NewType("WorkerName", str)
SessionId = NewType("SessionId", str)

Labels = frozenset[tuple[str, str]]  # keys with their values

#: The execution id under which the runner keeps what belongs to no execution: its layouts.
RUNNER = ExecutionId("")

#: Seconds that a retry waits at most, whatever a provider asked for.
LONGEST_RETRY = 86_400.0

MOST_DIGITS = 10  # digits of a task's number

#: The task number of an event that is about no task.
NO_TASK = -1


def execution_of_lease(lease: LeaseId) -> ExecutionId:
    """Returns the execution of a lease, with whose id the lease's id begins."""
    return ExecutionId(lease.partition(".")[0])


def task_of_lease(lease: LeaseId) -> int | None:
    """Returns the number of the task in a lease's id, whether or not the lease was ever given. None: it has none."""
    number = lease.partition(".")[2].partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS else None


@value(frozen=True, slots=True, kw_only=True)
class AcceptedRequest:
    """A command that was accepted under a request id."""

    id: str
    execution: ExecutionId  #: the one it was about, or created; RUNNER: none
    command: str = ""  #: its name; empty: not kept by an earlier version
    about: str = ""  #: the plan, task or group that it names; empty: the execution as a whole


@unique
class Phase(IntEnum):
    EXECUTE = 1  #: an executor makes a candidate
    VALIDATE = 2  #: a validator judges it

    @property
    def role(self) -> Role:
        return Role.EXECUTOR if self is Phase.EXECUTE else Role.VALIDATOR


@unique
class Role(IntEnum):
    EXECUTOR = 1
    VALIDATOR = 2


@unique
class FailureKind(IntEnum):
    TRANSIENT = 1  #: may go better next time
    PERMANENT = 2  #: never retried
    RATE_LIMITED = 3  #: the provider refused for now
    BUDGET = 4  #: a budget is used up
    TIMEOUT = 5  #: run_timeout or idle_timeout passed; only the runner says so
    OUTAGE = 6  #: the model's endpoint is away
    TOO_SMALL = 7  #: the model cannot hold the prompt, or its answer


_OF_WORKER = "worker "  # begins the endpoint of a model that only one worker asks


@value(frozen=True, slots=True)
class ModelAt:
    """A model at an endpoint. An outage is one of a model at an endpoint, for all workers that ask it there."""

    model: str  #: the name by which tasks ask for it; empty: it has none
    endpoint: str  #: URL; the worker's name, when the worker says none

    @classmethod
    def of_worker(cls, model: str, worker: WorkerName) -> ModelAt:
        """Returns a model that only one worker asks, since it names no endpoint."""
        return cls(model, f"{_OF_WORKER}{worker}")

    @property
    def worker(self) -> WorkerName | None:
        """Returns the worker whose own model it is; None: any worker may ask it."""
        is_own = self.endpoint.startswith(_OF_WORKER)
        return WorkerName(self.endpoint.removeprefix(_OF_WORKER)) if is_own else None

    def in_words(self) -> str:
        """Names the model, for example: the model gpt-5 at https://api.openai.com/v1."""
        name = f"the model {self.model}" if self.model else "the model that has no name"
        return f"{name} at {self.endpoint}"


@value(frozen=True, slots=True, kw_only=True)
class Away:
    """An outage of a model, as of the last time that the model was asked."""

    model: ModelAt
    since: float
    tries: int  #: times it was asked in vain
    next_try: float
    message: str  #: the last failure

    def in_words(self, at: float) -> str:
        """Says, for example: the model m at http://h/v1 has been away since 12:04:05 UTC, next try in 20 s: …"""
        wait = f"next try in {self.next_try - at:.0f} s" if self.next_try > at else "it is being tried again"
        return f"{self.model.in_words()} has been away since {clock_time(self.since)}, {wait}: {self.message}"


def clock_time(at: float) -> str:
    """Returns a time of the day in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


@unique
class Outcome(IntEnum):
    PASS = 1
    FAIL = 2
    ERROR = 3  #: the judge broke, or could not decide


@unique
class RollbackScope(IntEnum):
    DOWNSTREAM = 1  #: the task and everything downstream of it
    PRODUCERS = 2  #: also its direct producers, and everything downstream of those


@unique
class OnFailure(IntEnum):
    """The effect of a task that fails for good on the rest of its execution."""

    CONTINUE = 1  #: tasks that do not depend on it go on
    STOP = 2  #: the execution fails at once


#: The node that stands for the whole execution, where nodes with budgets are named.
WHOLE = -1


@value(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that may be spent; None: no bound."""

    tokens: int | None = None
    cost_nanos: int | None = None  #: billionths of the price table's currency


@value(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of an execution; times in seconds. execution.proto documents each of them."""

    max_failures: int = 3
    max_losses: int = 10
    max_judge_errors: int = 5
    max_rollbacks: int = 1
    rollback_scope: RollbackScope = RollbackScope.DOWNSTREAM
    retry_base: float = 1.0
    retry_cap: float = 60.0
    run_timeout: float = 1800.0
    idle_timeout: float = 120.0
    priority: int = 0
    budget: Budget | None = None  #: for the whole execution
    canary_rate: float = 0.1
    outage_patience: float = 900.0  #: seconds that work waits for a model that is away before a pause
    on_failure: OnFailure | None = None  #: None: as the plan says
    keep_prompts: bool = True  #: the prompts that models are asked with are kept
    reuse: bool = True  #: results of earlier executions of the plan are kept where the work would be the same
    fresh_tasks: tuple[str, ...] = ()  #: tasks and groups whose results are not kept
    fresh_prompts: bool = False  #: nor those of other versions of prompts
    from_tasks: tuple[str, ...] = ()  #: tasks and groups that are done anew, with all that depends on them
    until_tasks: tuple[str, ...] = ()  #: the only tasks and groups that are done, with what they need; empty: all


@value(frozen=True, slots=True)
class VerdictBy:
    """The author of a verdict: a person, or a validator by its name."""

    name: str  #: a person's is as they gave it, or empty
    is_person: bool


@value(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """A validator's result for one criterion or one check."""

    criterion: str
    outcome: Outcome
    reason: str = ""
    deterministic: bool = False
    criterion_number: int = 0  #: among the task's criteria, from 1; 0: none of them
    check_number: int = 0  #: among the task's checks, from 1; 0: none of them


@value(frozen=True, slots=True, kw_only=True)
class UnreadInput:
    """An input that a model was shown only in part, or not at all."""

    name: str
    task_id: str  #: the task that made it
    size: int  #: bytes
    shown_chars: int  #: from its beginning


@value(frozen=True, slots=True, kw_only=True)
class Unread:
    """The inputs of a task that a model was not shown in full, because its prompt cannot hold them."""

    inputs: int  #: of the task, in all
    cut: int  #: shown only from the beginning
    left_out: int  #: not shown at all
    examples: tuple[UnreadInput, ...] = ()  #: the first of both


@value(frozen=True, slots=True, kw_only=True)
class Maker:
    """A model with its settings and prompts, or a function with its code."""

    digest: str  #: that candidates and verdicts name
    handler: str
    model: str = ""  #: its own name; empty: none is asked
    settings: str = ""  #: digest of those that change answers
    prompts: str = ""  #: their version
    code: str = ""  #: the version of a function, or the digest of its source

    def differences(self, other: Maker, *, prompts_count: bool) -> tuple[str, ...]:
        """Names the parts in which another one would do other work. None: it would do the same."""
        names = ("model", "settings", "code", *(("prompts",) if prompts_count else ()))
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


Makers = tuple[Maker, ...]  # of one piece of work, in the order of their handlers


@value(frozen=True, slots=True, kw_only=True)
class KeptFrom:
    """The origin of a result that a later execution of its plan has kept."""

    execution: ExecutionId
    attempt: int  #: that made it there
    signed_off_at: float


@value(frozen=True, slots=True, kw_only=True)
class FilesSummary:
    """The files of a content that is a manifest."""

    count: int
    size: int  #: bytes, of all together


@value(frozen=True, slots=True, kw_only=True)
class Content:
    """The description of a candidate or an artifact, without its bytes."""

    digest: str  #: SHA-256 in hex
    size: int  #: bytes
    media_type: str
    attempt: int = 0  #: the attempt that made it
    maker: str = ""  #: digest of model, prompt version and settings
    made_by: Maker | None = None  #: the parts of the maker; None: its worker has not said them
    input_digest: str = ""  #: digest of the task's spec and the digests of its inputs
    remark: str = ""  #: the text that the maker wrote around it
    unread: Unread | None = None  #: inputs not shown in full to the maker; None: all were
    signed_off_by: VerdictBy | None = None  #: None: not signed off, or not kept by an earlier version
    signed_off_at: float = 0.0  #: 0: not signed off, or not kept by an earlier version
    kept_from: KeptFrom | None = None  #: the earlier execution that made it; None: this one
    files: FilesSummary | None = None  #: it is the manifest of these files; None: it is no manifest

    def signed_off(self, by: VerdictBy | None, at: float) -> Content:
        """Returns the artifact that a candidate becomes. dataclasses.replace would take twice as long for each task."""
        return Content(
            digest=self.digest,
            size=self.size,
            media_type=self.media_type,
            attempt=self.attempt,
            maker=self.maker,
            made_by=self.made_by,
            input_digest=self.input_digest,
            remark=self.remark,
            unread=self.unread,
            signed_off_by=by,
            signed_off_at=at,
            kept_from=self.kept_from,
            files=self.files,
        )


@value(frozen=True, slots=True, kw_only=True)
class Canary:
    """One of a task's canaries, as the plan has it."""

    content: Content  #: without a media type: it takes that of the candidate whose place it takes
    body: bytes
    good: bool  #: it should pass
