"""The planner's border: tasks, checks and diagnostics to and from their protobuf messages."""

from __future__ import annotations

from planner_svc.diagnostics import Diagnostic, Severity
from planner_svc.model import (
    Check,
    JsonCheck,
    JsonSchemaCheck,
    LengthCheck,
    RegexCheck,
    RequiredKeysCheck,
    Task,
    TaskInput,
    TaskOutput,
    Validation,
)
from signoff.v1 import plan_pb2

# ---------------------------------------------------------------- diagnostics

_SEVERITIES = {
    Severity.WARNING: plan_pb2.SEVERITY_WARNING,
    Severity.ERROR: plan_pb2.SEVERITY_ERROR,
}


def diagnostic_to_proto(diagnostic: Diagnostic) -> plan_pb2.Diagnostic:
    return plan_pb2.Diagnostic(
        code=diagnostic.code,
        severity=_SEVERITIES[diagnostic.severity],
        task_ids=diagnostic.task_ids,
        message=diagnostic.message,
        path=diagnostic.path,
    )


def diagnostic_from_proto(message: plan_pb2.Diagnostic) -> Diagnostic:
    severities = {number: severity for severity, number in _SEVERITIES.items()}
    return Diagnostic(
        code=message.code,
        severity=severities[message.severity],
        task_ids=tuple(message.task_ids),
        message=message.message,
        path=message.path,
    )


# ---------------------------------------------------------------- tasks


def spec_from_proto(spec: plan_pb2.TaskSpec) -> Task:
    """An atomic task; where it stood in the plan is not on the wire."""
    return Task(
        task_id=spec.task_id,
        description=spec.description,
        input=TaskInput(
            description=spec.input.description,
            artifacts=tuple(spec.input.artifacts),
            parameters_json=spec.input.parameters_json,
        ),
        output=TaskOutput(
            description=spec.output.description, artifact=spec.output.artifact, format=spec.output.format
        ),
        validation=_validation_from_proto(spec.validation) if spec.HasField("validation") else None,
    )


def validation_to_proto(validation: Validation) -> plan_pb2.Validation:
    return plan_pb2.Validation(
        description=validation.description,
        criteria=validation.criteria,
        checks=[check_to_proto(check) for check in validation.checks],
    )


def _validation_from_proto(message: plan_pb2.Validation) -> Validation:
    return Validation(
        description=message.description,
        criteria=tuple(message.criteria),
        checks=tuple(check_from_proto(check) for check in message.checks),
    )


def check_to_proto(check: Check) -> plan_pb2.Check:
    match check:
        case JsonCheck():
            return plan_pb2.Check(json=plan_pb2.JsonCheck())
        case JsonSchemaCheck():
            return plan_pb2.Check(json_schema=plan_pb2.JsonSchemaCheck(schema_json=check.schema_json))
        case RequiredKeysCheck():
            return plan_pb2.Check(required_keys=plan_pb2.RequiredKeysCheck(keys=check.keys))
        case RegexCheck():
            return plan_pb2.Check(regex=plan_pb2.RegexCheck(pattern=check.pattern, absent=check.absent))
        case LengthCheck():
            return plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=check.min_chars, max_chars=check.max_chars))


def check_from_proto(message: plan_pb2.Check) -> Check:
    match message.WhichOneof("kind"):
        case "json_schema":
            return JsonSchemaCheck(schema_json=message.json_schema.schema_json)
        case "required_keys":
            return RequiredKeysCheck(keys=tuple(message.required_keys.keys))
        case "regex":
            return RegexCheck(pattern=message.regex.pattern, absent=message.regex.absent)
        case "length":
            length = message.length
            return LengthCheck(
                min_chars=length.min_chars, max_chars=length.max_chars if length.HasField("max_chars") else None
            )
        case _:
            return JsonCheck()
