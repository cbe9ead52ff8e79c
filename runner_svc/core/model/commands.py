"""What the machine orders once its events are durable. Orders to a session that has ended are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from runner_svc.core.model.map import Map
from runner_svc.core.model.values import Content, CriterionResult, ExecutionId, LeaseId, Phase, SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    session: SessionId


class Input(NamedTuple):
    """An artifact that a task is given. A task may have 100,000: a dataclass takes three times as long to make."""

    name: str
    task: int
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Why the previous attempt did not count."""

    summary: str
    results: tuple[CriterionResult, ...]
    candidate: Content | None
    earlier: tuple[str, ...] = ()  #: a line for each attempt before that one that did not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Command):
    """Give a phase of an attempt to a worker. Everything it names is in the store."""

    lease: LeaseId
    execution: ExecutionId
    map: Map
    task: int
    phase: Phase
    attempt: int
    inputs: tuple[Input, ...]
    omitted: tuple[tuple[str, str], ...]  #: name and reason
    candidate: Content | None
    feedback: Feedback | None
    model: str  #: to ask; empty: the worker's own choice
    run_timeout: float  #: seconds
    idle_timeout: float  #: seconds
    checkpoint: Content | None = None  #: what the executor before it has left


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(Command):
    """What came under the lease is durable."""

    lease: LeaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersede(Command):
    """What came under the lease came too late."""

    lease: LeaseId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    """Drop the work under the lease."""

    lease: LeaseId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Command):
    lease: LeaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Command):
    lease: LeaseId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession(Command):
    """A newer session of the same worker took over."""

    reason: str
    continued: bool  #: as the runner asked: it ends in order
