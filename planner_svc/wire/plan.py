"""Conversion of tasks and diagnostics to and from their protobuf messages."""

from __future__ import annotations

from planner_svc.diagnostics import Diagnostic, Severity
from planner_svc.model import (
    Budget,
    Canary,
    CommandSpec,
    ExecutorSpec,
    InputKind,
    JudgeSpec,
    OnFailure,
    PlanInput,
    Task,
    TaskInput,
    TaskOutput,
    Validation,
)
from planner_svc.wire.checks import check_from_proto, check_to_proto
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
    """Returns an atomic task, without its position in the plan, which is not on the wire."""
    return Task(
        task_id=spec.task_id,
        description=spec.description,
        input=TaskInput(
            description=spec.input.description,
            artifacts=tuple(spec.input.artifacts),
            parameters_json=spec.input.parameters_json,
            with_dependencies=spec.input.with_dependencies,
        ),
        output=TaskOutput(
            description=spec.output.description,
            artifact=spec.output.artifact,
            format=spec.output.format,
            files=tuple(spec.output.files),
        ),
        validation=_validation_from_proto(spec.validation) if spec.HasField("validation") else None,
        executor=_executor_from_proto(spec.executor) if spec.HasField("executor") else None,
        budget=budget_from_proto(spec.budget) if spec.HasField("budget") else None,
        on_failure=on_failure_from_proto(spec.on_failure),
    )


def validation_to_proto(validation: Validation) -> plan_pb2.Validation:
    return plan_pb2.Validation(
        description=validation.description,
        criteria=validation.criteria,
        checks=[check_to_proto(check) for check in validation.checks],
        judge=_judge_to_proto(validation.judge) if validation.judge is not None else None,
        human=validation.human,
        canaries=[plan_pb2.Canary(candidate=canary.candidate, good=canary.good) for canary in validation.canaries],
    )


def _validation_from_proto(message: plan_pb2.Validation) -> Validation:
    return Validation(
        description=message.description,
        criteria=tuple(message.criteria),
        checks=tuple(check_from_proto(check) for check in message.checks),
        judge=_judge_from_proto(message.judge) if message.HasField("judge") else None,
        human=message.human,
        canaries=tuple(Canary(canary.candidate, canary.good) for canary in message.canaries),
    )


def _judge_to_proto(judge: JudgeSpec) -> plan_pb2.JudgeSpec:
    labels = dict(judge.labels)
    return plan_pb2.JudgeSpec(
        model=judge.model, labels=labels, votes=judge.votes, needed=judge.needed, images=judge.images
    )


def _judge_from_proto(message: plan_pb2.JudgeSpec) -> JudgeSpec:
    labels = tuple(sorted(message.labels.items()))
    return JudgeSpec(message.model, labels, message.votes, message.needed, message.images)


# ---------------------------------------------------------------- failures

_ON_FAILURE = {
    OnFailure.CONTINUE: plan_pb2.ON_FAILURE_CONTINUE,
    OnFailure.STOP: plan_pb2.ON_FAILURE_STOP,
}


def on_failure_to_proto(on_failure: OnFailure | None) -> plan_pb2.OnFailure.ValueType:
    return plan_pb2.ON_FAILURE_UNSPECIFIED if on_failure is None else _ON_FAILURE[on_failure]


def on_failure_from_proto(number: int) -> OnFailure | None:
    return next((value for value, known in _ON_FAILURE.items() if known == number), None)


# ---------------------------------------------------------------- inputs of the plan

_KINDS = {
    InputKind.FILE: plan_pb2.INPUT_KIND_FILE,
    InputKind.FOLDER: plan_pb2.INPUT_KIND_FOLDER,
    InputKind.TEXT: plan_pb2.INPUT_KIND_TEXT,
    InputKind.JSON: plan_pb2.INPUT_KIND_JSON,
}


def input_to_proto(declared: PlanInput) -> plan_pb2.PlanInput:
    return plan_pb2.PlanInput(
        name=declared.name,
        kind=_KINDS[declared.kind],
        description=declared.description,
        path=declared.path,
        text=declared.value if declared.kind is InputKind.TEXT else None,
        json=declared.value if declared.kind is InputKind.JSON else None,
    )


def input_from_proto(message: plan_pb2.PlanInput) -> PlanInput:
    kind = next(kind for kind, number in _KINDS.items() if number == message.kind)
    value = message.text if message.HasField("text") else message.json if message.HasField("json") else None
    return PlanInput(message.name, kind, message.description, message.path, value)


# ---------------------------------------------------------------- budgets


def budget_to_proto(budget: Budget) -> plan_pb2.Budget:
    return plan_pb2.Budget(tokens=budget.tokens, cost_nanos=budget.cost_nanos)


def budget_from_proto(message: plan_pb2.Budget) -> Budget:
    return Budget(
        tokens=message.tokens if message.HasField("tokens") else None,
        cost_nanos=message.cost_nanos if message.HasField("cost_nanos") else None,
    )


# ---------------------------------------------------------------- executors


def executor_to_proto(spec: ExecutorSpec) -> plan_pb2.ExecutorSpec:
    message = plan_pb2.ExecutorSpec(
        name=spec.name,
        labels=dict(spec.labels),
        model=spec.model,
        escalation=spec.escalation,
        max_failures=spec.max_failures,
        temperature=spec.temperature,
        max_tokens=spec.max_tokens,
    )
    if spec.run_timeout is not None:
        message.run_timeout.FromTimedelta(spec.run_timeout)
    if spec.idle_timeout is not None:
        message.idle_timeout.FromTimedelta(spec.idle_timeout)
    if spec.outage_patience is not None:
        message.outage_patience.FromTimedelta(spec.outage_patience)
    if spec.command is not None:
        message.command.MergeFrom(plan_pb2.CommandSpec(argv=spec.command.argv, memory_bytes=spec.command.memory_bytes))
    return message


def _executor_from_proto(message: plan_pb2.ExecutorSpec) -> ExecutorSpec:
    return ExecutorSpec(
        name=message.name,
        labels=tuple(sorted(message.labels.items())),
        model=message.model,
        escalation=tuple(message.escalation),
        run_timeout=message.run_timeout.ToTimedelta() if message.HasField("run_timeout") else None,
        idle_timeout=message.idle_timeout.ToTimedelta() if message.HasField("idle_timeout") else None,
        outage_patience=message.outage_patience.ToTimedelta() if message.HasField("outage_patience") else None,
        max_failures=message.max_failures if message.HasField("max_failures") else None,
        temperature=message.temperature if message.HasField("temperature") else None,
        max_tokens=message.max_tokens if message.HasField("max_tokens") else None,
        command=_command_from_proto(message.command) if message.HasField("command") else None,
    )


def _command_from_proto(message: plan_pb2.CommandSpec) -> CommandSpec:
    return CommandSpec(argv=tuple(message.argv), memory_bytes=message.memory_bytes)
