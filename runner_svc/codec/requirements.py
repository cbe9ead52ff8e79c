"""What a task's spec asks of its workers, as the core's Terms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from runner_svc.codec.settings import on_failure_from_proto
from runner_svc.codec.times import seconds_of
from runner_svc.core.model.pass_rules import USUAL_DEMANDS, Demands
from runner_svc.core.model.requirements import ANY_EXECUTOR, USUAL, Requirement, Requirements
from runner_svc.core.model.values import Role
from signoff.plan.glossary import COMMAND, JUDGE
from signoff.plan.specs import criteria_of, criteria_to_judge, executor_name, own_checks
from signoff.v1 import plan_pb2 as pb


def requirements_of(spec: pb.TaskSpec) -> Requirements:
    """USUAL itself for a task that asks for nothing unusual, which most of a large plan are."""
    has_executor, has_validation = spec.HasField("executor"), spec.HasField("validation")
    is_judged_as_usual = not has_validation or _is_judged_as_usual(spec.validation)
    if not has_executor and is_judged_as_usual and not spec.on_failure:
        return USUAL  # to find this out field by field took a fifth of a restart with a large plan
    executor, validation = spec.executor, spec.validation
    terms = Requirements(
        executors=_executors(spec) if has_executor else (ANY_EXECUTOR,),
        validators=_validators(spec) if has_validation else USUAL.validators,
        human=validation.human,
        run_timeout=seconds_of(executor.run_timeout) if executor.HasField("run_timeout") else None,
        idle_timeout=seconds_of(executor.idle_timeout) if executor.HasField("idle_timeout") else None,
        max_failures=executor.max_failures if executor.HasField("max_failures") else None,
        max_tokens=executor.max_tokens if executor.HasField("max_tokens") else None,
        outage_patience=seconds_of(executor.outage_patience) if executor.HasField("outage_patience") else None,
        on_failure=on_failure_from_proto(spec.on_failure),
    )
    return _the_same(terms)


def demands_of(spec: pb.TaskSpec) -> Demands:
    """Returns what a task asks of a pass."""
    if not spec.HasField("validation"):
        return USUAL_DEMANDS
    votes = max(1, spec.validation.judge.votes)
    return _same_demands(len(criteria_of(spec)), own_checks(spec), len(criteria_to_judge(spec)), votes)


@lru_cache(maxsize=10_000)
def _same_demands(criteria: int, checks: tuple[int, ...], judged: int, votes: int) -> Demands:
    """Returns one object for equal demands."""
    return Demands(criteria, checks, judged, votes)


def _is_judged_as_usual(validation: pb.Validation) -> bool:
    """By whoever asks a model: not by code, by a person, or by somebody in particular."""
    return not (validation.checks or validation.human or validation.HasField("judge"))


@lru_cache(maxsize=10_000)
def _the_same(terms: Requirements) -> Requirements:
    """One object for equal terms, and no other than USUAL for those: a plan's tasks ask for few different things."""
    return USUAL if terms == USUAL else terms


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
    """What its validator must be able to do besides the checks that every validator can."""
    if criteria_to_judge(spec):
        yield JUDGE
    for check in spec.validation.checks:
        kind = check.WhichOneof("kind")
        if kind == "command":
            yield COMMAND
        elif kind == "function":
            yield check.function.name
