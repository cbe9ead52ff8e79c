"""What a task asks of those who may do it, beyond their role, and how its attempts are bounded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from runner_svc.core.model.values import Labels, OnFailure, Role
from signoff.plan.glossary import JUDGE, MODEL

ASKING = frozenset({MODEL, JUDGE})  # handlers that ask a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a worker must have to be given one phase of a task."""

    role: Role
    handlers: frozenset[str]  #: all of them
    model: str = ""  #: that it can ask; empty: any
    labels: Labels = frozenset()  #: keys with their values
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # It is a key a dozen times for each task: to hash four fields each time took a twelfth of a turn.
        object.__setattr__(self, "_hash", hash((self.role, self.handlers, self.model, self.labels)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def asks_a_model(self) -> bool:
        """Whether a worker asks a model itself; what a function asks is its own affair."""
        return bool(self.handlers & ASKING)

    def in_words(self) -> str:
        """For example: the handler fetch, the label gpu=a100."""
        parts = [f"the handler {name}" for name in sorted(self.handlers)]
        parts += [f"the model {self.model}"] if self.model else []
        parts += [f"the label {key}={value}" for key, value in sorted(self.labels)]
        return ", ".join(parts) or "nothing in particular"


ANY_EXECUTOR = Requirement(role=Role.EXECUTOR, handlers=frozenset({MODEL}))
ANY_VALIDATOR = Requirement(role=Role.VALIDATOR, handlers=frozenset({JUDGE}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a task's spec says of its executors and validators. None: as the execution's settings say."""

    #: after no failure, after one, …; the last for all further ones
    executors: tuple[Requirement, ...] = (ANY_EXECUTOR,)
    validators: Requirement = ANY_VALIDATOR
    human: bool = False  #: what passes waits for a person's verdict
    run_timeout: float | None = None  #: seconds, in the execute phase
    idle_timeout: float | None = None
    max_failures: int | None = None
    max_tokens: int | None = None  #: of a model's answer
    outage_patience: float | None = None  #: seconds that it waits for a model that is away
    on_failure: OnFailure | None = None  #: when it fails for good

    def requirement(self, role: Role, failures: int, too_small: Collection[str] = ()) -> Requirement:
        """Who may do the task's next phase, after so many failures.

        A model that was too small is passed over while there is another one.
        """
        if role is Role.VALIDATOR:
            return self.validators
        first = min(failures, len(self.executors) - 1)
        # guard: a model that was too small is not asked again -> if False:
        if too_small:
            others = (requirement for requirement in self.executors[first:] if requirement.model not in too_small)
            return next(others, self.executors[first])
        return self.executors[first]


USUAL = Requirements()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a worker says it has."""

    handlers: frozenset[str]
    models: frozenset[str] = frozenset()  #: empty: whatever is named
    labels: Labels = frozenset()

    def meet(self, requirement: Requirement) -> bool:
        """Whether a worker of the right role that has these could do it."""
        return (
            # guard: only those who can -> True
            requirement.handlers <= self.handlers
            and (not requirement.model or not self.models or requirement.model in self.models)
            and requirement.labels <= self.labels
        )


def usual_abilities(role: Role) -> Abilities:
    """Of a worker that names no handlers."""
    return Abilities(handlers=frozenset({MODEL if role is Role.EXECUTOR else JUDGE}))
