"""The model port: a request, an answer, a failure. Executors and validators know nothing else of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2
from worker_svc.assignment import Assignment
from worker_svc.spent import OnSpent, unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a model."""

    messages: tuple[Message, ...]
    assignment: Assignment  #: what it is about; the mock reads it, a real model sees the messages alone
    json_object_wanted: bool = False  #: the answer shall be one JSON object
    schema: Mapping[str, Any] | None = None  #: the answer shall be JSON that satisfies this JSON Schema
    strict: bool = False  #: the schema keeps to what "strict" endpoints take
    criteria: tuple[str, ...] = ()  #: when the model judges: what it judges, in order
    nonce: str = ""  #: when the model judges: what its answer must carry, so that no candidate can have written it
    model: str = ""  #: the name to ask under, one of Model.names; empty: the default
    temperature: float | None = None  #: None: as the model is set up
    max_tokens: int | None = None  #: most tokens of the answer; None: as the model is set up


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """A complete answer: a model that was cut off raises instead."""

    text: str
    finish_reason: str  #: as the endpoint says it, "stop" for the ordinary end


class ModelFailure(Exception):
    """The model gave no usable answer. The text says what happened, with which model, and never holds a key."""

    def __init__(
        self, kind: execution_pb2.FailureKind.ValueType, message: str, *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after  #: as the provider asked

    @classmethod
    def transient(cls, message: str, *, retry_after: timedelta | None = None) -> ModelFailure:
        """May go better next time."""
        return cls(execution_pb2.FAILURE_KIND_TRANSIENT, message, retry_after=retry_after)

    @classmethod
    def permanent(cls, message: str) -> ModelFailure:
        """Will not go better without a change to the plan or the configuration."""
        return cls(execution_pb2.FAILURE_KIND_PERMANENT, message)

    @classmethod
    def too_small(cls, message: str) -> ModelFailure:
        """This model cannot hold the prompt, or its answer; a larger one may."""
        return cls(execution_pb2.FAILURE_KIND_TOO_SMALL, message)

    @classmethod
    def rate_limited(cls, message: str, *, retry_after: timedelta | None) -> ModelFailure:
        """The provider refused for now."""
        return cls(execution_pb2.FAILURE_KIND_RATE_LIMITED, message, retry_after=retry_after)

    @classmethod
    def outage(cls, message: str, *, retry_after: timedelta | None = None) -> ModelFailure:
        """The endpoint is away: whoever asks it now is told the same."""
        return cls(execution_pb2.FAILURE_KIND_OUTAGE, message, retry_after=retry_after)

    @classmethod
    def budget(cls, message: str) -> ModelFailure:
        """The account has nothing left to spend."""
        return cls(execution_pb2.FAILURE_KIND_BUDGET, message)


class ModelMissing(ConfigurationError):
    """A model that is configured cannot be asked from here: a key or a package is missing. The text says which."""


OnDelta = Callable[[str], None]  # a piece of the answer, or of the reasoning before it, as it comes; about a token each


class Model(Protocol):
    """A language model that can be asked many things at once; or several, each under its names."""

    @property
    def name(self) -> str:
        """Of what answers by default, as its endpoint knows it."""

    @property
    def names(self) -> tuple[str, ...]:
        """What a request may name, the default first."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What besides the name changes the default's answers; part of the maker's digest, so never a key."""

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        """`name` and `settings` of what is asked under a name; empty: of the default.

        Raises a permanent ModelFailure that lists the names, when there are several models and this is no name of any.
        A single model answers to every name.
        """

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        """Asks, and hands on the pieces as they come.

        `on_spent` hears what it has cost so far: before anything is sent, while the answer comes, and at its end, also
        where that is a failure.

        Raises ModelFailure and nothing else. Cancelling it closes the connection behind it. `json_object_wanted` and
        `schema` are wishes: an endpoint may not know how to enforce them, so the reader of the answer checks it.
        """

    async def close(self) -> None:
        """Closes connections; no call is running."""


def endpoints_of(model: Model) -> dict[str, str]:
    """Returns the URL of the endpoint for each name of a model that has one."""
    found = {name: model.maker_parts(name)[1].get("base_url", "") for name in model.names}
    return {name: url for name, url in found.items() if url}


def own_names_of(model: Model) -> dict[str, str]:
    """Returns the model's own name for each of its names that is another one, such as a preset's."""
    found = {name: model.maker_parts(name)[0] for name in model.names}
    return {name: own for name, own in found.items() if own != name}
