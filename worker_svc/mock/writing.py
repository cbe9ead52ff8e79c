"""What the mock writes: JSON in the shape the plan asks for, or a short document that quotes its task and inputs."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from signoff.v1 import plan_pb2
from worker_svc.checks import promises_json
from worker_svc.llm.json_text import parse_json
from worker_svc.mock.patterns import matching_text
from worker_svc.mock.phrases import phrases_in
from worker_svc.mock.samples import Sampler
from worker_svc.mock.shapes import shape_schema
from worker_svc.work import Assignment

MARKER = "[mock: made to be rejected]"
_NOTE = "Written by the built-in mock model: the form is real, the content is a placeholder."
_FILLER = "This sentence is here because the plan asks for a longer text. "
_TOPIC_CHARS = 120
_MAX_PAD_CHARS = 4_000_000  # a larger minimum is not met: the frame limit would refuse the candidate anyway

_ANY_OBJECT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "summary": {"type": "string"},
        "items": {"type": "array", "items": {"type": "object"}},
    },
}


def candidate_text(assignment: Assignment) -> str:
    """A candidate that keeps what the plan states about its form: format, shape, structured checks, quoted phrases."""
    task = assignment.task
    if promises_json(task.output.format) or any(check.HasField("json_schema") for check in task.validation.checks):
        return _json_text(task)
    return _document(assignment)


def rejectable_text(assignment: Assignment) -> str:
    """A candidate that will not pass: JSON that breaks off in a word, or a text with a marker the mock judge seeks.

    It names the attempt, so that two rejected candidates of a task are not taken for one that makes no progress.
    """
    said = f"{MARKER} task {assignment.task.task_id}, attempt {assignment.attempt}"
    return json.dumps({"rejected": said})[:-2] if promises_json(assignment.task.output.format) else said


# ---------------------------------------------------------------- JSON


def _json_text(task: plan_pb2.TaskSpec) -> str:
    shortest, longest = _length_bounds(task.validation.checks)
    text = json.dumps(_json_value(task), ensure_ascii=False, indent=2)
    if len(text) > longest:
        text = json.dumps(_json_value(task, brief=True), ensure_ascii=False, separators=(",", ":"))
    padding = min(shortest, _MAX_PAD_CHARS) - len(text)
    return text[:1] + " " * padding + text[1:] if padding > 0 else text


def _json_value(task: plan_pb2.TaskSpec, *, brief: bool = False) -> Any:
    checks = task.validation.checks
    schema = _schema_of(checks) or shape_schema(task.output.format) or _ANY_OBJECT
    topic = _one_line(task.description)[:_TOPIC_CHARS]
    sampler = Sampler(root=schema, topic=topic, phrases=_wanted_texts(task), brief=brief)
    value = sampler.instance(schema)
    for key in (key for check in checks for key in check.required_keys.keys):
        _set(value, key.split("."), sampler)
    return value


def _schema_of(checks: Iterable[plan_pb2.Check]) -> Mapping[str, Any] | None:
    return next((_parsed(check.json_schema.schema_json) for check in checks if check.HasField("json_schema")), None)


@functools.lru_cache(maxsize=256)
def _parsed(schema_json: str) -> Mapping[str, Any] | None:
    try:
        schema = parse_json(schema_json)
    except ValueError:
        return None  # the validator says what is wrong with it
    return schema if isinstance(schema, dict) else None


def _set(value: Any, path: list[str], sampler: Sampler) -> None:
    """Gives an object the key at the path, with the objects above it, unless it is there."""
    for step in path[:-1]:
        if not isinstance(value, dict):
            return
        value = value.setdefault(step, {})
    if isinstance(value, dict) and path[-1] not in value:
        value[path[-1]] = sampler.instance({"type": "string"}, path[-1])


# ---------------------------------------------------------------- documents


def _document(assignment: Assignment) -> str:
    task = assignment.task
    lines = [f"# {_one_line(task.description) or task.task_id}", "", f"> {_one_line(assignment.idea)}", "", _NOTE]
    lines += ["", "## Inputs", "", *_input_lines(assignment)]
    lines += ["", f"## {_one_line(task.output.description) or 'Result'}", ""]
    lines += [f"- {_one_line(text)}" for text in _wanted_texts(task)] or ["- Nothing more is asked for."]
    if assignment.feedback is not None:
        lines += ["", "## Changed since the last attempt", "", _one_line(assignment.feedback.summary)]
    return _fitted("\n".join(lines) + "\n", task.validation.checks)


def _input_lines(assignment: Assignment) -> list[str]:
    lines = [f"- {artifact.name or artifact.task_id} ({artifact.digest[:12]})" for artifact in assignment.inputs]
    lines += [f"- {omitted.name}: not available" for omitted in assignment.omitted]
    return lines or ["- none"]


def _wanted_texts(task: plan_pb2.TaskSpec) -> list[str]:
    """Phrases that criteria quote, and a match for each pattern, to be put into the output."""
    phrases = [phrase for criterion in task.validation.criteria for phrase in phrases_in(criterion).required]
    patterns = [
        check.regex.pattern for check in task.validation.checks if check.HasField("regex") and not check.regex.absent
    ]
    return [*phrases, *filter(None, map(_sample, patterns))]


_sample = functools.lru_cache(maxsize=256)(matching_text)


def _fitted(text: str, checks: Iterable[plan_pb2.Check]) -> str:
    """The text with matches for anchored patterns at its ends, and within the length the checks ask for."""
    patterns = [check.regex.pattern for check in checks if check.HasField("regex") and not check.regex.absent]
    head = next((_sample(p) for p in patterns if p.startswith(("^", r"\A")) and not re.match(p, text)), "")
    tail = next((_sample(p) for p in patterns if p.endswith(("$", r"\Z"))), "")
    shortest, longest = _length_bounds(checks)
    body = f"{head}\n{text}" if head else text
    missing = min(shortest, _MAX_PAD_CHARS) - len(body) - len(tail)
    if missing > 0:
        body += (_FILLER * math.ceil(missing / len(_FILLER)))[: missing - 1] + "."  # no white space that could be cut
    return body[: max(0, longest - len(tail))] + tail


def _length_bounds(checks: Iterable[plan_pb2.Check]) -> tuple[int, int]:
    """The least and the largest number of characters that all length checks allow."""
    lengths = [check.length for check in checks if check.HasField("length")]
    shortest = max((length.min_chars for length in lengths), default=0)
    longest = min((length.max_chars for length in lengths if length.HasField("max_chars")), default=_MAX_PAD_CHARS)
    return shortest, longest


def _one_line(text: str) -> str:
    return " ".join(text.split())
