"""Writes the mock's candidates: JSON in the plan's shape, or a short document that quotes its task and inputs."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from signoff.plan.formats import OutputKind, format_of
from signoff.v1 import plan_pb2
from worker_svc.assignment import Assignment
from worker_svc.llm.read.json_text import parse_json
from worker_svc.mock.fitting import (
    MAX_PAD_CHARS,
    fit_entries,
    fitted_text,
    language_of,
    length_bounds,
    number_for,
    padding_words,
    phrases_for,
    sample,
    sentence_for,
    sources_for,
)
from worker_svc.mock.phrases import phrases_in
from worker_svc.mock.samples import Sampler

MARKER = "[mock: made to be rejected]"
_NOTE = "Written by the built-in mock model: the form is real, the content is a placeholder."
_TOPIC_CHARS = 120
_LINES = 3  # of JSON Lines
_TELLING_SENTENCES = 4  # enough to tell the language by

_ANY_OBJECT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "summary": {"type": "string"},
        "items": {"type": "array", "items": {"type": "object"}},
    },
}


def candidate_text(assignment: Assignment) -> str:
    """Writes a candidate that keeps what the plan states about its form: format, shape, checks, quoted phrases."""
    task = assignment.task
    form = format_of(task.output.format)
    if form.kind is OutputKind.JSON_LINES:
        return "".join(f"{json.dumps(_json_value(task, number), ensure_ascii=False)}\n" for number in range(_LINES))
    if form.kind is OutputKind.CSV:
        return _table(task, "\t" if "tab" in form.media_type else ",")
    if form.kind in (OutputKind.JSON, OutputKind.YAML) or any(
        check.HasField("json_schema") for check in task.validation.checks
    ):
        return _json_text(task)  # JSON is YAML, too
    return _document(assignment)


def rejectable_text(assignment: Assignment) -> str:
    """Writes a candidate that will not pass: JSON that breaks off in a word, or a text with the marker for the judge.

    It names the attempt, so that two rejected candidates of a task differ and do not count as a lack of progress.
    """
    said = f"{MARKER} task {assignment.task.task_id}, attempt {assignment.attempt}"
    return json.dumps({"rejected": said})[:-2] if format_of(assignment.task.output.format).is_json else said


# ---------------------------------------------------------------- JSON


def _json_text(task: plan_pb2.TaskSpec) -> str:
    shortest, longest = length_bounds(task.validation.checks)
    text = json.dumps(_json_value(task), ensure_ascii=False, indent=2)
    if len(text) > longest:
        text = json.dumps(_json_value(task, brief=True), ensure_ascii=False, separators=(",", ":"))
    padding = min(shortest, MAX_PAD_CHARS) - len(text)
    return text[:1] + " " * padding + text[1:] if padding > 0 else text


def _table(task: plan_pb2.TaskSpec, delimiter: str) -> str:
    """Writes a table with the texts that the plan asks for."""
    rows = [("title", "text"), *((f"entry {number}", text) for number, text in enumerate(_table_texts(task), 1))]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return written.getvalue()


def _table_texts(task: plan_pb2.TaskSpec) -> list[str]:
    return [_one_line(task.description)[:_TOPIC_CHARS], *map(_one_line, _wanted_texts(task)), _NOTE]


def _json_value(task: plan_pb2.TaskSpec, index: int = 0, *, brief: bool = False) -> Any:
    checks = task.validation.checks
    schema = _schema_of(checks) or format_of(task.output.format).schema or _ANY_OBJECT
    topic = sentence_for(checks).strip() if language_of(checks) else _one_line(task.description)[:_TOPIC_CHARS]
    phrases = [*_wanted_texts(task), *filter(None, [padding_words(checks).strip()])]
    sampler = Sampler(root=schema, topic=topic, phrases=phrases, brief=brief)
    value = sampler.instance(schema, index=index)
    for key in (key for check in checks for key in check.required_keys.keys):
        _set(value, key.split("."), sampler)
    for check in (check.number for check in checks if check.HasField("number") and check.number.path):
        _put(value, check.path.split("."), number_for(check))
    fit_entries(value, checks)
    return value


def _schema_of(checks: Iterable[plan_pb2.Check]) -> Mapping[str, Any] | None:
    return next((_parsed(check.json_schema.schema_json) for check in checks if check.HasField("json_schema")), None)


@functools.lru_cache(maxsize=256)
def _parsed(schema_json: str) -> Mapping[str, Any] | None:
    try:
        schema = parse_json(schema_json)
    except ValueError:
        return None  # the validator reports it
    return schema if isinstance(schema, dict) else None


def _set(value: Any, path: list[str], sampler: Sampler) -> None:
    """Gives an object the key at the path, with the objects above it, unless it is there."""
    for step in path[:-1]:
        if not isinstance(value, dict):
            return
        value = value.setdefault(step, {})
    if isinstance(value, dict) and path[-1] not in value:
        value[path[-1]] = sampler.instance({"type": "string"}, path[-1])


def _put(value: Any, path: list[str], number: float) -> None:
    """Sets the number at the path, and makes the objects above it."""
    for step in path[:-1]:
        if not isinstance(value, dict):
            return
        value = value.setdefault(step, {})
    if isinstance(value, dict):
        value[path[-1]] = number


# ---------------------------------------------------------------- documents


def _document(assignment: Assignment) -> str:
    checks = assignment.task.validation.checks
    lines = _sentences(assignment) if language_of(checks) else _own_lines(assignment)
    return fitted_text("\n".join(lines) + "\n", checks)


def _sentences(assignment: Assignment) -> list[str]:
    """Writes only required texts: the task and the mock's own words may be in another language."""
    paragraph = (sentence_for(assignment.task.validation.checks) * _TELLING_SENTENCES).strip()
    return [paragraph, "", *(f"- {_one_line(text)}" for text in _wanted_texts(assignment.task))]


def _own_lines(assignment: Assignment) -> list[str]:
    task = assignment.task
    lines = [f"# {_one_line(task.description) or task.task_id}", "", f"> {_one_line(assignment.idea)}", "", _NOTE]
    lines += ["", "## Inputs", "", *_input_lines(assignment)]
    lines += ["", f"## {_one_line(task.output.description) or 'Result'}", ""]
    lines += [f"- {_one_line(text)}" for text in _wanted_texts(task)] or ["- Nothing more is asked for."]
    if assignment.feedback is not None:
        lines += ["", "## Changed since the last attempt", "", _one_line(assignment.feedback.summary)]
    return lines


def _input_lines(assignment: Assignment) -> list[str]:
    lines = [f"- {artifact.name or artifact.task_id} ({artifact.digest[:12]})" for artifact in assignment.inputs]
    lines += [f"- {omitted.name}: not available" for omitted in assignment.omitted]
    return lines or ["- none"]


def _wanted_texts(task: plan_pb2.TaskSpec) -> list[str]:
    """Returns the phrases that criteria quote, and a match for each pattern, for the output."""
    phrases = [phrase for criterion in task.validation.criteria for phrase in phrases_in(criterion).required]
    patterns = [
        check.regex.pattern for check in task.validation.checks if check.HasField("regex") and not check.regex.absent
    ]
    checks = task.validation.checks
    return [*phrases, *filter(None, map(sample, patterns)), *phrases_for(checks), *sources_for(checks)]


def _one_line(text: str) -> str:
    return " ".join(text.split())
