"""What the client is asked by and answers with: references to executions, compilations, layouts, contents."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.v1 import execution_pb2, plan_pb2, runner_pb2

Ref = runner_pb2.ExecutionRef


def by_plan(plan_id: str) -> Ref:
    """The newest execution of a plan."""
    return Ref(plan_id=plan_id)


def by_execution(execution_id: str) -> Ref:
    return Ref(execution_id=execution_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What the planner made of a plan."""

    diagnostics: tuple[plan_pb2.Diagnostic, ...]
    header: plan_pb2.MapHeader | None  #: None when a diagnostic is an error

    @property
    def ok(self) -> bool:
        return self.header is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a screen puts the tasks of a plan."""

    header: plan_pb2.MapHeader
    layout: plan_pb2.LayoutPart  #: all parts in one


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    info: execution_pb2.ArtifactInfo
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an attempt made, and what became of it."""

    info: execution_pb2.CandidateInfo
    content: bytes  #: empty when the info alone was asked for
