"""Requirements of a task's spec for its workers, as the core's Requirements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from runner_svc.codec.settings import on_failure_from_proto
from runner_svc.codec.times import optional_seconds
from runner_svc.core.model.pass_rules import USUAL_DEMANDS, Demands
from runner_svc.core.model.requirements import ANY_EXECUTOR, USUAL, Requirement, Requirements
from runner_svc.core.model.values import Role
from signoff.plan.glossary import COMMAND, JUDGE
from signoff.plan.specs import criteria_of, criteria_to_judge, executor_name, own_checks
from signoff.v1 import plan_pb2 as pb


def requirements_of(spec: pb.TaskSpec) -> Requirements:
    """Returns a task's requirements: USUAL itself for a task that asks for nothing unusual, as most do."""
    has_executor, has_validation = spec.HasField("executor"), spec.HasField("validation")
    is_judged_as_usual = not has_validation or _is_judged_as_usual(spec.validation)
    if not has_executor and is_judged_as_usual and not spec.on_failure:
        return USUAL  # to find this out field by field took a fifth of a restart with a large plan
    executor, validation = spec.executor, spec.validation
    requirements = Requirements(
        executors=_executors(spec) if has_executor else (ANY_EXECUTOR,),
        validators=_validators(spec) if has_validation else USUAL.validators,
        human=validation.human,
        run_timeout=optional_seconds(executor, "run_timeout"),
        idle_timeout=optional_seconds(executor, "idle_timeout"),
        max_failures=executor.max_failures if executor.HasField("max_failures") else None,
        max_tokens=executor.max_tokens if executor.HasField("max_tokens") else None,
        outage_patience=optional_seconds(executor, "outage_patience"),
        on_failure=on_failure_from_proto(spec.on_failure),
    )
    return _shared(requirements)


def with_files(requirements: Requirements) -> Requirements:
    """Returns the requirements of a task that makes or reads results of several files."""
    return _shared(requirements.with_files())


def demands_of(spec: pb.TaskSpec) -> Demands:
    """Returns what a verdict must contain to pass the task."""
    if not spec.HasField("validation"):
        return USUAL_DEMANDS
    votes = max(1, spec.validation.judge.votes)
    return _shared_demands(len(criteria_of(spec)), own_checks(spec), len(criteria_to_judge(spec)), votes)


@lru_cache(maxsize=10_000)
def _shared_demands(criteria: int, checks: tuple[int, ...], judged: int, votes: int) -> Demands:
    """Returns one object for equal demands."""
    return Demands(criteria, checks, judged, votes)


def _is_judged_as_usual(validation: pb.Validation) -> bool:
    """Tells whether any validator with a model may judge: no code, no person and no particular judge is asked for."""
    return not (validation.checks or validation.human or validation.HasField("judge"))


@lru_cache(maxsize=10_000)
def _shared(requirements: Requirements) -> Requirements:
    """Returns one object for equal requirements, and USUAL for the usual ones: a plan's tasks ask for few others."""
    return USUAL if requirements == USUAL else requirements


def _executors(spec: pb.TaskSpec) -> tuple[Requirement, ...]:
    executor, handler = spec.executor, executor_name(spec)
    labels = frozenset(executor.labels.items())
    return tuple(
        Requirement(role=Role.EXECUTOR, handlers=frozenset({handler}), model=model, labels=labels)
        for model in (executor.model, *executor.escalation)
    )


def _validators(spec: pb.TaskSpec) -> Requirement:
    judge = spec.validation.judge
    return Requirement(
        role=Role.VALIDATOR,
        handlers=frozenset(_handlers(spec)),
        model=judge.model,
        labels=frozenset(judge.labels.items()),
    )


def _handlers(spec: pb.TaskSpec) -> Iterator[str]:
    """Yields the handlers that a validator needs besides the checks that every validator can do."""
    if criteria_to_judge(spec):
        yield JUDGE
    for check in spec.validation.checks:
        kind = check.WhichOneof("kind")
        if kind == "command":
            yield COMMAND
        elif kind == "function":
            yield check.function.name
