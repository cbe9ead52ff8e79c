"""Several models behind one port: a request names one, by its preset or by the name that its endpoint uses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker_svc.llm.port import Model, ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.spent import OnSpent, unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A model of a pool."""

    model: Model
    preset: str = ""  #: the name of its preset; empty: none
    aliases: tuple[str, ...] = ()  #: its other names

    @property
    def names(self) -> tuple[str, ...]:
        own = (self.preset,) if self.preset else ()
        return tuple(dict.fromkeys((*own, *self.model.names, *self.aliases)))


class ModelPool:
    """Implements Model over its members; the first of them is the default.

    The name of a preset has precedence over the name of a model. Of several models with one name, the first is asked.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = tuple(members)
        self._default = self._members[0].model
        named = [(member.preset, member.model) for member in self._members if member.preset]
        named += [(name, member.model) for member in self._members for name in member.names]
        self._by_name: dict[str, Model] = {}
        for name, model in named:
            self._by_name.setdefault(name, model)

    @property
    def name(self) -> str:
        return self._default.name

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for member in self._members for name in member.names))

    @property
    def settings(self) -> Mapping[str, str]:
        return self._default.settings

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        asked = self._named(model)
        return asked.name, asked.settings

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        return await self._named(request.model).complete(request, on_delta, on_spent)

    async def close(self) -> None:
        await asyncio.gather(*(member.model.close() for member in self._members))

    def _named(self, name: str) -> Model:
        model = self._by_name.get(name) if name else self._default
        if model is None:
            known = ", ".join(self.names)
            raise ModelFailure.permanent(f'expected a model among {known}, but the task asks for "{name}"')
        return model
