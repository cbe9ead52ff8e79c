"""The requirements of a task: handlers, model and labels of its workers, and the bounds of its attempts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from runner_svc.core.model.values import Labels, OnFailure, Role
from signoff.plan.glossary import JUDGE, MODEL

ASKING = frozenset({MODEL, JUDGE})  # handlers that ask a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """The role, handlers, model and labels that a worker needs for one phase of a task."""

    role: Role
    handlers: frozenset[str]  #: a worker needs all of them
    model: str = ""  #: which it can ask; empty: any
    labels: Labels = frozenset()  #: keys with their values
    files: bool = False  #: it makes and reads results of several files
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A requirement is a key a dozen times for each task: hashing four fields each time took a twelfth of a turn.
        object.__setattr__(self, "_hash", hash((self.role, self.handlers, self.model, self.labels, self.files)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def asks_a_model(self) -> bool:
        """Tells whether the worker itself asks a model. A function may ask one of its own."""
        return bool(self.handlers & ASKING)

    def in_words(self) -> str:
        """Names what is required, for example: the handler fetch, the label gpu=a100."""
        parts = [f"the handler {name}" for name in sorted(self.handlers)]
        parts += [f"the model {self.model}"] if self.model else []
        parts += [f"the label {key}={value}" for key, value in sorted(self.labels)]
        parts += ["results of several files (a worker of this version)"] if self.files else []
        return ", ".join(parts) or "nothing in particular"


ANY_EXECUTOR = Requirement(role=Role.EXECUTOR, handlers=frozenset({MODEL}))
ANY_VALIDATOR = Requirement(role=Role.VALIDATOR, handlers=frozenset({JUDGE}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The part of a task's spec about its executors and validators. None: as the execution's settings say."""

    #: after no failure, after one, …; the last one after all further failures
    executors: tuple[Requirement, ...] = (ANY_EXECUTOR,)
    validators: Requirement = ANY_VALIDATOR
    human: bool = False  #: a candidate that passes waits for a person's verdict
    run_timeout: float | None = None  #: seconds, in the execute phase
    idle_timeout: float | None = None
    max_failures: int | None = None
    max_tokens: int | None = None  #: of a model's answer
    outage_patience: float | None = None  #: seconds that it waits for a model that is away
    on_failure: OnFailure | None = None  #: when it fails for good

    def requirement(self, role: Role, failures: int, too_small: Collection[str] = ()) -> Requirement:
        """Returns the requirement for a worker of a role, after so many failures.

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

    def with_files(self) -> Requirements:
        """Returns the same for a task that makes or reads results of several files."""
        executors = tuple(replace(executor, files=True) for executor in self.executors)
        return replace(self, executors=executors, validators=replace(self.validators, files=True))


USUAL = Requirements()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """The handlers, models and labels that a worker declares."""

    handlers: frozenset[str]
    models: frozenset[str] = frozenset()  #: empty: whatever is named
    labels: Labels = frozenset()
    files: bool = False  #: it makes and reads results of several files

    def meet(self, requirement: Requirement) -> bool:
        """Tells whether a worker of the right role with these abilities meets a requirement."""
        return (
            # guard: only those who can -> True
            requirement.handlers <= self.handlers
            and (not requirement.model or not self.models or requirement.model in self.models)
            and requirement.labels <= self.labels
            # guard: a worker that knows no files is given none -> and True
            and (self.files or not requirement.files)
        )


def usual_abilities(role: Role) -> Abilities:
    """Returns the abilities of a worker that names no handlers."""
    return Abilities(handlers=frozenset({MODEL if role is Role.EXECUTOR else JUDGE}))
