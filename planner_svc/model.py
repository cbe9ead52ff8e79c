"""The plan as frozen values: plan.json, read and typed, before anything is concluded from it.

Values of which a plan has millions are NamedTuples: making one takes 0.4 us, a frozen dataclass 1.8 us.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

from planner_svc.checks.kinds import Check

Labels = tuple[tuple[str, str], ...]  #: names and texts, in the order of the names


class TaskInput(NamedTuple):
    """The input of a task."""

    description: str = ""
    artifacts: tuple[str, ...] = ()  #: the artifacts it reads; none: it receives what its dependencies made
    parameters_json: str = ""  #: the plan's parameters as JSON text; empty when there are none
    with_dependencies: bool = False  #: it receives what its dependencies made besides the artifacts it names


class TaskOutput(NamedTuple):
    """The output of a task."""

    description: str = ""
    artifact: str = ""  #: the name by which other tasks read it
    format: str = ""
    files: tuple[str, ...] = ()  #: patterns of the files that it is made of; none: it is one content


class JudgeSpec(NamedTuple):
    """The judge of the criteria, and how often it is asked."""

    model: str = ""  #: empty: the model of the validator
    labels: Labels = ()  #: labels that the validator must have
    votes: int = 0  #: how often the judge is asked; 0: once
    needed: int = 0  #: votes that must pass a criterion; 0: just more than half
    images: bool = False  #: it is shown the pictures of a candidate with files


class Canary(NamedTuple):
    """A candidate that is known to be good or bad: the verdicts on it measure a validator."""

    candidate: str  #: its whole text
    good: bool


class Validation(NamedTuple):
    """The requirements that a candidate must satisfy."""

    description: str = ""
    criteria: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()  #: the plan's own, then those made from the format and from criteria
    judge: JudgeSpec | None = None
    human: bool = False  #: a candidate that passes everything else waits for a person's verdict
    canaries: tuple[Canary, ...] = ()


class CommandSpec(NamedTuple):
    """A program that is run without a shell."""

    argv: tuple[str, ...]
    memory_bytes: int = 0  #: of each of its processes; 0: as the worker has it


class ExecutorSpec(NamedTuple):
    """The executor of a task and its settings. An empty one, or None, is taken from the worker or the execution."""

    name: str = ""  #: "model", "command", or a function of a worker's app; empty: one of the first two
    labels: Labels = ()  #: labels that the worker must have
    model: str = ""
    escalation: tuple[str, ...] = ()  #: models after the first, second, … failure
    run_timeout: timedelta | None = None
    idle_timeout: timedelta | None = None
    outage_patience: timedelta | None = None  #: how long to wait for a model that is away
    max_failures: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    command: CommandSpec | None = None


class Budget(NamedTuple):
    """An upper bound for what is spent; None: no bound."""

    tokens: int | None = None  #: input and output tokens together
    cost_nanos: int | None = None  #: in billionths of the currency of the runner's price table


class OnFailure(Enum):
    """The fate of the other tasks when a task fails for good; the values are those of plan.json."""

    CONTINUE = "continue"  #: tasks that do not depend on it go on
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
    on_failure: OnFailure | None = None  #: None: as the plan says

    @property
    def is_atomic(self) -> bool:
        """Tells whether the task is one unit of work: it has both an input and an output."""
        return self.input is not None and self.output is not None


class InputKind(Enum):
    """The kind of an input of the plan; the values are the fields of plan.json."""

    FILE = "file"  #: one file, or those that a pattern matches
    FOLDER = "folder"  #: all files below it
    TEXT = "text"
    JSON = "json"


class PlanInput(NamedTuple):
    """An input of the plan, which is given at the start of an execution."""

    name: str
    kind: InputKind
    description: str = ""  #: for people who start an execution
    path: str = ""  #: of a file or folder, beside plan.json or below it; empty: it must be given
    value: str | None = None  #: of a text, or of JSON as JSON text; None: it must be given


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan: its idea and its tasks, in the order of plan.json."""

    idea: str
    tasks: tuple[Task, ...]
    on_failure: OnFailure | None = None  #: of every task that does not say it itself
    inputs: tuple[PlanInput, ...] = ()
    has_places: bool = False  #: some text may have a place for the value of an input
