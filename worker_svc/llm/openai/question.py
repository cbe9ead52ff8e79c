"""The question to an endpoint, which is repeated with less when the endpoint refuses a part of it.

    response_format   a schema, then the schema without bounds, then an object, then plain text; also after 500 and 501
    stream_options    left out: then tokens are estimated
    stream            left out: then the whole answer comes at once
    temperature       left out: the model takes only its own
    max_tokens        called max_completion_tokens; a default limit that is too large is left out
    system            its text goes before the first words of the user

A part that was left out is remembered when the same request went through without it: then it was the cause.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker_svc.llm.openai.failures import is_too_long
from worker_svc.llm.port import Message, ModelRequest

_MAX_REFUSED = 256  # response formats, remembered; a task's own schema may be one of them

#: Words of endpoints about a parameter that they do not know or take, but not about a value out of its range.
_NOT_TAKEN = ("support", "unknown", "unrecognized", "unexpected", "deprecated", "permitted", "not allowed", "extra")

#: Default limits of an answer, reasoning included: the first that the endpoint takes, else the endpoint's own.
DEFAULT_LIMITS = (32_768, 4_096)

_REFUSALS = frozenset({400, 404, 415, 422})
_BROKE_OVER_A_FORM = frozenset({500, 501})  # the answer of some endpoints to a response format they do not know
SYSTEM = "system"  # may be left out besides parameters
_ALTERNATE = "alternate"  # "conversation roles must alternate user/assistant/user/…"

#: Words about a value out of its range, of a parameter that they do take.
_OUT_OF_RANGE = ("too large", "too high", "at most", "at least", "exceed", "less than", "greater than")

#: Words of endpoints about pictures that they do not take.
_PICTURES = ("image", "vision", "multimodal", "multi-modal", "mmproj", "content must be a string", "valid string")

_BOUNDS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern"})
_NAMES = frozenset({"properties"})  # of a schema: its entries have names of their own

Form = Mapping[str, Any]  # the response_format of a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The settings of a model's answers, unless the request has its own."""

    temperature: float | None = None  #: None: the endpoint's own
    max_tokens: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)  #: sent as it is, for one endpoint's own parameters

    @property
    def settings(self) -> dict[str, str]:
        """The settings that are set, as text, for the maker's digest."""
        stated = {"temperature": self.temperature, "max_tokens": self.max_tokens, "extra_body": self.extra_body or None}
        return {name: json.dumps(value, sort_keys=True) for name, value in stated.items() if value is not None}


@dataclass(slots=True)
class Refused:
    """The parts of requests that one model at one endpoint does not take."""

    forms: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  #: forms that went through: none of them causes a 500


class Question:
    """One request to one model, with the parts that the model takes."""

    def __init__(self, request: ModelRequest, sampling: Sampling, known: Refused) -> None:
        self._known = known
        self._temperature = sampling.temperature if request.temperature is None else request.temperature
        self._max_tokens = sampling.max_tokens if request.max_tokens is None else request.max_tokens
        self._messages = [{"role": message.role, "content": _content_of(message)} for message in request.messages]
        self.has_pictures = any(message.pictures for message in request.messages)
        self._extra_body = sampling.extra_body
        self._forms = [form for form in _forms(request) if _key_of(form) not in known.forms]
        self._refused = Refused(parameters=set(known.parameters))

    @property
    def max_tokens(self) -> int:
        """The limit of the answer's tokens: the request's, or else the default, even if it is not sent."""
        return self._max_tokens or self._default_limit or DEFAULT_LIMITS[0]

    @property
    def _default_limit(self) -> int | None:
        """The limit that is sent when none is set; None: the endpoint takes none of the defaults."""
        return next((limit for limit in DEFAULT_LIMITS if _named(limit) not in self._refused.parameters), None)

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages, in roles that the model takes."""
        if SYSTEM not in self._refused.parameters or self._messages[0]["role"] != SYSTEM:
            return self._messages
        first, *others = self._messages
        before, rest = [first["content"]], list(others)
        while rest and rest[0]["role"] == "user":
            before.append(rest.pop(0)["content"])
        return [{"role": "user", "content": _joined(before)}, *rest]

    @property
    def options(self) -> dict[str, Any]:
        """The parameters besides model and messages, for the client library."""
        options: dict[str, Any] = {"stream": "stream" not in self._refused.parameters}
        if self._forms:
            options["response_format"] = self._forms[0]
        if options["stream"] and "stream_options" not in self._refused.parameters:
            options["stream_options"] = {"include_usage": True}
        if self._temperature is not None and "temperature" not in self._refused.parameters:
            options["temperature"] = self._temperature
        if self._max_tokens is not None or self._default_limit is not None:
            renamed = "max_tokens" in self._refused.parameters
            options["max_completion_tokens" if renamed else "max_tokens"] = self.max_tokens
        if self._extra_body:
            options["extra_body"] = self._extra_body
        return options

    def gives_way(self, status: int, said: str, blamed: str = "") -> bool:
        """Leaves out a part that may have caused a refusal. Returns False when there is none.

        `said` is the refusal in words, `blamed` the parameter that it names, if it does.
        """
        words = said.lower()
        if self.has_pictures and is_about_pictures(words):
            return False
        if status in _BROKE_OVER_A_FORM:
            if self._is_about_system(words):
                return self._leave_out(SYSTEM)
            return bool(self._forms) and _key_of(self._forms[0]) not in self._known.taken and self._leave_out_form()
        if status not in _REFUSALS:
            return False
        if self._default_limit is not None and self._is_about_default_limit(words, blamed):
            return self._leave_out(_named(self._default_limit))
        if is_too_long(said) or (status in (404, 415) and not blamed):
            return False
        options = self.options
        for parameter in ("stream_options", "temperature", "max_tokens"):
            if parameter in options and parameter in (blamed or words) and _is_not_taken(parameter, words):
                return self._leave_out(parameter)
        if options["stream"] and _is_about_stream(blamed, words):
            return self._leave_out("stream")
        if self._is_about_system(words):
            return self._leave_out(SYSTEM)
        return bool(self._forms) and self._leave_out_form()

    def _leave_out(self, what: str) -> bool:
        self._refused.parameters.add(what)
        return True

    def _leave_out_form(self) -> bool:
        self._refused.forms.add(_key_of(self._forms.pop(0)))
        return True

    def _is_about_default_limit(self, words: str, blamed: str) -> bool:
        """Tells whether the default limit is at fault: the model may write less, or less may fit beside the prompt."""
        if self._max_tokens is not None:
            return False
        named = any(name in (blamed or words) for name in ("max_tokens", "max_completion_tokens"))
        is_misnamed = "max_tokens" in self.options and _is_not_taken("max_tokens", words) and not is_too_long(words)
        return (named and not is_misnamed) or is_too_long(words)

    def _is_about_system(self, words: str) -> bool:
        """Tells whether the system role is at fault: some templates lack it, or let user and assistant alternate."""
        if SYSTEM in self._refused.parameters or self._messages[0]["role"] != SYSTEM:
            return False
        return "role" in words and (SYSTEM in words or _ALTERNATE in words)

    def went_through(self) -> frozenset[str]:
        """Remembers the parts that were left out. Returns the parameters that were not known before."""
        if self._forms and len(self._known.taken) < _MAX_REFUSED:
            self._known.taken.add(_key_of(self._forms[0]))
        new = frozenset(self._refused.parameters - self._known.parameters)
        self._known.parameters |= new
        if len(self._known.forms) + len(self._refused.forms) <= _MAX_REFUSED:
            self._known.forms |= self._refused.forms
        return new


def is_about_pictures(words: str) -> bool:
    """Tells whether a refusal is about the pictures of a request; `words` are in small letters."""
    return any(word in words for word in _PICTURES)


def _content_of(message: Message) -> Any:
    """Returns a message's content: a text, or parts when pictures go along. The text ends it: a nonce comes last."""
    if not message.pictures:
        return message.content
    pictures = [
        {"type": "image_url", "image_url": {"url": f"data:{each.media_type};base64,{b64encode(each.content).decode()}"}}
        for each in message.pictures
    ]
    return [*pictures, {"type": "text", "text": message.content}]


def _joined(contents: Sequence[Any]) -> Any:
    """Joins the contents of messages: texts, or parts."""
    if all(isinstance(content, str) for content in contents):
        return "\n\n".join(contents)
    parts = [part for content in contents if not isinstance(content, str) for part in content]
    texts = [content if isinstance(content, str) else content[-1]["text"] for content in contents]
    return [*(part for part in parts if part["type"] != "text"), {"type": "text", "text": "\n\n".join(texts)}]


def _named(limit: int) -> str:
    """Returns the name of a default limit in the log."""
    return f"max_tokens={limit}"


def _is_about_stream(blamed: str, words: str) -> bool:
    if blamed:
        return blamed == "stream"
    return "stream" in words and "stream_options" not in words and any(word in words for word in _NOT_TAKEN)


def _is_not_taken(parameter: str, words: str) -> bool:
    if parameter == "stream_options":
        return True
    return any(word in words for word in _NOT_TAKEN) and not any(word in words for word in _OUT_OF_RANGE)


def _forms(request: ModelRequest) -> list[Form]:
    """Returns the response formats to try, the most binding first; without any, the answer is plain text."""
    forms: list[Form] = []
    if request.schema is not None:
        schemas = [request.schema]
        if request.strict and (loose := _without_bounds(request.schema)) != request.schema:
            schemas.append(loose)
        for schema in schemas:
            answer = {"name": "answer", "schema": schema, "strict": request.strict}
            forms.append({"type": "json_schema", "json_schema": answer})
    if request.json_object_wanted:
        forms.append({"type": "json_object"})
    return forms


def _without_bounds(schema: Any) -> Any:
    """Returns the schema without bounds, for endpoints that know none. A property may have the name of a bound."""
    if isinstance(schema, list):
        return [_without_bounds(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    named = {key: {name: _without_bounds(part) for name, part in schema[key].items()} for key in _NAMES & schema.keys()}
    kept = {key: _without_bounds(part) for key, part in schema.items() if key not in _BOUNDS | _NAMES}
    return {key: {**kept, **named}[key] for key in schema if key not in _BOUNDS}


def _key_of(form: Form) -> str:
    return json.dumps(form, sort_keys=True)
