"""The makers of a worker, and the choice among them for a piece of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner_svc.core.model.requirements import ASKING, Requirement
from runner_svc.core.model.values import Maker, Makers


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMaker:
    """A maker of a worker, and the names under which tasks ask for it."""

    maker: Maker
    models: frozenset[str] = frozenset()
    is_default: bool = False  #: a task that names no model is given to it

    def serves(self, handler: str, model: str) -> bool:
        """Tells whether the worker does the work of a handler with it, for a task that names this model."""
        if self.maker.handler != handler:
            return False
        if handler not in ASKING:
            return True
        return model in self.models if model else self.is_default


def makers_for(known: Sequence[NamedMaker], requirement: Requirement) -> Makers:
    """Returns the makers with which a worker that meets a requirement does the work, as far as it has said them."""
    return tuple(
        named.maker
        for handler in sorted(requirement.handlers)
        for named in known
        if named.serves(handler, requirement.model)
    )
