"""The plan as frozen values: what plan.json says, read and typed, before anything is concluded from it.

What a plan has millions of is a NamedTuple: making one takes 0.4 us, a frozen dataclass 1.8 us.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

from planner_svc.checks.kinds import Check

Labels = tuple[tuple[str, str], ...]  #: names and texts, in the order of the names


class TaskInput(NamedTuple):
    """What a task reads."""

    description: str = ""
    artifacts: tuple[str, ...] = ()  #: names of what it reads; none: it receives what its dependencies made
    parameters_json: str = ""  #: the plan's parameters as JSON text; empty when there are none
    with_dependencies: bool = False  #: it receives what its dependencies made besides the artifacts it names


class TaskOutput(NamedTuple):
    """What a task makes."""

    description: str = ""
    artifact: str = ""  #: the name other tasks read it by
    format: str = ""


class JudgeSpec(NamedTuple):
    """Who judges the criteria, and how often."""

    model: str = ""  #: empty: the one the validator has
    labels: Labels = ()  #: what those of the validator must contain
    votes: int = 0  #: how often the judge is asked; 0: once
    needed: int = 0  #: votes that must pass a criterion; 0: just more than half


class Canary(NamedTuple):
    """A candidate that is known to be good or bad: validators are measured by what they say of it."""

    candidate: str  #: its whole text
    good: bool


class Validation(NamedTuple):
    """What a candidate must satisfy."""

    description: str = ""
    criteria: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()  #: the plan's own, then those made from the format and from criteria
    judge: JudgeSpec | None = None
    human: bool = False  #: what passes everything else waits for a person's verdict
    canaries: tuple[Canary, ...] = ()


class CommandSpec(NamedTuple):
    """A program that is run, without a shell."""

    argv: tuple[str, ...]
    memory_bytes: int = 0  #: of each of its processes; 0: as the worker has it


class ExecutorSpec(NamedTuple):
    """Who executes a task, and how. What is empty or None is as the worker or the execution has it."""

    name: str = ""  #: "model", "command", or a function of a worker's app; empty: one of the first two
    labels: Labels = ()  #: what those of the worker must contain
    model: str = ""
    escalation: tuple[str, ...] = ()  #: models after the first, second, … failure
    run_timeout: timedelta | None = None
    idle_timeout: timedelta | None = None
    outage_patience: timedelta | None = None  #: for a model that is away
    max_failures: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    command: CommandSpec | None = None


class Budget(NamedTuple):
    """What may be spent; None: no bound."""

    tokens: int | None = None  #: input and output tokens together
    cost_nanos: int | None = None  #: in billionths of the currency of the runner's price table


class OnFailure(Enum):
    """Says what becomes of the rest when a task fails for good; the values are those of plan.json."""

    CONTINUE = "continue"  #: what does not depend on it goes on
    STOP = "stop"  #: the execution fails at once


class Task(NamedTuple):
    """One entry of the plan's `tasks`."""

    task_id: str
    description: str = ""
    dependencies: tuple[str, ...] = ()
    parent_id: str = ""  #: as the plan gives it; empty: the id's shape decides
    input: TaskInput | None = None
    output: TaskOutput | None = None
    validation: Validation | None = None
    position: int = 0  #: index in the plan's `tasks`
    executor: ExecutorSpec | None = None
    budget: Budget | None = None  #: of all its attempts, or of all tasks below it
    on_failure: OnFailure | None = None  #: when it fails for good; None: as the plan says

    @property
    def is_atomic(self) -> bool:
        """One unit of work: it says both what it reads and what it makes."""
        return self.input is not None and self.output is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    idea: str
    tasks: tuple[Task, ...]
    on_failure: OnFailure | None = None  #: when a task fails for good that does not say so itself
