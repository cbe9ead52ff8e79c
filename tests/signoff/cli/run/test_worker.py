"""`signoff worker` becomes the worker process, and a model is asked for only when there is nothing else to offer."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from signoff.cli.run.run import require_models
from signoff.cli.run.serve import become_worker
from signoff.errors import ConfigurationError
from signoff.local.services import LocalSettings


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIGNOFF_MODEL", "SIGNOFF_WORKER_ROLE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def flags_of(monkeypatch: pytest.MonkeyPatch, *flags: str) -> list[str]:
    """Returns the command that the worker process is started with."""
    started: list[list[str]] = []

    def execv(program: str, command: Sequence[str]) -> None:
        started.append(list(command))
        raise SystemExit

    monkeypatch.setattr(os, "execv", execv)
    with pytest.raises(SystemExit):
        become_worker(flags)
    (command,) = started
    assert command[:4] == [sys.executable, "-P", "-m", "worker_svc"]
    return command[4:]


def test_a_worker_is_an_executor_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    app = ("--app", "my_worker:app")
    assert flags_of(monkeypatch, *app) == ["--role", "executor", *app]
    assert flags_of(monkeypatch, *app, "--role", "both") == [*app, "--role", "both"]
    assert flags_of(monkeypatch, "--role=validator") == ["--role=validator"]
    monkeypatch.setenv("SIGNOFF_WORKER_ROLE", "validator")
    assert flags_of(monkeypatch, *app) == [*app]


def services(model: str = "", judge_model: str = "", *apps: str, allow_commands: bool = False) -> LocalSettings:
    return LocalSettings(
        data_dir=Path("db"), model=model, judge_model=judge_model, apps=apps, allow_commands=allow_commands
    )


def test_with_functions_or_commands_no_model_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="no model"):
        require_models(services())
    require_models(services("", "", "my_worker:app"))
    require_models(services(allow_commands=True))


def test_a_key_alone_asks_for_no_model_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-functions")
    with pytest.raises(ConfigurationError, match="no model is named"):
        require_models(services())
    require_models(services("", "", "my_worker:app"))


@pytest.mark.parametrize(("model", "judge_model"), [("writer", ""), ("", "judge"), ("mock", "judge")])
def test_a_model_that_is_named_must_be_one_that_can_be_asked(model: str, judge_model: str) -> None:
    with pytest.raises(ConfigurationError, match="needs OPENAI_API_KEY"):
        require_models(services(model, judge_model, "my_worker:app"))


def test_a_model_of_the_environment_counts_as_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNOFF_MODEL", "writer")
    with pytest.raises(ConfigurationError, match="needs OPENAI_API_KEY"):
        require_models(services("", "", "my_worker:app"))
