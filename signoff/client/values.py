"""Values of the client: references to executions, compilations, layouts, artifacts, candidates and prompts."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.v1 import execution_pb2, plan_pb2, runner_pb2

Ref = runner_pb2.ExecutionRef


def by_plan(plan_id: str) -> Ref:
    """Returns a reference to the newest execution of a plan."""
    return Ref(plan_id=plan_id)


def by_execution(execution_id: str) -> Ref:
    """Returns a reference to one execution."""
    return Ref(execution_id=execution_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """The planner's answer about a plan."""

    diagnostics: tuple[plan_pb2.Diagnostic, ...]
    header: plan_pb2.MapHeader | None  #: None when a diagnostic is an error

    @property
    def ok(self) -> bool:
        return self.header is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The places of a plan's tasks on a screen."""

    header: plan_pb2.MapHeader
    layout: plan_pb2.LayoutPart  #: all parts in one


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionMap:
    """The map that an execution runs, with its layout."""

    header: plan_pb2.MapHeader
    groups: tuple[plan_pb2.MapGroup, ...]
    tasks: tuple[plan_pb2.MapTask, ...]
    layout: plan_pb2.LayoutPart  #: all parts in one


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The content that a signed-off task made."""

    info: execution_pb2.ArtifactInfo
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt that a model was asked with."""

    info: runner_pb2.PromptInfo
    content: bytes  #: JSON text: an array of objects with a role and a content


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The content that an attempt made, with its state."""

    info: execution_pb2.CandidateInfo
    content: bytes  #: empty when the info alone was asked for
