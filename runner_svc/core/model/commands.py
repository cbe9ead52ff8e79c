"""The commands: orders to the workers' sessions, which go out once the events of their turn are durable.

Orders to a session that has ended are dropped.
"""

from __future__ import annotations

from typing import NamedTuple

from runner_svc.core.model.map import Map
from runner_svc.core.model.value import value
from runner_svc.core.model.values import Content, CriterionResult, ExecutionId, LeaseId, Phase, SessionId


@value(frozen=True, slots=True, kw_only=True)
class Command:
    """An order to one session."""

    session: SessionId


class Input(NamedTuple):
    """An artifact among a task's inputs. A task may have 100,000: a dataclass takes three times as long to make."""

    name: str
    task: int  #: that made it; NO_TASK: it is an input of the plan
    content: Content


@value(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The reason why the previous attempt did not count."""

    summary: str
    results: tuple[CriterionResult, ...]
    candidate: Content | None
    earlier: tuple[str, ...] = ()  #: a line for each attempt before that one that did not count


@value(frozen=True, slots=True, kw_only=True)
class Assign(Command):
    """Gives a phase of an attempt to a worker. Everything it names is in the store."""

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
    model: str  #: the one to ask; empty: the worker's own choice
    run_timeout: float  #: seconds
    idle_timeout: float  #: seconds
    checkpoint: Content | None = None  #: left by the previous executor
    unless_maker: str = ""  #: the maker of an earlier result, which will do if it would be the maker again
    prompts_wanted: bool = False  #: the worker is to send the prompts that models are asked with


@value(frozen=True, slots=True, kw_only=True)
class Acknowledge(Command):
    """Tells a worker that its result under the lease is durable."""

    lease: LeaseId


@value(frozen=True, slots=True, kw_only=True)
class Supersede(Command):
    """Tells a worker that its result under the lease came too late."""

    lease: LeaseId
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    """Tells a worker to drop the work under the lease."""

    lease: LeaseId
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class Keep(Command):
    """Tells a worker that has come back that it still holds the lease."""

    lease: LeaseId


@value(frozen=True, slots=True, kw_only=True)
class Stop(Command):
    """Tells a worker that has come back that it no longer holds the lease."""

    lease: LeaseId
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class EndSession(Command):
    """Ends a session, because a newer one of the same worker took over."""

    reason: str
    continued: bool  #: the newer session goes on from this one, which ends in order
