"""Finds the arguments of a function among a task's inputs and parameters, by name.

A missing or unfit value is a permanent failure: the next attempt would get the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from signoff.app import Context, Document, Failed, Files
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
    except _TooMany as too_many:
        raise Failed.permanent(f"the candidate {too_many}") from None
    except ValueError as error:
        raise CandidateUnfit(f"expected {spec.type_name}: {problems_in(error)}") from error


def _found(spec: ParameterSpec, job: FunctionJob) -> tuple[Any] | None:
    """Returns the value, which may be None, in a tuple; None: nothing provides one."""
    if spec.source is not Source.PARAMETER:
        if (given := _input(spec.name, job)) is not None:
            return (_from_artifact(spec, given),)
        if files := _files(spec.name, job):
            return (_from_files(spec, files),)
    parameters = job.task.parameters
    if spec.source is not Source.ARTIFACT and isinstance(parameters, dict) and spec.name in parameters:
        return (_from_parameter(spec, parameters[spec.name]),)
    return None


def _input(name: str, job: FunctionJob) -> Document | Files | None:
    """Returns the input of this name, or else of the task with this id."""
    named = [given for given in job.inputs if given.name == name]
    if len(named) > 1:
        makers = " and ".join(given.task_id for given in named)
        raise Failed.permanent(
            f"expected one input artifact {name}, but {makers} made one each: "
            f'name the task instead, as in Annotated[…, Artifact("{named[0].task_id}")]'
        )
    return next(iter([*named, *(given for given in job.inputs if given.task_id == name)]), None)


def _files(name: str, job: FunctionJob) -> dict[str, Document]:
    """Returns the files of an input of the plan that has several, by their paths; empty when there is none."""
    begins = f"{name}/"
    documents = [given for given in job.inputs if isinstance(given, Document) and not given.task_id]
    return {each.name.removeprefix(begins): each for each in documents if each.name.startswith(begins)}


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


def _from_artifact(spec: ParameterSpec, given: Document | Files) -> Any:
    try:
        return _read(spec, given)
    except _TooMany as too_many:
        raise Failed.permanent(f"artifact {given.name or spec.name} {too_many}") from None
    except ValueError as error:
        origin = f"made by {given.task_id}" if given.task_id else "an input of the plan"
        artifact = f"artifact {given.name or spec.name} ({origin})"
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


class _TooMany(Exception):
    """A parameter takes one file, and there are several; the text says how to take them."""


def _read(spec: ParameterSpec, given: Document | Files) -> Any:
    """Reads a document or files. Raises ValueError (a UnicodeDecodeError, a ValidationError) when it has another form.

    Raises _TooMany for several files where one is wanted.
    """
    document = given if isinstance(given, Document) else _of_files(spec, given)
    if not isinstance(document, Document):
        return document
    match spec.form:
        case ValueForm.DOCUMENT:
            return document
        case ValueForm.AS_IT_IS:
            return _as_it_is(document)
        case ValueForm.BYTES:
            return _checked(spec.adapter, document.content)
        case ValueForm.TEXT:
            return _checked(spec.adapter, document.text)
        case ValueForm.FILES | ValueForm.PATH:
            raise ValueError("it is one content and no file: take it as bytes or str")
        case ValueForm.JSON:
            return spec.adapter.validate_json(document.content) if spec.adapter else document.json()


def _of_files(spec: ParameterSpec, files: Files) -> Document | Files | Path:
    """Returns files in the form that a parameter wants: themselves, a path, or the one file as a document."""
    is_one = len(files) == 1
    if spec.form is ValueForm.FILES or (spec.form is ValueForm.AS_IT_IS and not is_one):
        return files
    if spec.form is ValueForm.PATH:
        return files.main if is_one else files.folder
    if not is_one:
        wants = f"{spec.parameter} ({spec.type_name})"
        raise _TooMany(f"has {len(files):,} files, and {wants} takes one: annotate it as signoff.app.Files, or as Path")
    (info,) = files.entries.values()
    content = files.main.read_bytes()
    return Document(
        name=files.name, task_id=files.task_id, media_type=info.media_type, digest=info.digest, content=content
    )


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
    artifacts = [given.name or given.task_id for given in job.inputs]
    parameters = list(job.task.parameters) if isinstance(job.task.parameters, dict) else []
    has = f"{_list_of('artifacts', artifacts)} and {_list_of('parameters', parameters)}"
    omitted = f"; it does not get {'; '.join(job.omitted[:MOST_NAMES])}" if job.omitted else ""
    wants = f"parameter {spec.parameter} ({spec.type_name}) of {function}"
    return f"{wants}: expected {expected}, but task {job.task.id} has {has}{omitted}"


def _list_of(kind: str, names: list[str]) -> str:
    if not names:
        return f"no {kind}"
    return f"the {kind} {', '.join([*names[:MOST_NAMES], '…'] if len(names) > MOST_NAMES else names)}"
