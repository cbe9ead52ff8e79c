"""The executor: an assignment becomes a prompt, a model's answer becomes a candidate."""

from __future__ import annotations

from worker_svc.checks import promises_json
from worker_svc.llm.json_text import parse_json, without_fence
from worker_svc.llm.port import Model, ModelAnswer, ModelFailure, ModelRequest
from worker_svc.progress import DeltaReporter, report_usage
from worker_svc.prompts import EXECUTE_VERSION, execute_messages, maker_digest
from worker_svc.work import Assignment, CandidateMade, Offer, Report, Result, WorkFailed

_JSON_FENCES = frozenset({"", "json", "json5", "jsonc"})
_MARKDOWN_FENCES = frozenset({"markdown", "md"})  # not a bare fence: that may be the document's own code


class Executor:
    """A work.Handler that asks a model for the task's output."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._maker = maker_digest(model.name, EXECUTE_VERSION, model.settings)

    @property
    def offer(self) -> Offer:
        return Offer(models=(self._model.name,), makers=(self._maker,))

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        try:
            answer = await self._model.complete(request_for(assignment), DeltaReporter(report))
            report_usage(report, self._model.name, answer)
            return self._candidate(assignment, answer)
        except ModelFailure as failure:
            return WorkFailed(kind=failure.kind, message=failure.message, retry_after=failure.retry_after)

    async def close(self) -> None:
        await self._model.close()

    def _candidate(self, assignment: Assignment, answer: ModelAnswer) -> CandidateMade:
        output_format = assignment.task.output.format
        media_type = media_type_of(output_format)
        text = clean_text(answer.text, media_type)
        if not text:
            raise ModelFailure.transient(f"model {self._model.name} gave an empty answer")
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            raise ModelFailure.transient(f"model {self._model.name} gave broken text: {error.reason}") from error
        return CandidateMade(content=content, media_type=media_type, maker=self._maker)


def request_for(assignment: Assignment) -> ModelRequest:
    """What the executor asks: the prompt, and the form of the answer as far as the plan states it."""
    output_format = assignment.task.output.format
    schema = next(
        (c.json_schema.schema_json for c in assignment.task.validation.checks if c.HasField("json_schema")), ""
    )
    return ModelRequest(
        messages=execute_messages(assignment),
        assignment=assignment,
        # "JSON: [ … ]" promises an array; asking for an object would then make the answer wrong.
        json_object_wanted=promises_json(output_format) and not _promises_array(output_format),
        schema=_object_schema(schema) if schema else None,
    )


def media_type_of(output_format: str) -> str:
    """The media type that an output format in words stands for."""
    if promises_json(output_format):
        return "application/json"
    return "text/markdown" if "markdown" in output_format.lower() else "text/plain"


def clean_text(text: str, media_type: str) -> str:
    """The answer without the code fence that models like to put around it, and without outer white space.

    JSON that does not parse is left as it came: the validator says what is wrong with it.
    """
    text = text.strip()
    if media_type == "application/json":
        inside = without_fence(text, _JSON_FENCES).strip()
        return inside if _is_json(inside) else text
    return without_fence(text, _MARKDOWN_FENCES).strip() if media_type == "text/markdown" else text


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True


def _promises_array(output_format: str) -> bool:
    rest = output_format.strip()[4:].lstrip(" :").lower()
    return rest.startswith(("[", "array", "list"))


def _object_schema(schema_json: str) -> dict[str, object] | None:
    """The schema when endpoints can take it: one that describes an object."""
    try:
        schema = parse_json(schema_json)
    except ValueError:
        return None
    return schema if isinstance(schema, dict) and schema.get("type") == "object" else None
