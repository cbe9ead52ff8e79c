"""Puts the values of inputs into their places in a task's spec, and counts these places.

Places are in the texts that people and models read, in parameters, and in the phrases that checks compare with. The
planner refuses them elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from runner_svc.core.model.inputs import Given, Places, fill_text
from signoff.plan.inputs import PLACE
from signoff.schemas.numbers import exact_json, json_text
from signoff.v1 import plan_pb2 as pb

_OPEN = "{{"
_Put = Callable[[str], str]


def fill_spec(spec: bytes, given: Given) -> bytes:
    """Returns a serialized TaskSpec with the inputs in their places."""
    task = pb.TaskSpec.FromString(spec)

    def put(text: str) -> str:
        return fill_text(text, given)

    _fill_texts(task, put)
    _fill_checks(task.validation, put)
    if _OPEN in task.input.parameters_json:
        filled = _fill_json(exact_json(task.input.parameters_json), given)
        task.input.parameters_json = json_text(filled)
    return task.SerializeToString(deterministic=True)


def places_of(spec: bytes) -> Places:
    """Returns the places in a serialized TaskSpec."""
    task, found, in_checks = pb.TaskSpec.FromString(spec), Counter[str](), Counter[str]()

    def counting(counter: Counter[str]) -> _Put:
        def note(text: str) -> str:
            counter.update(PLACE.findall(text))
            return text

        return note

    _fill_texts(task, counting(found))
    _fill_checks(task.validation, counting(in_checks))
    if _OPEN in task.input.parameters_json:
        found.update(PLACE.findall(task.input.parameters_json))
    return Places(dict(found + in_checks), frozenset(in_checks))


def _fill_texts(task: pb.TaskSpec, put: _Put) -> None:
    for message, field in (
        (task, "description"),
        (task.input, "description"),
        (task.output, "description"),
        (task.validation, "description"),
    ):
        text = getattr(message, field)
        if _OPEN in text:
            setattr(message, field, put(text))
    _fill_list(task.validation.criteria, put)


def _fill_checks(validation: pb.Validation, put: _Put) -> None:
    for check in validation.checks:
        kind = check.WhichOneof("kind")
        if kind == "contains":
            _fill_list(check.contains.phrases, put)
        elif kind in ("starts_with", "ends_with"):
            own = getattr(check, kind)
            if _OPEN in own.phrase:
                own.phrase = put(own.phrase)


def _fill_list(texts: Any, put: _Put) -> None:
    for number, text in enumerate(texts):
        if _OPEN in text:
            texts[number] = put(text)


def _fill_json(value: Any, given: Given) -> Any:
    """Fills the texts of a JSON value. A text that is one place, and nothing else, becomes the JSON that is given."""
    if isinstance(value, str):
        alone = PLACE.fullmatch(value)
        known = given.get(alone[1]) if alone is not None else None
        return exact_json(known.json) if known is not None and known.json is not None else fill_text(value, given)
    if isinstance(value, list):
        return [_fill_json(entry, given) for entry in value]
    if isinstance(value, dict):
        return {name: _fill_json(entry, given) for name, entry in value.items()}
    return value
