"""Reads a function's signature once: the source and the form of each parameter, and the type of the result."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from signoff.app import Artifact, Context, Document, Files, Function, Output, Parameter

Adapter: TypeAlias = TypeAdapter[Any]

_NOT_BY_NAME = {
    inspect.Parameter.POSITIONAL_ONLY: "is positional-only",
    inspect.Parameter.VAR_POSITIONAL: "takes any number of values",
    inspect.Parameter.VAR_KEYWORD: "takes any names",
}
_ANYTHING = (Any, object, inspect.Parameter.empty)


class BadSignature(Exception):
    """No task could call the function by names; the text says why."""


class Source(Enum):
    """The source of a parameter's value."""

    NAMED = auto()  #: the input artifact of this name, else the key of input.parameters
    ARTIFACT = auto()
    PARAMETER = auto()
    CANDIDATE = auto()
    CONTEXT = auto()


class ValueForm(Enum):
    """The form in which a document becomes a value."""

    BYTES = auto()
    TEXT = auto()
    JSON = auto()
    DOCUMENT = auto()
    FILES = auto()
    PATH = auto()  #: the one file, or the folder of several
    AS_IT_IS = auto()  #: without a type: JSON when its media type says so, else text, else bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSpec:
    """One parameter of a function."""

    parameter: str
    name: str  #: of the artifact, or the key of the plan's parameters
    source: Source
    form: ValueForm
    type_name: str  #: for messages
    adapter: Adapter | None  #: None: any value will do
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The parameters and the result type of a function."""

    takes: tuple[ParameterSpec, ...]
    gives: Adapter | None  #: None: any value will do
    gives_name: str


def signature_of(function: Function) -> Signature:
    """Reads a signature. Raises BadSignature when no task could provide the function's arguments."""
    call = _plain(function.call)
    if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
        raise BadSignature("it is a generator: expected a function that returns its result")
    hints = _hints(call)
    takes = [_parameter_spec(parameter, hints) for parameter in inspect.signature(function.call).parameters.values()]
    if function.judges:
        takes = _with_candidate(takes)
    gives = hints.get("return", inspect.Parameter.empty)
    is_checked = not function.judges and gives not in (*_ANYTHING, Output, types.NoneType)
    return Signature(
        takes=tuple(takes),
        gives=_adapter("what it returns", gives) if is_checked else None,
        gives_name=_in_words(gives),
    )


def _plain(call: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function behind a partial, or the method that calls an object."""
    while isinstance(call, functools.partial):
        call = call.func
    return call if inspect.isroutine(call) else type(call).__call__


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(call, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise BadSignature(f"its annotations cannot be read ({error}): types must be found in its module") from error


def _with_candidate(takes: list[ParameterSpec]) -> list[ParameterSpec]:
    """Makes the first parameter that is not the context the candidate."""
    for number, spec in enumerate(takes):
        if spec.source is not Source.CONTEXT:
            takes[number] = replace(spec, source=Source.CANDIDATE)
            return takes
    raise BadSignature("expected a first parameter for the candidate")


def _parameter_spec(parameter: inspect.Parameter, hints: dict[str, Any]) -> ParameterSpec:
    if parameter.kind in _NOT_BY_NAME:
        problem = f"parameter {parameter} {_NOT_BY_NAME[parameter.kind]}"
        raise BadSignature(f"{problem}: expected parameters that can be given by name")
    annotation = hints.get(parameter.name, inspect.Parameter.empty)
    base, markers = _parts(annotation)
    source, name = _source(base, markers, parameter.name)
    needs_adapter = base not in (Context, Document, Files, *_ANYTHING)
    return ParameterSpec(
        parameter=parameter.name,
        name=name,
        source=source,
        form=_form(base),
        type_name=_in_words(annotation),
        adapter=_adapter(f"parameter {parameter.name}", annotation) if needs_adapter else None,
        is_required=parameter.default is inspect.Parameter.empty,
    )


def _parts(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Returns the type without Annotated and None, and the markers in Annotated."""
    markers: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            markers = (*markers, *more)
        elif get_origin(annotation) in (Union, types.UnionType) and len(rest := _without_none(annotation)) == 1:
            annotation = rest[0]
        else:
            return annotation, markers


def _without_none(annotation: Any) -> list[Any]:
    return [argument for argument in get_args(annotation) if argument is not types.NoneType]


def _source(base: Any, markers: tuple[Any, ...], parameter: str) -> tuple[Source, str]:
    if base is Context:
        return Source.CONTEXT, parameter
    for marker in markers:
        if isinstance(marker, Artifact):
            return Source.ARTIFACT, marker.name
        if isinstance(marker, Parameter):
            return Source.PARAMETER, marker.name
    return Source.NAMED, parameter


def _form(base: Any) -> ValueForm:
    if base in _ANYTHING:
        return ValueForm.AS_IT_IS
    return _FORMS.get(base, ValueForm.JSON)


_FORMS = {
    bytes: ValueForm.BYTES,
    str: ValueForm.TEXT,
    Document: ValueForm.DOCUMENT,
    Files: ValueForm.FILES,
    Path: ValueForm.PATH,
}


def _adapter(what: str, annotation: Any) -> Adapter:
    try:
        return TypeAdapter(annotation)
    except PydanticUserError as error:
        reason = str(error).splitlines()[0]
        raise BadSignature(f"{what}: expected a type that pydantic can read, but got {annotation}: {reason}") from error


def _in_words(annotation: Any) -> str:
    base, _ = _parts(annotation)
    if base is inspect.Parameter.empty:
        return "any value"
    return base.__name__ if isinstance(base, type) and get_origin(base) is None else str(base).removeprefix("typing.")
