"""The warnings about an execution as it starts. They are given once and hold nothing up."""

from __future__ import annotations

from collections.abc import Iterator

from runner_svc.core.decide.turn import State
from runner_svc.core.model.map import Map
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.values import Role
from signoff.plan.glossary import JUDGE

MOCK = "mock"  # the built-in stand-in judges by rules, not by a mind of its own


def warnings_of(state: State, plan: Map) -> Iterator[str]:
    """Yields all warnings about a plan, a sentence each."""
    yield from unmet_requirements(state, plan)
    yield from models_judging_themselves(state, plan)


def unmet_requirements(state: State, plan: Map) -> Iterator[str]:
    """Yields a sentence for each requirement that no connected worker meets, with the first task that has it.

    There is none about a role without any worker: workers may still be on their way.
    """
    seen = set[Requirement]()
    for task in plan.examples:
        requirements = plan.requirements_of(task)
        for requirement in (*requirements.executors, requirements.validators):
            if (
                requirement not in seen
                and state.roster.slots(requirement.role)
                and not state.roster.can_do(requirement)
            ):
                name = requirement.role.name.lower()
                yield f"{plan.name(task)} asks for {requirement.in_words()}, and no connected {name} has that"
            seen.add(requirement)


def models_judging_themselves(state: State, plan: Map) -> Iterator[str]:
    """Yields a sentence for each model that would judge its own work, with the first task where it would."""
    sessions = state.roster.sessions.values()
    makers = {session.model for session in sessions if session.role is Role.EXECUTOR and session.model}
    judges = {session.model for session in sessions if session.role is Role.VALIDATOR and session.model}
    seen = set[str]()
    for task in plan.examples:
        requirements = plan.requirements_of(task)
        if JUDGE not in requirements.validators.handlers:
            continue
        made_by = {requirement.model for requirement in requirements.executors if requirement.model} or makers
        judged_by = {requirements.validators.model} if requirements.validators.model else judges
        for model in sorted((made_by & judged_by) - seen):
            seen.add(model)
            if not model.startswith(MOCK):
                yield f"{model} would judge what it has made itself, of {plan.name(task)} for one: name another judge"
