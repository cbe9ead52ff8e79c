"""Reader and writer of the `inputs` of a plan: what an execution of it is given at its start."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from planner_svc.diagnostics import Diagnostics, described, quoted
from planner_svc.model import InputKind, PlanInput
from planner_svc.read.exact import ExactPlan
from planner_svc.read.field_names import FieldNames, is_right
from planner_svc.read.fields import Fields
from planner_svc.read.vocabulary import PLAN_INPUT
from signoff.plan.inputs import NAME_RULE, is_input_name
from signoff.plan.limits import MAX_INPUT_TEXT_BYTES, MAX_INPUT_TEXTS_BYTES, MAX_PLAN_INPUTS
from signoff.schemas.numbers import json_text, may_lack_digits

MAX_DESCRIPTION_CHARS = 2_000
MAX_PATH_CHARS = 4_096

_FIELD = "inputs"
_KINDS = tuple(kind.value for kind in InputKind)


def inputs_from_json(raw: object, exact: ExactPlan, diagnostics: Diagnostics) -> tuple[PlanInput, ...]:
    """malformed-input: reads the inputs of the plan, in its order. One that is wrong is left out."""

    def blame(place: str, message: str) -> None:
        diagnostics.add("malformed-input", f"{place}: {message}", path=place)

    if raw is None:
        return ()
    if not isinstance(raw, dict) or len(raw) > MAX_PLAN_INPUTS:
        got = f"{len(raw):,}" if isinstance(raw, dict) else described(raw)
        blame(_FIELD, f"expected an object with at most {MAX_PLAN_INPUTS} inputs by their names, but got {got}")
        return ()
    read = [_input(name, value, exact, diagnostics) for name, value in raw.items()]
    inputs = tuple(declared for declared in read if declared is not None)
    size = sum(len(declared.value.encode()) for declared in inputs if declared.value is not None)
    if size > MAX_INPUT_TEXTS_BYTES:
        blame(_FIELD, f"expected at most {MAX_INPUT_TEXTS_BYTES:,} bytes of texts and JSON, but got {size:,}")
    return inputs


def _input(name: str, raw: Any, exact: ExactPlan, diagnostics: Diagnostics) -> PlanInput | None:
    """Reads one input. Returns None after reporting that its name or its kind is wrong."""
    place, wrong = f"{_FIELD}.{name}", list[str]()

    def add(code: str, field: str, message: str) -> None:
        wrong.append(field)
        diagnostics.add(code, f"{field}: {message}", path=field)

    blame = partial(add, "malformed-input")
    if not is_input_name(name):
        blame(_FIELD, f"expected names of {NAME_RULE}, but got {quoted(name)}")
        return None
    if isinstance(raw, dict) and not is_right(raw, PLAN_INPUT):
        raw = FieldNames(diagnostics, add).put_right(raw, PLAN_INPUT, place)
    fields = Fields(raw, place, blame, f"an object with one of {', '.join(_KINDS)}")
    fields.only(PLAN_INPUT.fields)
    found = [kind for kind in InputKind if isinstance(raw, dict) and kind.value in raw]
    if len(found) != 1 and isinstance(raw, dict):
        got = " and ".join(kind.value for kind in found) or "none of them"
        blame(place, f"expected one of {', '.join(_KINDS)}, but got {got}")
    description = fields.read("description", _description, "")
    if len(found) != 1 or wrong:
        return None
    kind = found[0]
    if kind in (InputKind.FILE, InputKind.FOLDER):
        path = fields.read(kind.value, partial(_path, may_be_pattern=kind is InputKind.FILE), "")
        return PlanInput(name, kind, description, path)
    read = _text if kind is InputKind.TEXT else partial(_json, name=name, exact=exact)
    return PlanInput(name, kind, description, "", fields.read(kind.value, read, None))


def _description(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_DESCRIPTION_CHARS:
        raise ValueError(f"expected a text of at most {MAX_DESCRIPTION_CHARS:,} characters, but got {described(value)}")
    return value


def _path(value: object, *, may_be_pattern: bool) -> str:
    """Reads a path or a pattern. It stays in the plan's folder, so that a plan of others reads no other files."""
    what = "a path, or a pattern of files" if may_be_pattern else "the path of a folder"
    if not isinstance(value, str) or not value or len(value) > MAX_PATH_CHARS or not value.isprintable():
        raise ValueError(f"expected {what}, but got {described(value)}")
    parts = [part for part in value.split("/") if part not in ("", ".")]
    # guard: a plan's own paths stay in its folder -> if False:
    if value.startswith(("/", "~")) or ".." in parts or "\\" in value or ":" in value[:2]:
        raise ValueError(
            f'expected {what} below the plan\'s folder, without "..", but got {quoted(value)}: '
            "give another place with --input"
        )
    return "/".join(parts) or "."


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, but got {described(value)}")
    return _short_enough(value)


def _json(value: object, *, name: str, exact: ExactPlan) -> str:
    """Reads JSON of any kind, with all digits of its numbers."""
    return _short_enough(json_text(exact.json_of_input(name) if may_lack_digits(value) else value))


def _short_enough(text: str) -> str:
    if (size := len(text.encode())) > MAX_INPUT_TEXT_BYTES:
        raise ValueError(f"expected at most {MAX_INPUT_TEXT_BYTES:,} bytes, but got {size:,}: use a file")
    return text


def input_to_json(declared: PlanInput) -> tuple[str, dict[str, Any]]:
    """Returns the name and the object of an input, as a plan has them."""
    value: Any = declared.path or None
    if declared.value is not None:
        value = json.loads(declared.value) if declared.kind is InputKind.JSON else declared.value
    said = {"description": declared.description} if declared.description else {}
    return declared.name, {declared.kind.value: value, **said}
