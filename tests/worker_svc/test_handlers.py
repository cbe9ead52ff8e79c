"""A worker's options decide what it does: a model, apps, commands; without any of them it cannot start."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest

from signoff.errors import ConfigurationError
from tests.support.work import sample
from tests.support.work.functions import SAMPLE
from worker_svc.assignment import Handler
from worker_svc.handlers import WorkerOptions, executor_of, validator_of

EXECUTORS, VALIDATORS = tuple(sample.app.executors), tuple(sample.app.validators)
ONLY_VALIDATORS = "tests.support.work.sample_validators:app"
needs_commands = pytest.mark.skipif(
    importlib.util.find_spec("worker_svc.commands") is None, reason="commands are not built yet"
)


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIGNOFF_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def wanted(model: str | None = None, *apps: str, allow_commands: bool = False) -> WorkerOptions:
    return WorkerOptions(model=model, apps=apps, allow_commands=allow_commands, slots=2)


async def offers(
    make: Callable[[WorkerOptions], Handler], options: WorkerOptions
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the handlers and the models of a worker with these options."""
    handler = make(options)
    await handler.close()
    return handler.offer.handlers, handler.offer.models


async def test_a_model_and_functions_are_offered_together() -> None:
    assert await offers(executor_of, wanted("mock")) == (("model",), ("mock",))
    assert await offers(executor_of, wanted("mock", SAMPLE)) == (("model", *EXECUTORS), ("mock",))
    assert await offers(validator_of, wanted("mock", SAMPLE)) == (("judge", *VALIDATORS), ("mock",))


async def test_functions_need_no_model() -> None:
    assert await offers(executor_of, wanted(None, SAMPLE)) == (EXECUTORS, ())
    assert await offers(validator_of, wanted(None, SAMPLE)) == (VALIDATORS, ())


async def test_a_key_that_functions_use_asks_for_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-functions")
    assert await offers(executor_of, wanted(None, SAMPLE)) == (EXECUTORS, ())


async def test_a_model_that_is_named_must_be_one_that_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNOFF_MODEL", "writer")
    with pytest.raises(ConfigurationError, match='model "writer" needs OPENAI_API_KEY'):
        executor_of(wanted(None, SAMPLE))
    monkeypatch.setenv("SIGNOFF_MODEL", "mock")
    assert await offers(executor_of, wanted(None, SAMPLE)) == (("model", *EXECUTORS), ("mock",))


@pytest.mark.parametrize("make", [executor_of, validator_of])
def test_nothing_at_all_names_the_two_choices(make: Callable[[WorkerOptions], Handler]) -> None:
    with pytest.raises(ConfigurationError, match="no model: choose one of two"):
        make(wanted())


async def test_an_app_may_have_nothing_for_a_role_that_has_other_work() -> None:
    assert await offers(executor_of, wanted("mock", ONLY_VALIDATORS)) == (("model",), ("mock",))
    with pytest.raises(ConfigurationError) as refused:
        executor_of(wanted(None, ONLY_VALIDATORS))
    expected = "expected a function registered with @app.executor, or a model, but there is none"
    assert str(refused.value) == f"--app {ONLY_VALIDATORS}: {expected}"


@needs_commands
async def test_commands_are_offered_only_when_they_are_allowed() -> None:
    assert await offers(executor_of, wanted(allow_commands=True)) == (("command",), ())
    assert await offers(executor_of, wanted("mock", SAMPLE, allow_commands=True)) == (
        ("model", *EXECUTORS, "command"),
        ("mock",),
    )
    handlers, _ = await offers(validator_of, wanted(None, SAMPLE, allow_commands=True))
    assert set(handlers) == {"command", *VALIDATORS}
