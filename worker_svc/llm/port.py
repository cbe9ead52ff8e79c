"""The model port: a request, an answer, a failure. Executors and validators know models by these alone."""

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
class Picture:
    """A picture that goes along with a message."""

    path: str  #: of the file that it is
    media_type: str  #: "image/png", "image/jpeg", "image/gif" or "image/webp"
    content: bytes
    digest: str  #: SHA-256 in hex of the file
    width: int  #: of the file, in pixels
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of a prompt."""

    role: Literal["system", "user"]
    content: str
    pictures: tuple[Picture, ...] = ()  #: shown before the text


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a model."""

    messages: tuple[Message, ...]
    assignment: Assignment  #: for the mock, which reads it; a real model sees the messages alone
    json_object_wanted: bool = False  #: the answer shall be one JSON object
    schema: Mapping[str, Any] | None = None  #: the answer shall be JSON that satisfies this JSON Schema
    strict: bool = False  #: the schema has only keywords that "strict" endpoints take
    criteria: tuple[str, ...] = ()  #: of a judge: the criteria, in order
    nonce: str = ""  #: of a judge: its answer must carry it, so that no candidate can have written the answer
    model: str = ""  #: the name to ask under, one of Model.names; empty: the default
    temperature: float | None = None  #: None: as the model is set up
    max_tokens: int | None = None  #: of the answer, at most; None: as the model is set up


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """A complete answer: a model that was cut off raises instead."""

    text: str
    finish_reason: str  #: in the endpoint's word, "stop" for the ordinary end


class ModelFailure(Exception):
    """The model gave no usable answer. The text says what happened with which model, and never holds a key."""

    def __init__(
        self, kind: execution_pb2.FailureKind.ValueType, message: str, *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after  #: as the provider asked

    @classmethod
    def transient(cls, message: str, *, retry_after: timedelta | None = None) -> ModelFailure:
        """Makes a failure that may go better next time."""
        return cls(execution_pb2.FAILURE_KIND_TRANSIENT, message, retry_after=retry_after)

    @classmethod
    def permanent(cls, message: str) -> ModelFailure:
        """Makes a failure that stays until the plan or the configuration changes."""
        return cls(execution_pb2.FAILURE_KIND_PERMANENT, message)

    @classmethod
    def too_small(cls, message: str) -> ModelFailure:
        """Makes a failure of a model that cannot hold the prompt or its answer; a larger one may."""
        return cls(execution_pb2.FAILURE_KIND_TOO_SMALL, message)

    @classmethod
    def rate_limited(cls, message: str, *, retry_after: timedelta | None) -> ModelFailure:
        """Makes a failure of a provider that refuses for now."""
        return cls(execution_pb2.FAILURE_KIND_RATE_LIMITED, message, retry_after=retry_after)

    @classmethod
    def outage(cls, message: str, *, retry_after: timedelta | None = None) -> ModelFailure:
        """Makes a failure of an endpoint that is away: every request to it fails now."""
        return cls(execution_pb2.FAILURE_KIND_OUTAGE, message, retry_after=retry_after)

    @classmethod
    def budget(cls, message: str) -> ModelFailure:
        """Makes a failure of an account that has nothing left to spend."""
        return cls(execution_pb2.FAILURE_KIND_BUDGET, message)


class ModelMissing(ConfigurationError):
    """A configured model cannot be asked from here: a key or a package is missing. The text says which."""


OnDelta = Callable[[str], None]  # takes a piece of the answer, or of the reasoning before it: about a token each


class Model(Protocol):
    """A language model that answers many requests at once; or several models, each under its names."""

    @property
    def name(self) -> str:
        """The name of the default model, as its endpoint knows it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a request may use, the default first."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings that change the default's answers; part of the maker's digest, so never a key."""

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        """Returns `name` and `settings` of the model under a name; of the default when it is empty.

        Raises a permanent ModelFailure that lists the names, when there are several models and none has this name. A
        single model answers to every name.
        """

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        """Asks, and passes on the pieces as they come.

        `on_spent` gets the costs so far: before anything is sent, while the answer comes, and at its end, even when
        that is a failure.

        Raises only ModelFailure. Cancelling it closes the connection behind it. `json_object_wanted` and `schema` are
        wishes: not every endpoint can enforce them, so the reader of the answer checks it.
        """

    async def close(self) -> None:
        """Closes connections; no call is running."""


def endpoints_of(model: Model) -> dict[str, str]:
    """Returns the URL of the endpoint for each name of a model that has one."""
    found = {name: model.maker_parts(name)[1].get("base_url", "") for name in model.names}
    return {name: url for name, url in found.items() if url}


def own_names_of(model: Model) -> dict[str, str]:
    """Returns the model's own name for each of its other names, such as a preset's."""
    found = {name: model.maker_parts(name)[0] for name in model.names}
    return {name: own for name, own in found.items() if own != name}
