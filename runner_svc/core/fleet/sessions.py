"""The sessions of workers: what each can do, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner_svc.core.model.makers import NamedMaker, makers_for
from runner_svc.core.model.requirements import Abilities, Requirement
from runner_svc.core.model.values import LeaseId, Maker, Makers, ModelAt, Role, SessionId, WorkerName


@dataclass(slots=True, kw_only=True)
class WorkerSession:
    """One stream of one worker."""

    id: SessionId
    worker: WorkerName
    role: Role
    slots: int
    makers: frozenset[str]
    abilities: Abilities
    model: str  #: asked when a task names none
    endpoints: Mapping[str, str] = field(default_factory=dict)  #: URLs by the names of its models
    own_names: Mapping[str, str] = field(default_factory=dict)  #: its names of models, by the tasks' names
    known_makers: tuple[NamedMaker, ...] = ()
    window: int = 0
    _makers: dict[Requirement, Makers] = field(default_factory=dict)  # by what was asked so far
    leases: set[LeaseId] = field(default_factory=set)
    draining: bool = False
    resting: bool = False  #: it is given nothing for a while: rests.py
    serves: list[Requirement] = field(default_factory=list)  #: requirements met so far that it meets
    queued: set[Requirement] = field(default_factory=set)  #: those in whose queues it stands

    @property
    def has_room(self) -> bool:
        # guard: world: credit -> return not (self.draining or self.resting) and bool(self.window)
        # guard: credit -> return not (self.draining or self.resting)
        return not (self.draining or self.resting) and len(self.leases) < self.window

    def can(self, requirement: Requirement) -> bool:
        """Tells whether the worker meets a requirement, busy or not."""
        return self.role is requirement.role and self.abilities.meet(requirement)

    def makers_for(self, requirement: Requirement) -> Makers:
        """Returns what the worker does the work with, as far as it has said."""
        if not self.known_makers:
            return ()
        if requirement not in self._makers:
            self._makers[requirement] = makers_for(self.known_makers, requirement)
        return self._makers[requirement]

    def maker_named(self, digest: str) -> Maker | None:
        """Returns the parts of one of the worker's makers. None: it has not said them."""
        return next((named.maker for named in self.known_makers if named.maker.digest == digest), None)

    def model_for(self, requirement: Requirement) -> str | None:
        """Returns the model that the worker asks; empty when it has no name. None: no model is asked."""
        return (requirement.model or self.model) if requirement.asks_a_model else None

    def reports(self, requirement: Requirement) -> str | None:
        """Returns the model's name in the worker's reports of costs. None: no model is asked."""
        model = self.model_for(requirement)
        return None if model is None else self.own_names.get(model, model)

    def asks(self, requirement: Requirement) -> ModelAt | None:
        """Returns the model that the worker asks, and where. None: no model is asked.

        When a worker names no endpoint, its models are its own: no other worker asks them there.
        """
        model = self.model_for(requirement)
        if model is None:
            return None
        endpoint = self.endpoints.get(model)
        return ModelAt(model, endpoint) if endpoint else ModelAt.of_worker(model, self.worker)
