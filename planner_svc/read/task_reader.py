"""The careful way to read a task: every mistake in it is reported with its path.

A field of a wrong type counts as absent from then on, so that one mistake causes one diagnostic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from planner_svc.checks.file_checks import no_such_file
from planner_svc.checks.formats import broken_schema, format_check, unclear_format
from planner_svc.checks.kinds import Check, JsonSchemaCheck
from planner_svc.checks.structured import Effort, check_from_json
from planner_svc.criteria.criteria import checks_of_criteria
from planner_svc.diagnostics import Diagnostics, described, quoted
from planner_svc.model import Budget, ExecutorSpec, OnFailure, Task, TaskInput, TaskOutput, Validation
from planner_svc.read.exact import ExactPlan
from planner_svc.read.field_names import FieldNames, is_right
from planner_svc.read.fields import Fields, flag
from planner_svc.read.object_types import ObjectType
from planner_svc.read.output_files import (
    FILES_BY_MODEL,
    files_from_json,
    has_no_text,
    is_made_by_a_model,
)
from planner_svc.read.sizes import (
    MAX_TASK_BYTES,
    MAX_TEXT_BYTES,
    SURELY_SHORT,
    size_beyond,
)
from planner_svc.read.specs import budget_from_json, canaries_from_json, executor_from_json, judge_from_json
from planner_svc.read.vocabulary import TASK
from signoff.plan.limits import MAX_CHECKS, MAX_CRITERIA
from signoff.schemas.numbers import has_fractions, json_text, may_lack_digits

_MAX_BLAMED_ID = 128  # a longer id is itself a mistake, and blamed by its path


class TaskReader:
    """Reads the plan's own fields, then one task after another, and reports mistakes with the path of the task."""

    def __init__(self, diagnostics: Diagnostics, exact: ExactPlan) -> None:
        self._diagnostics = diagnostics
        self._names = FieldNames(diagnostics, self._blame)
        self._exact = exact
        self._position = -1  # -1 is the plan itself
        self._task_id = ""

    def task(self, raw: Any, position: int) -> Task | None:
        """Reads the task at a position. Returns None when it has no id to name it by."""
        self._position, self._task_id = position, ""
        if not isinstance(raw, dict):
            self._wrong_type("", "an object", raw)
            return None
        self._task_id = named if isinstance(named := raw.get("task_id"), str) else ""
        raw = self.put_right(raw, TASK)
        task_id = raw.get("task_id")
        if not isinstance(task_id, str):
            self._wrong_type("task_id", "a text", task_id)
            return None
        self._task_id = task_id
        task = Task(
            task_id=task_id,
            description=self.text(raw, "description"),
            dependencies=self._texts(raw, "dependencies"),
            parent_id=self.text(raw, "parent_id"),
            input=self._input(raw),
            output=(output := self._output(raw)),
            validation=self._validation(raw, output),
            position=position,
            executor=self._executor(raw),
            budget=self._budget(raw),
            on_failure=self.on_failure(raw),
        )
        self._check_size(task)
        return task

    def put_right(self, raw: dict[str, Any], object_type: ObjectType) -> dict[str, Any]:
        """Returns the plan or a task with the right names of all its fields. Misspelt names are reported."""
        return raw if is_right(raw, object_type) else self._names.put_right(raw, object_type, "")

    def text(self, raw: dict[str, Any], key: str, within: str = "") -> str:
        """Returns the text under a key; the empty text when there is none."""
        value = raw.get(key)
        if value is None:
            return ""
        if isinstance(value, str) and len(value) <= SURELY_SHORT:
            return value
        return self._checked_text(value, within, key)

    def _checked_text(self, value: Any, within: str, key: str) -> str:
        if not isinstance(value, str):
            self._wrong_type(within + key, "a text", value)
            return ""
        if len(value) > SURELY_SHORT and len(value.encode()) > MAX_TEXT_BYTES:
            message = f"expected at most {MAX_TEXT_BYTES:,} bytes, but got {len(value.encode()):,}"
            self._blame("text-too-long", within + key, message)
            return ""
        return value

    def _texts(self, raw: dict[str, Any], key: str, within: str = "") -> tuple[str, ...]:
        values = raw.get(key)
        if not values and (values is None or values == []):
            return ()
        if not isinstance(values, list):
            self._wrong_type(within + key, "a list of texts", values)
            return ()
        if all(isinstance(value, str) and len(value) <= SURELY_SHORT for value in values):
            return tuple(values)
        checked = [self._checked_text(value, within, f"{key}[{n}]") for n, value in enumerate(values)]
        return tuple(text for text, value in zip(checked, values, strict=True) if text == value)

    def _object(self, raw: dict[str, Any], key: str) -> dict[str, Any] | None:
        """Returns the object under a key. A value of a wrong type counts as an empty object, for one was meant."""
        value = raw.get(key)
        if value is None or isinstance(value, dict):
            return value
        self._wrong_type(key, "an object", value)
        return {}

    def _input(self, raw: dict[str, Any]) -> TaskInput | None:
        value = self._object(raw, "input")
        if value is None:
            return None
        return TaskInput(
            description=self.text(value, "description", "input."),
            artifacts=self._texts(value, "artifacts", "input."),
            parameters_json=self._parameters(value),
        )

    def _parameters(self, raw: dict[str, Any]) -> str:
        value = raw.get("parameters")
        if not value and (value is None or value == [] or value == {}):
            return ""
        try:
            text = json_text(self._exact.parameters(self._position) if may_lack_digits(value) else value)
        except ValueError:
            self._blame("wrong-type", "input.parameters", "expected numbers that a double can hold")
            return ""
        return self._checked_text(text, "input.", "parameters")

    def _output(self, raw: dict[str, Any]) -> TaskOutput | None:
        value = self._object(raw, "output")
        if value is None:
            return None
        output = TaskOutput(
            description=self.text(value, "description", "output."),
            artifact=self.text(value, "artifact", "output."),
            format=self.text(value, "format", "output."),
            files=files_from_json(value.get("files"), partial(self._blame, "malformed-output")),
        )
        if output.files and is_made_by_a_model(raw.get("executor")):
            self._blame("files-by-model", "output.files", FILES_BY_MODEL)
        unclear = unclear_format(output.format) if raw.get("input") is not None and not output.files else ""
        if unclear:
            self._blame("unclear-format", "output.format", unclear)
        return output

    def _validation(self, raw: dict[str, Any], output: TaskOutput | None) -> Validation | None:
        value = self._object(raw, "validation")
        if value is None:
            by_format = self._by_format(output, ())
            return Validation(checks=by_format) if by_format else None
        blame = partial(self._blame, "malformed-validation")
        fields = Fields(value, "validation", blame)
        criteria = self._criteria(value)
        makes_checks = fields.read("worded_checks", flag, True) and not has_no_text(output)
        from_criteria = checks_of_criteria(criteria, output.format) if makes_checks and output is not None else ()
        checks = tuple(self._checks(value, output))
        return Validation(
            description=self.text(value, "description", "validation."),
            criteria=criteria,
            checks=(*checks, *(self._by_format(output, checks) if makes_checks else ()), *from_criteria),
            judge=judge_from_json(fields.raw("judge"), "validation.judge", blame) if fields.has("judge") else None,
            human=fields.read("human", flag, False),
            canaries=canaries_from_json(fields.raw("canaries"), "validation.canaries", blame),
        )

    def _by_format(self, output: TaskOutput | None, stated: Iterable[Check]) -> tuple[Check, ...]:
        """Returns the check of the shape that the format states. A schema among the plan's own checks replaces it."""
        if output is None or not output.format or output.files:  # the format of files is for readers
            return ()
        if any(isinstance(check, JsonSchemaCheck) for check in stated):
            return ()
        try:
            check = format_check(output.format)
        except ValueError as error:
            self._blame("unclear-format", "output.format", broken_schema(output.format, error))
            return ()
        # guard: shapes are promises -> return ()
        return (check,) if check is not None else ()

    def _criteria(self, raw: dict[str, Any]) -> tuple[str, ...]:
        criteria = self._texts(raw, "criteria", "validation.")
        if len(criteria) > MAX_CRITERIA:
            message = f"expected at most {MAX_CRITERIA:,} criteria, but got {len(criteria):,}"
            self._blame("malformed-validation", "validation.criteria", message)
            return ()
        return criteria

    def _checks(self, raw: dict[str, Any], output: TaskOutput | None) -> Iterator[Check]:
        values = raw.get("checks")
        if values is None:
            return
        if not isinstance(values, list):
            self._wrong_type("validation.checks", "a list of checks", values)
            return
        if len(values) > MAX_CHECKS:
            message = f"expected at most {MAX_CHECKS:,} checks, but got {len(values):,}"
            self._blame("malformed-check", "validation.checks", message)
            return
        effort = Effort()
        for n, value in enumerate(values):
            try:
                check = check_from_json(self._with_all_digits(value, n), effort)
            except ValueError as error:
                self._blame("malformed-check", f"validation.checks[{n}]", str(error))
                continue
            if problem := no_such_file(check, output.files if output is not None else ()):
                self._blame("malformed-check", f"validation.checks[{n}].{problem[0]}", problem[1])
            yield check

    def _with_all_digits(self, check: Any, n: int) -> Any:
        """Returns a check with all digits of its schema's fractions: the parser made floats of them."""
        if not isinstance(check, dict) or check.get("type") != "json_schema" or not has_fractions(check.get("schema")):
            return check
        return self._exact.check(self._position, n)

    def _executor(self, raw: dict[str, Any]) -> ExecutorSpec | None:
        value = raw.get("executor")
        if value is None:
            return None
        return executor_from_json(value, "executor", partial(self._blame, "malformed-executor"))

    def _budget(self, raw: dict[str, Any]) -> Budget | None:
        value = raw.get("budget")
        if value is None:
            return None
        return budget_from_json(value, "budget", partial(self._blame, "malformed-budget"))

    def on_failure(self, raw: dict[str, Any]) -> OnFailure | None:
        value = raw.get("on_failure")
        if value is None:
            return None
        try:
            return OnFailure(value)
        except ValueError:
            known = " or ".join(quoted(choice.value) for choice in OnFailure)
            got = quoted(value) if isinstance(value, str) else described(value)
            self._blame("malformed-on-failure", "on_failure", f"expected {known}, but got {got}")
            return None

    def _check_size(self, task: Task) -> None:
        size = size_beyond(task, MAX_TASK_BYTES)
        if size:
            self._blame("task-too-large", "", f"expected at most {MAX_TASK_BYTES:,} bytes in all, but got {size:,}")

    def _wrong_type(self, field: str, expected: str, value: object) -> None:
        self._blame("wrong-type", field, f"expected {expected}, but got {described(value)}")

    def _blame(self, code: str, field: str, message: str) -> None:
        if self._position < 0:
            self._diagnostics.add(code, f"{field}: {message}", path=field)
            return
        path = f"tasks[{self._position}]" + (f".{field}" if field else "")
        task_ids = [self._task_id] if self._task_id and len(self._task_id) <= _MAX_BLAMED_ID else []
        self._diagnostics.add(code, f"{path}: {message}", task_ids=task_ids, path=path, position=self._position)
