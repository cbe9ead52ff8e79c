"""Builds the handler of a worker from its options: a model, the functions of apps, programs, in any mixture."""

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
from worker_svc.functions.executor import FunctionExecutor, version_of
from worker_svc.functions.loading import functions_of
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.llm.config.keys import secrets_of
from worker_svc.llm.config.presets import Role
from worker_svc.llm.config.settings import models_from_settings, names_a_model
from worker_svc.llm.port import Model
from worker_svc.outgoing import SecretFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """The options of a worker, which decide what it offers."""

    model: str | None  #: None: as SIGNOFF_MODEL, or the file of models, says
    apps: tuple[str, ...]
    allow_commands: bool
    slots: int
    models: Path | None = None  #: the file of models; None: as SIGNOFF_MODELS says


def executor_of(options: WorkerOptions, secrets: Secrets | None = None) -> Handler:
    """Builds an executor. Raises ConfigurationError when it would offer nothing, or an app cannot be used.

    `secrets` are those of the process; those of the models are added. None of them leaves the handler.
    """
    secrets = secrets_of(os.environ) if secrets is None else secrets
    functions, places = functions_of(options.apps), CallPlaces(options.slots)
    handlers: dict[str, Handler] = {
        name: FunctionExecutor(callee, places) for name, callee in functions.executors.items()
    }
    if options.allow_commands:
        from worker_svc.commands import CommandExecutor  # only needed when they are allowed

        handlers[COMMAND] = CommandExecutor()
    if options.apps and not (handlers or _names_a_model(options)):
        apps, expected = ", ".join(options.apps), "a function registered with @app.executor, or a model"
        raise ConfigurationError(f"--app {apps}: expected {expected}, but there is none")
    model = _model(options, "executor", secrets, has_more=bool(handlers))
    return SecretFilter(Dispatcher(handlers if model is None else {MODEL: Executor(model), **handlers}), secrets)


def validator_of(options: WorkerOptions, secrets: Secrets | None = None) -> Handler:
    """Builds a validator. Raises ConfigurationError when it would offer nothing, or an app cannot be used.

    An app may have no validators: every validator carries out checks by code, with a model or without. `secrets` are
    the same as for an executor.
    """
    from worker_svc.functions.checks import FinalFailureAware, FunctionChecks  # executors need none of them
    from worker_svc.validate.checks import FUNCTION
    from worker_svc.validate.validator import Validator

    secrets = secrets_of(os.environ) if secrets is None else secrets
    functions = functions_of(options.apps)
    function_checks = FunctionChecks(functions.validators, CallPlaces(options.slots))
    runners: dict[str, CheckRunner] = {FUNCTION: function_checks}
    if options.allow_commands:
        from worker_svc.commands import CommandChecks  # only needed when they are allowed

        runners[COMMAND] = CommandChecks()
    model = _model(options, "validator", secrets, has_more=bool(options.apps) or options.allow_commands)
    versions = {name: version_of(callee.function) for name, callee in functions.validators.items()}
    validator = Validator(model, runners=runners, functions=versions)
    return SecretFilter(FinalFailureAware(validator, function_checks), secrets)


def _model(options: WorkerOptions, role: Role, secrets: Secrets, *, has_more: bool) -> Model | None:
    """Returns the model to ask. None: the options name none, and there is more to offer than a model."""
    if has_more and not _names_a_model(options):
        return None
    return models_from_settings(
        options.model, os.environ, role=role, file=options.models, connections=options.slots, secrets=secrets
    )


def _names_a_model(options: WorkerOptions) -> bool:
    return names_a_model(options.model, options.models, os.environ)
