"""Results that earlier executions of a plan have signed off, as an execution may keep them."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner_svc.core.model.keys import Parts
from runner_svc.core.model.values import Content, CriterionResult, ExecutionId, Makers


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierResult:
    """An artifact of an earlier execution, with its evidence."""

    content: Content  #: it names its origin
    results: tuple[CriterionResult, ...]
    judged_by: Makers
    sign_off_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastResult:
    """The parts of the last result of a task, to say what has changed since."""

    execution: ExecutionId
    make: Parts
    sign_off: Parts
    result: EarlierResult


@dataclass(frozen=True, slots=True)
class EarlierResults:
    """The results of a plan's earlier executions; the newest counts where several have the same key."""

    by_make_key: dict[str, EarlierResult] = field(default_factory=dict)
    #: by task id; None: they are not asked for, since the parts of a large plan take much memory
    last: dict[str, LastResult] | None = None
