"""How a request is put to an endpoint, and put again with less when it refuses a part of it.

    response_format   a schema, then an object, then plain text
    stream_options    left out: then nobody counts tokens
    temperature       left out: the model has one of its own and takes no other
    max_tokens        called max_completion_tokens

What was left out is remembered once the same request went through without it: then it was the cause.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker_svc.llm.failures import is_too_long
from worker_svc.llm.port import ModelRequest

_MAX_REFUSED = 256  # response formats, remembered; a task's own schema may be one of them

#: What endpoints say of a parameter they do not know or take, and not of a value out of its range.
_NOT_TAKEN = ("support", "unknown", "unrecognized", "unexpected", "deprecated", "permitted", "not allowed", "extra")

Form = Mapping[str, Any]  # the response_format of a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a model is to answer, unless the request says otherwise."""

    temperature: float | None = None  #: None: the endpoint's own
    max_tokens: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)  #: sent as it is, for one endpoint's own parameters

    @property
    def settings(self) -> dict[str, str]:
        """What is set, as text, for the maker's digest."""
        stated = {"temperature": self.temperature, "max_tokens": self.max_tokens, "extra_body": self.extra_body or None}
        return {name: json.dumps(value, sort_keys=True) for name, value in stated.items() if value is not None}


@dataclass(slots=True)
class Refused:
    """What one model at one endpoint is known not to take."""

    forms: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)


class Question:
    """One request to one model, as far as the model takes it."""

    def __init__(self, request: ModelRequest, sampling: Sampling, known: Refused) -> None:
        self._known = known
        self._temperature = sampling.temperature if request.temperature is None else request.temperature
        self._max_tokens = sampling.max_tokens if request.max_tokens is None else request.max_tokens
        self._extra_body = sampling.extra_body
        self._forms = [form for form in _forms(request) if _key_of(form) not in known.forms]
        self._refused = Refused(parameters=set(known.parameters))

    @property
    def max_tokens(self) -> int | None:
        """Most tokens of the answer, as they are asked for."""
        return self._max_tokens

    @property
    def options(self) -> dict[str, Any]:
        """The parameters besides model and messages, for the client library."""
        options: dict[str, Any] = {}
        if self._forms:
            options["response_format"] = self._forms[0]
        if "stream_options" not in self._refused.parameters:
            options["stream_options"] = {"include_usage": True}
        if self._temperature is not None and "temperature" not in self._refused.parameters:
            options["temperature"] = self._temperature
        if self._max_tokens is not None:
            renamed = "max_tokens" in self._refused.parameters
            options["max_completion_tokens" if renamed else "max_tokens"] = self._max_tokens
        if self._extra_body:
            options["extra_body"] = self._extra_body
        return options

    def gives_way(self, said: str, blamed: str = "") -> bool:
        """After a refusal, leaves out what may have caused it. False when nothing is left that could be left out.

        `said` is the refusal in words, `blamed` the parameter it names, where it does.
        """
        if is_too_long(said):
            return False
        words, options = said.lower(), self.options
        for parameter in ("stream_options", "temperature", "max_tokens"):
            if parameter in options and parameter in (blamed or words) and _is_not_taken(parameter, words):
                self._refused.parameters.add(parameter)
                return True
        if not self._forms:
            return False
        self._refused.forms.add(_key_of(self._forms.pop(0)))
        return True

    def went_through(self) -> frozenset[str]:
        """Remembers what was left out. Returns the parameters that were not known before."""
        new = frozenset(self._refused.parameters - self._known.parameters)
        self._known.parameters |= new
        if len(self._known.forms) + len(self._refused.forms) <= _MAX_REFUSED:
            self._known.forms |= self._refused.forms
        return new


def _is_not_taken(parameter: str, words: str) -> bool:
    return parameter == "stream_options" or any(word in words for word in _NOT_TAKEN)


def _forms(request: ModelRequest) -> list[Form]:
    """The response formats to try, the most binding first; without any it is plain text."""
    forms: list[Form] = []
    if request.schema is not None:
        answer = {"name": "answer", "schema": request.schema, "strict": request.strict}
        forms.append({"type": "json_schema", "json_schema": answer})
    if request.json_object_wanted:
        forms.append({"type": "json_object"})
    return forms


def _key_of(form: Form) -> str:
    return json.dumps(form, sort_keys=True)
