"""The executor: turns an assignment into a prompt, and a model's answer into a candidate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import structlog

from signoff.plan.formats import format_of
from signoff.plan.glossary import MODEL
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result
from worker_svc.known_makers import models_of
from worker_svc.llm.port import Model, ModelAnswer, ModelFailure, ModelRequest, endpoints_of, own_names_of
from worker_svc.llm.read.fences import unfenced
from worker_svc.llm.read.json_text import parse_json
from worker_svc.llm.read.repair import json_found
from worker_svc.progress import DeltaReporter, tell_prompt
from worker_svc.prompts.messages import execute_prompt, made_aside, maker_digest
from worker_svc.prompts.version import execute_version
from worker_svc.spent import Meter

log = structlog.get_logger(__name__)

_MAX_SCHEMA_CHARS = 64 * 1024  # endpoints take no larger ones, and to read one takes long


class Executor:
    """An assignment.Handler that asks a model for the task's output.

    The assignment may name the model; else the default is asked.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def offer(self) -> Offer:
        makers = dict.fromkeys(self._maker(name) for name in ("", *self._model.names))
        return Offer(
            models=self._model.names,
            makers=tuple(makers),
            known_makers=models_of(self._model, MODEL, execute_version()),
            endpoints=endpoints_of(self._model),
            own_names=own_names_of(self._model),
        )

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        try:
            name, _ = self._model.maker_parts(assignment.model)
            return await self._ask(name, assignment, report)
        except ModelFailure as failure:
            return FailureResult(kind=failure.kind, message=failure.message, retry_after=failure.retry_after)

    async def close(self) -> None:
        await self._model.close()

    async def _ask(self, name: str, assignment: Assignment, report: Report) -> CandidateResult:
        request, unread = await made_aside(lambda: request_for(assignment), assignment)
        await tell_prompt(report, request.messages)
        answer = await self._model.complete(request, DeltaReporter(report), Meter(report, name).account())
        return replace(await self._candidate(name, assignment, answer), unread=unread)

    async def _candidate(self, name: str, assignment: Assignment, answer: ModelAnswer) -> CandidateResult:
        form = format_of(assignment.task.output.format)
        if not answer.text.strip():
            raise ModelFailure.transient(f"model {name} gave an empty answer")
        if form.is_json:
            text, remark = await _json_of(answer.text.strip(), assignment)
        else:
            text, remark = await asyncio.to_thread(unfenced, answer.text, form)
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            raise ModelFailure.transient(f"model {name} gave broken text: {error.reason}") from error
        maker = self._maker(assignment.model)
        return CandidateResult(content=content, media_type=form.media_type, maker=maker, remark=remark)

    def _maker(self, model: str) -> str:
        name, settings = self._model.maker_parts(model)
        return maker_digest(name, execute_version(), settings)


def request_for(assignment: Assignment) -> tuple[ModelRequest, execution_pb2.Unread | None]:
    """Returns the executor's request, with the form of the answer as far as the plan states it.

    The second value names the parts of the inputs that the prompt cannot show; None: it shows all.
    """
    task = assignment.task
    form = format_of(task.output.format)
    messages, unread = execute_prompt(assignment)
    request = ModelRequest(
        messages=messages,
        assignment=assignment,
        # "JSON: [ … ]" promises an array; asking for an object would then make the answer wrong.
        json_object_wanted=form.is_json and (form.schema is None or form.is_object),
        schema=_object_schema(task.validation.checks),
        model=assignment.model,
        temperature=task.executor.temperature if task.executor.HasField("temperature") else None,
        max_tokens=task.executor.max_tokens if task.executor.HasField("max_tokens") else None,
    )
    return request, unread


async def _json_of(text: str, assignment: Assignment) -> tuple[str, str]:
    """Returns the JSON of an answer, mended where need be, and the words around it.

    Without JSON, returns the text as it came: the validator will state the problem.
    """
    found = await json_found(text, array=format_of(assignment.task.output.format).is_array)
    if found is None:
        return text, ""
    if found.is_mended:
        log.info("answer_repaired", execution=assignment.execution_id, task=assignment.task.task_id)
    return found.text, found.remark


def _object_schema(checks: Iterable[plan_pb2.Check]) -> dict[str, object] | None:
    """Returns the plan's schema when endpoints can take it: one that describes an object."""
    schemas = (check.json_schema for check in checks if check.HasField("json_schema"))
    stated = next((schema.schema_json for schema in schemas if not schema.lines), "")
    if len(stated) > _MAX_SCHEMA_CHARS:
        return None
    try:
        schema = parse_json(stated)
    except ValueError:
        return None
    return schema if isinstance(schema, dict) and schema.get("type") == "object" else None
