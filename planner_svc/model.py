"""The plan as frozen values: what plan.json says, read and typed, before anything is concluded from it.

What a plan has millions of is a NamedTuple: making one takes 0.4 us, a frozen dataclass 1.8 us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonCheck:
    """The candidate parses as JSON."""

    @property
    def texts(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaCheck:
    """The candidate is JSON and satisfies a JSON Schema."""

    schema_json: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.schema_json,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredKeysCheck:
    """The candidate is a JSON object with at least these keys; "a.b" is key b of the object under key a."""

    keys: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.keys


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexCheck:
    """The candidate matches somewhere, or nowhere when `absent`."""

    pattern: str
    absent: bool

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.pattern,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthCheck:
    """The candidate's length in characters; both bounds are inclusive."""

    min_chars: int
    max_chars: int | None

    @property
    def texts(self) -> tuple[str, ...]:
        return ()


Check = JsonCheck | JsonSchemaCheck | RequiredKeysCheck | RegexCheck | LengthCheck


class TaskInput(NamedTuple):
    """What a task reads."""

    description: str = ""
    artifacts: tuple[str, ...] = ()  #: names of what it reads; none: it receives what its dependencies made
    parameters_json: str = ""  #: the plan's parameters as JSON text; empty when there are none


class TaskOutput(NamedTuple):
    """What a task makes."""

    description: str = ""
    artifact: str = ""  #: the name other tasks read it by
    format: str = ""


class Validation(NamedTuple):
    """What a candidate must satisfy."""

    description: str = ""
    criteria: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


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

    @property
    def is_atomic(self) -> bool:
        """One unit of work: it says both what it reads and what it makes."""
        return self.input is not None and self.output is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    idea: str
    tasks: tuple[Task, ...]
