"""The small values that signals, events and commands share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import NewType

ExecutionId = NewType("ExecutionId", str)
LeaseId = NewType("LeaseId", str)
WorkerName = NewType("WorkerName", str)
SessionId = NewType("SessionId", str)

Labels = frozenset[tuple[str, str]]  # keys with their values

#: The execution id under which the runner keeps what belongs to no execution: its layouts.
RUNNER = ExecutionId("")

#: Seconds that a retry waits at most, whatever a provider asked for.
LONGEST_RETRY = 86_400.0

#: The task number of an event that is about no task.
NO_TASK = -1


def execution_of_lease(lease: LeaseId) -> ExecutionId:
    """A lease's id begins with the id of its execution."""
    return ExecutionId(lease.partition(".")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRequest:
    """A command that was accepted under a request id."""

    id: str
    execution: ExecutionId  #: that it was about, or that it created; RUNNER: none
    command: str = ""  #: its name; empty: an earlier version did not keep it
    about: str = ""  #: the plan, the task or the group it names; empty: the execution as a whole


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
    PERMANENT = 2  #: will not; never retried
    RATE_LIMITED = 3  #: the provider refused for now
    BUDGET = 4  #: a budget is used up
    TIMEOUT = 5  #: run_timeout or idle_timeout passed; only the runner says so
    OUTAGE = 6  #: the model's endpoint is away
    TOO_SMALL = 7  #: the model cannot hold the prompt, or its answer


@dataclass(frozen=True, slots=True)
class ModelAt:
    """A model where it is asked: what is away or not, for all who ask it there."""

    model: str  #: as workers are asked for it; empty: one without a name
    endpoint: str  #: URL; of a worker that says none, its name

    def in_words(self) -> str:
        """For example: the model gpt-5 at https://api.openai.com/v1."""
        name = f"the model {self.model}" if self.model else "the model that has no name"
        return f"{name} at {self.endpoint}"


@unique
class Outcome(IntEnum):
    PASS = 1
    FAIL = 2
    ERROR = 3  #: the judge broke, or could not tell


@unique
class RollbackScope(IntEnum):
    DOWNSTREAM = 1  #: the task and everything downstream of it
    PRODUCERS = 2  #: also its direct producers, and everything downstream of those


@unique
class OnFailure(IntEnum):
    """What a task that fails for good does to the rest of its execution."""

    CONTINUE = 1  #: what does not depend on it goes on
    STOP = 2  #: the execution fails at once


#: The node that stands for a whole execution, where a node is named that has a budget.
WHOLE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent; None: no bound."""

    tokens: int | None = None
    cost_nanos: int | None = None  #: billionths of the price table's currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an execution treats failure; times in seconds. execution.proto says what each means."""

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
    budget: Budget | None = None  #: of the whole execution
    canary_rate: float = 0.1
    outage_patience: float = 900.0  #: seconds that work waits for a model that is away before the execution is paused
    on_failure: OnFailure | None = None  #: None: as the plan says


@dataclass(frozen=True, slots=True)
class VerdictBy:
    """Who gave a verdict: a person, or the validator of that name."""

    name: str  #: of a person: as they gave it, empty when they gave none
    is_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """What a validator says of one criterion or one check."""

    criterion: str
    outcome: Outcome
    reason: str = ""
    deterministic: bool = False
    criterion_number: int = 0  #: of the task's criteria, from 1; 0: none of them
    check_number: int = 0  #: of the task's checks, from 1; 0: none of them


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadInput:
    """An input of which a model was not shown everything."""

    name: str
    task_id: str  #: the task that made it
    size: int  #: bytes
    shown_chars: int  #: from its beginning; 0: none


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What a model was not shown of a task's inputs, because its prompt cannot hold them."""

    inputs: int  #: that the task has
    cut: int  #: of which only the beginning was shown
    left_out: int  #: of which nothing was shown
    examples: tuple[UnreadInput, ...] = ()  #: the first of both


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is known of a candidate or an artifact without reading it."""

    digest: str  #: SHA-256 in hex
    size: int  #: bytes
    media_type: str
    attempt: int = 0  #: the attempt that made it
    maker: str = ""  #: digest of model, prompt version and settings
    input_digest: str = ""  #: digest of the task's spec and the digests of what it was given
    remark: str = ""  #: what the maker wrote around it, which is no part of it
    unread: Unread | None = None  #: what the maker was not shown of its inputs; None: it was shown all
    signed_off_by: VerdictBy | None = None  #: None: it is not signed off, or an earlier version did not keep it
