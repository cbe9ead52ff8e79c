"""The uses of the plan's inputs: tasks read them as artifacts, and texts have places for their values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from planner_svc.checks.structured import check_to_json
from planner_svc.diagnostics import Diagnostics, listed, quoted
from planner_svc.model import InputKind, Plan, Task
from planner_svc.read.places import entry_of, field_of
from signoff.plan.inputs import PLACE

_TEXTS = (InputKind.TEXT, InputKind.JSON)
_OPEN = "{{"


class _Text(NamedTuple):
    """A text of the plan that may have places for inputs."""

    path: str
    text: str
    instead: str = ""  #: why nothing is put into it, and what to do; empty: inputs are put into it


def check_inputs(plan: Plan, tasks: Sequence[Task], diagnostics: Diagnostics) -> None:
    """unknown-input, misplaced-input, unread-input, ambiguous-producer: checks the uses of the plan's inputs."""
    used = set[str]()
    if plan.has_places:
        for text in _texts_of_plan(plan.idea):
            _check_places(plan, None, text, used, diagnostics)
        for task in tasks:
            for text in _texts_of(task):
                _check_places(plan, task, text, used, diagnostics)
    if plan.inputs:
        _check_names(plan, tasks, used, diagnostics)


def _check_places(plan: Plan, task: Task | None, text: _Text, used: set[str], diagnostics: Diagnostics) -> None:
    """Checks the places of one text, and notes the inputs that they name."""
    if _OPEN not in text.text:
        return
    kinds = {declared.name: declared.kind for declared in plan.inputs}
    for name in dict.fromkeys(PLACE.findall(text.text)):
        used.add(name)
        place = f"{{{{inputs.{name}}}}}"
        # guard: a place names an input of the plan -> if False:
        if name not in kinds:
            known = f"the plan has {listed(list(kinds))}" if kinds else "the plan has none"
            _report(
                "unknown-input",
                f"expected an input of the plan in {quoted(place)}, but {known}",
                task,
                text,
                diagnostics,
            )
        elif text.instead:
            _report("misplaced-input", f"{quoted(place)} {text.instead}", task, text, diagnostics)
        elif kinds[name] not in _TEXTS:
            message = f"{quoted(place)} is a {kinds[name].value}, which no text can hold: name it in input.artifacts"
            _report("misplaced-input", message, task, text, diagnostics)


def _report(code: str, message: str, task: Task | None, text: _Text, diagnostics: Diagnostics) -> None:
    if task is None:
        diagnostics.add(code, f"{text.path}: {message}", path=text.path)
        return
    path = f"tasks[{task.position}].{text.path}"
    diagnostics.add(code, f"{path}: {message}", task_ids=[task.task_id], path=path, position=task.position)


def _check_names(plan: Plan, tasks: Sequence[Task], used: set[str], diagnostics: Diagnostics) -> None:
    """Reports inputs that tasks make as well, and those that no task reads."""
    names = {declared.name for declared in plan.inputs}
    for task in tasks:
        made = task.output.artifact if task.output is not None else ""
        if made in names:
            path = f"tasks[{task.position}].output.artifact"
            message = f"{quoted(made)} is an input of the plan: {task.task_id} cannot make an artifact of that name"
            diagnostics.add("ambiguous-producer", message, task_ids=[task.task_id], path=path, position=task.position)
        if task.input is not None:
            used.update(names.intersection(task.input.artifacts))
    for name in (declared.name for declared in plan.inputs if declared.name not in used):
        diagnostics.add("unread-input", f"no task reads the input {quoted(name)}", path=f"inputs.{name}")


# ---------------------------------------------------------------- texts

_NOT_HERE = "is not filled in here"
_IN_ARGV = f"{_NOT_HERE}: write {{input:NAME}} for the path of a file, and name the input in input.artifacts"
_FILLED_CHECKS = frozenset({"phrases", "phrase"})  # fields of checks that compare texts as they are


def _texts_of_plan(idea: str) -> Iterator[_Text]:
    yield _Text("idea", idea)


def _texts_of(task: Task) -> Iterator[_Text]:
    yield _Text("description", task.description)
    if task.input is not None:
        yield _Text("input.description", task.input.description)
        yield from _texts_of_parameters(task.input.parameters_json)
        for n, name in enumerate(task.input.artifacts):
            yield _Text(f"input.artifacts[{n}]", name, _NOT_HERE)
    if task.output is not None:
        yield _Text("output.description", task.output.description)
        yield _Text("output.artifact", task.output.artifact, _NOT_HERE)
        yield _Text("output.format", task.output.format, f"{_NOT_HERE}: the format decides the checks")
        for n, pattern in enumerate(task.output.files):
            yield _Text(f"output.files[{n}]", pattern, _NOT_HERE)
    if task.validation is not None:
        yield _Text("validation.description", task.validation.description)
        for n, criterion in enumerate(task.validation.criteria):
            yield _Text(f"validation.criteria[{n}]", criterion)
        yield from _texts_of_checks(task)
    if task.executor is not None:
        yield _Text("executor.model", task.executor.model, _NOT_HERE)
        for n, argument in enumerate(task.executor.command.argv if task.executor.command is not None else ()):
            yield _Text(f"executor.command.argv[{n}]", argument, _IN_ARGV)


def _texts_of_parameters(parameters_json: str) -> Iterator[_Text]:
    if _OPEN in parameters_json or "\\u007b" in parameters_json.lower():
        for path, text, is_key in _strings(json.loads(parameters_json), "input.parameters"):
            yield _Text(path, text, f"{_NOT_HERE}: it is a name" if is_key else "")


def _texts_of_checks(task: Task) -> Iterator[_Text]:
    """Yields the texts of checks. Those that were tried out when the plan was compiled stay as they are."""
    checks = task.validation.checks if task.validation is not None else ()
    own = [check for check in checks if any(_OPEN in text for text in (check.file, *check.texts))]
    for check in own:
        raw = check_to_json(check)
        place = f"validation.checks[{checks.index(check)}]"
        for field, value in raw.items():
            instead = "" if field in _FILLED_CHECKS else f"{_NOT_HERE}: {field} is read when the plan is compiled"
            if field in ("argv", "command"):
                instead = _IN_ARGV
            for path, text, _ in _strings(value, f"{place}.{field}"):
                yield _Text(path, text, instead)


def _strings(value: Any, path: str) -> Iterator[tuple[str, str, bool]]:
    """Yields each text of a JSON value with its path; also the names of members, which are said to be names."""
    pending = [(value, path)]
    while pending:
        part, place = pending.pop()
        if isinstance(part, str):
            yield place, part, False
        elif isinstance(part, list):
            pending += [(entry, entry_of(place, n)) for n, entry in enumerate(part)]
        elif isinstance(part, dict):
            for name, entry in part.items():
                yield place, name, True
                # guard: a path in parameters is short -> pending.append((entry, f"{place}.{name}"))
                pending.append((entry, field_of(place, name)))
