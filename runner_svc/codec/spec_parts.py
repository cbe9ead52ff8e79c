"""The parts of a task's spec that its keys are made of (core/model/keys.py).

Each is a named field: what is not named here changes neither what a task makes nor how it is judged. Timeouts,
budgets, priorities, retries and the labels of workers are not. Nor are canaries, which measure the judge. A test
lists the fields without a part, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from google.protobuf import json_format

from runner_svc.core.model.keys import Part, SpecParts
from signoff.plan.named_files import files_named_in
from signoff.plan.specs import executor_name
from signoff.v1 import plan_pb2 as pb


def spec_parts(spec: bytes) -> SpecParts:
    """Returns the parts of a serialized TaskSpec."""
    task = pb.TaskSpec.FromString(spec)
    commands = [check.command.argv for check in task.validation.checks if check.HasField("command")]
    return SpecParts(
        make=_known(_make(task)),
        sign_off=_known(_sign_off(task.validation)),
        runs_files=(_names_files([task.executor.command.argv]), _names_files(commands)),
    )


def _make(task: pb.TaskSpec) -> Iterator[Part]:
    yield "id", task.task_id
    yield "description", task.description
    yield "input", task.input.description
    yield "parameters", task.input.parameters_json
    yield "output", task.output.description
    yield "artifact", task.output.artifact
    yield "format", task.output.format
    # guard: other files are other work -> pass
    yield "files", json.dumps(list(task.output.files)) if task.output.files else ""
    executor = task.executor
    yield "executor", executor_name(task)
    yield "command", json.dumps(list(executor.command.argv)) if executor.command.argv else ""
    yield "memory", str(executor.command.memory_bytes or "")
    yield "model", executor.model
    yield "temperature", repr(executor.temperature) if executor.HasField("temperature") else ""
    yield "max_tokens", str(executor.max_tokens) if executor.HasField("max_tokens") else ""


def _sign_off(validation: pb.Validation) -> Iterator[Part]:
    yield "validation", validation.description
    yield "criteria", json.dumps(list(validation.criteria)) if validation.criteria else ""
    yield "checks", json.dumps([_check(check) for check in validation.checks]) if validation.checks else ""
    judge = validation.judge
    yield "judge", judge.model
    yield "judge's labels", json.dumps(sorted(judge.labels.items())) if judge.labels else ""
    yield "votes", str(judge.votes or "")
    yield "votes needed", str(judge.needed or "")
    # guard: who sees pictures judges otherwise -> pass
    yield "pictures", "shown" if judge.images else ""
    yield "person", "asked" if validation.human else ""


def _check(check: pb.Check) -> str:
    return json.dumps(json_format.MessageToDict(check, preserving_proto_field_name=True), sort_keys=True)


def _known(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple((name, value) for name, value in parts if value)


def _names_files(commands: Iterable[Sequence[str]]) -> bool:
    """Tells whether files of a worker's machine may be part of the work."""
    named = [files_named_in(argv) for argv in commands]
    return any(found.paths or not found.are_all for found in named)
