"""From what a worker is told to what it does: a model, functions of its own, programs, in any mixture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from signoff.errors import ConfigurationError
from signoff.plan.glossary import COMMAND, MODEL
from signoff.secrets.redaction import Secrets
from worker_svc.assignment import CheckRunner, Handler
from worker_svc.dispatch import Dispatcher
from worker_svc.executor import Executor
from worker_svc.functions.checks import FinalFailureAware, FunctionChecks
from worker_svc.functions.executor import FunctionExecutor
from worker_svc.functions.loading import functions_of
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.llm.config.keys import secrets_of
from worker_svc.llm.config.presets import Role
from worker_svc.llm.config.settings import models_from_settings, names_a_model
from worker_svc.llm.port import Model
from worker_svc.outgoing import SecretFilter
from worker_svc.validate.validator import Validator

FUNCTION = "function"  # the kind of a check


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What a worker is to offer."""

    model: str | None  #: None: as SIGNOFF_MODEL, or the file of models, says
    apps: tuple[str, ...]
    allow_commands: bool
    slots: int
    models: Path | None = None  #: the file of models; None: as SIGNOFF_MODELS says


def executor_of(wanted: WorkerOptions, secrets: Secrets | None = None) -> Handler:
    """Raises ConfigurationError when nothing would be offered, or an app cannot be used.

    `secrets` are what the process knows; those of the models are added, and none of them leaves the handler.
    """
    secrets = secrets_of(os.environ) if secrets is None else secrets
    functions, places = functions_of(wanted.apps), CallPlaces(wanted.slots)
    handlers: dict[str, Handler] = {
        name: FunctionExecutor(callee, places) for name, callee in functions.executors.items()
    }
    if wanted.allow_commands:
        from worker_svc.commands import CommandExecutor  # only who allows them needs them

        handlers[COMMAND] = CommandExecutor()
    if wanted.apps and not (handlers or _names_a_model(wanted)):
        apps, expected = ", ".join(wanted.apps), "a function registered with @app.executor, or a model"
        raise ConfigurationError(f"--app {apps}: expected {expected}, but there is none")
    model = _model(wanted, "executor", secrets, has_more=bool(handlers))
    return SecretFilter(Dispatcher(handlers if model is None else {MODEL: Executor(model), **handlers}), secrets)


def validator_of(wanted: WorkerOptions, secrets: Secrets | None = None) -> Handler:
    """Raises ConfigurationError when nothing would be offered, or an app cannot be used.

    An app may have no validators: checks by code are carried out by every validator, with a model or without. Of
    `secrets`, as for an executor.
    """
    secrets = secrets_of(os.environ) if secrets is None else secrets
    functions = functions_of(wanted.apps)
    function_checks = FunctionChecks(functions.validators, CallPlaces(wanted.slots))
    runners: dict[str, CheckRunner] = {FUNCTION: function_checks}
    if wanted.allow_commands:
        from worker_svc.commands import CommandChecks  # only who allows them needs them

        runners[COMMAND] = CommandChecks()
    model = _model(wanted, "validator", secrets, has_more=bool(wanted.apps) or wanted.allow_commands)
    validator = Validator(model, runners=runners, functions=tuple(functions.validators))
    return SecretFilter(FinalFailureAware(validator, function_checks), secrets)


def _model(wanted: WorkerOptions, role: Role, secrets: Secrets, *, has_more: bool) -> Model | None:
    """The model to ask. None when none is named and there is more to offer: then a key alone asks for none."""
    if has_more and not _names_a_model(wanted):
        return None
    return models_from_settings(
        wanted.model, os.environ, role=role, file=wanted.models, connections=wanted.slots, secrets=secrets
    )


def _names_a_model(wanted: WorkerOptions) -> bool:
    return names_a_model(wanted.model, wanted.models, os.environ)
