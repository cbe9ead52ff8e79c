"""Finds the arguments of a function among a task's inputs and parameters, by name.

A missing or unfit value is a permanent failure: the next attempt would get the same.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from signoff.app import Context, Document, Failed
from worker_svc.functions.job import FunctionJob
from worker_svc.functions.signature import Adapter, ParameterSpec, Signature, Source, ValueForm

MOST_PROBLEMS = 5  # of one value: enough to mend, short enough to read
MOST_CHARS = 300  # of one problem
MOST_NAMES = 20  # of a task's inputs or parameters, in a message


class CandidateUnfit(Exception):
    """The candidate is not of the type that the function judges; the text says why."""


def arguments_for(function: str, signature: Signature, job: FunctionJob, context: Context) -> dict[str, Any]:
    """Returns the arguments, by parameter. Raises Failed, or CandidateUnfit when the candidate does not fit."""
    arguments: dict[str, Any] = {}
    for spec in signature.takes:
        if spec.source is Source.CONTEXT:
            arguments[spec.parameter] = context
        elif spec.source is Source.CANDIDATE:
            arguments[spec.parameter] = _candidate(spec, job)
        elif (found := _found(spec, job)) is not None:
            arguments[spec.parameter] = found[0]
        elif spec.is_required:
            raise Failed.permanent(_missing(function, spec, job))
    return arguments


def _candidate(spec: ParameterSpec, job: FunctionJob) -> Any:
    if job.candidate is None:
        raise Failed.permanent("expected a candidate to judge, but got none")
    try:
        return _read(spec, job.candidate)
    except ValueError as error:
        raise CandidateUnfit(f"expected {spec.type_name}: {problems_in(error)}") from error


def _found(spec: ParameterSpec, job: FunctionJob) -> tuple[Any] | None:
    """Returns the value, which may be None, in a tuple; None: nothing provides one."""
    if spec.source is not Source.PARAMETER:
        if (document := _document(spec.name, job)) is not None:
            return (_from_artifact(spec, document),)
        if files := _files(spec.name, job):
            return (_from_files(spec, files),)
    parameters = job.task.parameters
    if spec.source is not Source.ARTIFACT and isinstance(parameters, dict) and spec.name in parameters:
        return (_from_parameter(spec, parameters[spec.name]),)
    return None


def _document(name: str, job: FunctionJob) -> Document | None:
    """Returns the input of this name, or else of the task with this id."""
    named = [document for document in job.inputs if document.name == name]
    if len(named) > 1:
        makers = " and ".join(document.task_id for document in named)
        raise Failed.permanent(
            f"expected one input artifact {name}, but {makers} made one each: "
            f'name the task instead, as in Annotated[…, Artifact("{named[0].task_id}")]'
        )
    return next(iter(named), None) or next((document for document in job.inputs if document.task_id == name), None)


def _files(name: str, job: FunctionJob) -> dict[str, Document]:
    """Returns the files of an input of the plan that has several, by their paths; empty when there is none."""
    begins = f"{name}/"
    files = [document for document in job.inputs if not document.task_id and document.name.startswith(begins)]
    return {document.name.removeprefix(begins): document for document in files}


def _from_files(spec: ParameterSpec, files: dict[str, Document]) -> Any:
    """Returns files by their paths: each as its text, or its bytes when it is no text."""
    if spec.form not in (ValueForm.AS_IT_IS, ValueForm.JSON):
        raise Failed.permanent(
            f"input {spec.name} has {len(files)} files, and {spec.parameter} ({spec.type_name}) takes one: "
            "take them as dict[str, bytes], by their paths"
        )
    values = {path: _text_or_bytes(document) for path, document in files.items()}
    try:
        return spec.adapter.validate_python(values) if spec.adapter else values
    except ValidationError as error:
        raise Failed.permanent(f"input {spec.name}: expected {spec.type_name}: {problems_in(error)}") from error


def _text_or_bytes(document: Document) -> str | bytes:
    try:
        return document.text
    except UnicodeDecodeError:
        return document.content


def _from_artifact(spec: ParameterSpec, document: Document) -> Any:
    try:
        return _read(spec, document)
    except ValueError as error:
        origin = f"made by {document.task_id}" if document.task_id else "an input of the plan"
        artifact = f"artifact {document.name or spec.name} ({origin})"
        raise Failed.permanent(f"{artifact}: expected {spec.type_name}: {problems_in(error)}") from error


def _from_parameter(spec: ParameterSpec, value: Any) -> Any:
    if spec.form is ValueForm.AS_IT_IS:
        return value
    if spec.adapter is None:
        raise Failed.permanent(f"parameter {spec.name}: expected an artifact, but input.parameters has that name")
    try:
        return spec.adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        expected = f"expected {spec.type_name}"
        raise Failed.permanent(f"input.parameters.{spec.name}: {expected}: {problems_in(error)}") from error


# ---------------------------------------------------------------- a document's value


def _read(spec: ParameterSpec, document: Document) -> Any:
    """Reads a document. Raises ValueError (a UnicodeDecodeError, a ValidationError) when it has another form."""
    match spec.form:
        case ValueForm.DOCUMENT:
            return document
        case ValueForm.AS_IT_IS:
            return _as_it_is(document)
        case ValueForm.BYTES:
            return _checked(spec.adapter, document.content)
        case ValueForm.TEXT:
            return _checked(spec.adapter, document.text)
        case ValueForm.JSON:
            return spec.adapter.validate_json(document.content) if spec.adapter else document.json()


def _checked(adapter: Adapter | None, value: Any) -> Any:
    return adapter.validate_python(value) if adapter else value


def _as_it_is(document: Document) -> Any:
    if document.media_type.partition(";")[0].strip() == "application/json":
        return document.json()
    try:
        return document.text
    except UnicodeDecodeError:
        return document.content


# ---------------------------------------------------------------- in words


def problems_in(error: ValueError) -> str:
    """Returns the first few problems, one line each."""
    if not isinstance(error, ValidationError):
        return _clipped(str(error))
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [_problem(problem["loc"], problem["msg"]) for problem in found[:MOST_PROBLEMS]]
    return "\n".join([*lines, f"and {len(found) - MOST_PROBLEMS} more"] if len(found) > MOST_PROBLEMS else lines)


def _problem(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, location))
    return _clipped(f"{where}: {message}" if where else message)


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]} …"


def _missing(function: str, spec: ParameterSpec, job: FunctionJob) -> str:
    expected = {
        Source.ARTIFACT: f"an input artifact {spec.name}",
        Source.PARAMETER: f"{spec.name} in input.parameters",
    }.get(spec.source, f"an input artifact {spec.name}, or {spec.name} in input.parameters")
    artifacts = [document.name or document.task_id for document in job.inputs]
    parameters = list(job.task.parameters) if isinstance(job.task.parameters, dict) else []
    has = f"{_list_of('artifacts', artifacts)} and {_list_of('parameters', parameters)}"
    omitted = f"; it does not get {'; '.join(job.omitted[:MOST_NAMES])}" if job.omitted else ""
    wants = f"parameter {spec.parameter} ({spec.type_name}) of {function}"
    return f"{wants}: expected {expected}, but task {job.task.id} has {has}{omitted}"


def _list_of(kind: str, names: list[str]) -> str:
    if not names:
        return f"no {kind}"
    return f"the {kind} {', '.join([*names[:MOST_NAMES], '…'] if len(names) > MOST_NAMES else names)}"
