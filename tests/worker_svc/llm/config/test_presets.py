"""The file of models: the defaults of roles, the names of models, and errors with file and key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from structlog.testing import capture_logs

from signoff.errors import ConfigurationError
from tests.support.processes.commands import ROOT
from tests.support.servers.model_server import ModelServer, Recorded, without_proxies
from tests.support.servers.scripted_runner import ScriptedRunner
from tests.support.work.givens import Heard, task, to_execute
from tests.worker_svc.test_main import process
from worker_svc.executor import Executor
from worker_svc.llm.config.presets import Role
from worker_svc.llm.config.settings import models_from_settings
from worker_svc.llm.openai.client import DEFAULT_BASE_URL
from worker_svc.llm.port import Model

SECRET = "sk-very-secret-0123456789"

TWO = """
default = "writer"
judge = "strict"
[models.writer]
model = "gpt-5-mini"
temperature = 0.4
max_tokens = 4000
[models.strict]
model = "qwen3"
base_url = "http://localhost:11434/v1"
api_key_env = "OLLAMA_KEY"
temperature = 0
timeout = 600
extra_body = { keep_alive = "1h", options = { num_ctx = 8192 } }
"""
KEYS = {"OPENAI_API_KEY": SECRET, "OLLAMA_KEY": "ollama-0123456789"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "models.toml").write_text(TWO)
    return tmp_path / "models.toml"


def models(
    file: Path, name: str | None = None, role: Role = "executor", env: Mapping[str, str] = MappingProxyType(KEYS)
) -> Model:
    return models_from_settings(name, env, role=role, file=file)


def problems_of(tmp_path: Path, text: str, name: str | None = None) -> list[str]:
    """Returns the problems of a file with this text, without the file's name before each line."""
    file = tmp_path / "models.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        models(file, name)
    assert SECRET not in str(caught.value)
    return [line.removeprefix(f"{file}: ") for line in str(caught.value).splitlines()]


# ---------------------------------------------------------------- what is asked


def test_each_role_has_its_default_and_may_be_asked_for_any(file: Path) -> None:
    executor, validator = models(file), models(file, role="validator")
    assert executor.names == ("writer", "gpt-5-mini", "strict", "qwen3")
    assert validator.names == ("strict", "qwen3", "writer", "gpt-5-mini")
    assert (executor.name, validator.name) == ("gpt-5-mini", "qwen3")


def test_what_a_preset_says_is_part_of_who_made_it_but_the_patience_is_not(file: Path) -> None:
    model = models(file)
    assert model.maker_parts("") == model.maker_parts("writer") == model.maker_parts("gpt-5-mini")
    assert model.maker_parts("writer") == (
        "gpt-5-mini",
        {"base_url": DEFAULT_BASE_URL, "temperature": "0.4", "max_tokens": "4000"},
    )
    body = json.dumps({"keep_alive": "1h", "options": {"num_ctx": 8192}})
    assert model.maker_parts("qwen3") == (
        "qwen3",
        {"base_url": "http://localhost:11434/v1", "temperature": "0.0", "extra_body": body},
    )


def test_the_environment_may_name_the_file(file: Path) -> None:
    named = models_from_settings(None, {**KEYS, "SIGNOFF_MODELS": str(file)}, role="validator")
    assert named.names[0] == "strict"


@pytest.mark.parametrize("name", ["strict", "qwen3"])
def test_a_name_given_is_the_default_of_any_role_by_preset_or_by_model(file: Path, name: str) -> None:
    assert models(file, name).names[0] == "strict"
    assert models(file, "writer", role="validator").names[0] == "writer"


def test_the_variable_that_names_a_model_does_not_count_beside_a_file(file: Path) -> None:
    assert models(file, env={**KEYS, "SIGNOFF_MODEL": "mock", "SIGNOFF_TEMPERATURE": "1"}).names[0] == "writer"


def test_the_mock_can_be_the_default_and_the_presets_stay(file: Path) -> None:
    model = models(file, "mock:seed=3")
    assert (model.name, model.settings) == ("mock", {"seed": "3"})
    assert model.names == ("mock", "mock:seed=3", "writer", "gpt-5-mini", "strict", "qwen3")


def test_the_mock_can_be_a_preset(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[models.fast]\nmodel = "mock:seed=2"\ntemperature = 0.5\n')
    model = models(tmp_path / "m.toml")
    assert model.names == ("fast", "mock", "mock:seed=2")
    assert model.maker_parts("fast") == ("mock", {"seed": "2"})


def test_the_name_of_a_preset_goes_before_the_name_of_a_model(tmp_path: Path) -> None:
    text = 'default = "a"\n[models.a]\nmodel = "b"\nbase_url = "http://localhost:1/v1"\n'
    (tmp_path / "m.toml").write_text(text + '[models.b]\nmodel = "c"\nbase_url = "http://localhost:2/v1"\n')
    model = models(tmp_path / "m.toml")
    assert [model.maker_parts(name)[0] for name in ("", "a", "b", "c")] == ["b", "b", "c", "c"]


def test_the_example_in_the_documentation_can_be_used_as_it_is(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```toml\n(.*?)^```", (ROOT / "docs" / "how-to" / "models.md").read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "models.toml").write_text(example)
    assert models(tmp_path / "models.toml").names == ("writer", "gpt-5-mini", "strict", "qwen3")


async def test_a_worker_tells_the_runner_every_name_and_every_maker(file: Path) -> None:
    async with (
        ScriptedRunner() as runner,
        process(runner, "--role", "executor", SIGNOFF_MODELS=str(file), **KEYS),
    ):
        hello = (await runner.stream()).hello
    assert list(hello.models) == ["writer", "gpt-5-mini", "strict", "qwen3"]
    assert len({hello.maker, *hello.makers}) == 2


# ---------------------------------------------------------------- what goes out


async def sent_to(server: ModelServer, tmp_path: Path, preset: str, assignment: Any, **env: str) -> Recorded:
    (tmp_path / "models.toml").write_text(f'[models.writer]\nmodel = "planet-7b"\n{preset}')
    executor = Executor(models_from_settings(None, env, role="executor", file=tmp_path / "models.toml"))
    await executor(assignment, Heard())
    await executor.close()
    return server.requests[-1]


async def test_the_request_says_what_the_preset_says_and_the_task_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    async with ModelServer() as server:
        toml = f'base_url = "{server.base_url}"\napi_key_env = "MINE"\nmax_tokens = 900\nextra_body = {{ top_k = 5 }}\n'
        preset = f"{toml}temperature = 0.25\n"
        plain = await sent_to(server, tmp_path, preset, to_execute(), MINE=SECRET, OPENAI_API_KEY="sk-other")
        spec = task()
        spec.executor.temperature, spec.executor.max_tokens = 0.0, 50
        own = await sent_to(server, tmp_path, preset, to_execute(spec), MINE=SECRET)
    assert plain.headers["authorization"] == f"Bearer {SECRET}"
    assert (plain.body["temperature"], plain.body["max_tokens"], plain.body["top_k"]) == (0.25, 900, 5)
    assert (own.body["temperature"], own.body["max_tokens"], own.body["top_k"]) == (0.0, 50, 5)


async def test_a_key_for_openai_is_not_sent_to_an_address_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    async with ModelServer() as server:
        preset = f'base_url = "{server.base_url}"\n'
        sent = await sent_to(server, tmp_path, preset, to_execute(), OPENAI_API_KEY=SECRET)
    assert SECRET not in sent.headers["authorization"]


# ---------------------------------------------------------------- what is missing


def test_a_default_without_its_key_is_an_error_and_another_preset_is_left_out(file: Path) -> None:
    with capture_logs() as logs:
        assert models(file, env={"OPENAI_API_KEY": SECRET}).names == ("writer", "gpt-5-mini")
    said = f"{file}: models.strict: the variable OLLAMA_KEY that api_key_env names is not set"
    assert [(line["event"], line["problem"]) for line in logs] == [("model_left_out", said)]
    with pytest.raises(ConfigurationError) as caught:
        models(file, role="validator", env={"OPENAI_API_KEY": SECRET})
    assert str(caught.value) == said


def test_a_preset_without_any_key_says_what_it_needs(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.writer: needs OPENAI_API_KEY, or a variable that"):
        models(file, env={"OLLAMA_KEY": "x" * 8})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file or directory"):
        models(tmp_path / "none.toml")


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("models = {}", "models: expected at least one entry, but got none"),
        ("", "models: expected a value, but it is missing"),
        ("[models.a]", "models.a.model: expected a value, but it is missing"),
        (
            '[models.a]\nmodel = "m"\ntemprature = 1',
            "models.a.temprature: expected one of model, base_url, api_key_env, temperature, max_tokens, timeout, "
            "extra_body, but got an unknown key",
        ),
        (
            'model = "m"\n[models.a]\nmodel = "m"',
            "model: expected one of default, judge, models, but got an unknown key",
        ),
        ('models.a = "m"', "models.a: expected a table, but got a text"),
        (
            '[models.a]\nmodel = "m"\ntemperature = -1',
            "models.a.temperature: expected greater than or equal to 0, but got -1",
        ),
        (
            '[models.a]\nmodel = "m"\ntemperature = "hot"',
            "models.a.temperature: expected a valid number, but got a text",
        ),
        (
            '[models.a]\nmodel = "m"\ntemperature = nan',
            "models.a.temperature: expected a finite number, but got nan",
        ),
        (
            '[models.a]\nmodel = "m"\nmax_tokens = 0',
            "models.a.max_tokens: expected greater than or equal to 1, but got 0",
        ),
        (
            '[models.a]\nmodel = "m"\nmax_tokens = true',
            "models.a.max_tokens: expected a valid integer, but got true",
        ),
        ('[models.a]\nmodel = "m"\ntimeout = 0', "models.a.timeout: expected greater than 0, but got 0"),
        (
            '[models.a]\nmodel = "m"\nbase_url = "localhost:8000"',
            'models.a.base_url: expected a URL such as https://api.openai.com/v1, but got "localhost:8000"',
        ),
        (
            '[models.a]\nmodel = "m"\nextra_body = { stream = false, n = 2, top_k = 3 }',
            "models.a.extra_body: expected parameters that signoff does not set itself, but got n, stream",
        ),
        (
            '[models.a]\nmodel = "m"\nextra_body = { x = inf }',
            "models.a.extra_body: expected what JSON can say, but got a number that is none",
        ),
        ('default = "b"\n[models.a]\nmodel = "m"', 'default: expected one of a, but got "b"'),
        ('judge = "b"\n[models.a]\nmodel = "m"', 'judge: expected one of a, but got "b"'),
        ('[models.a]\nmodel = "m"\n[models.b]\nmodel = "n"', "default: expected one of a, b, but it is missing"),
        (
            '[models.a]\nmodel = "mock"\nbase_url = "http://localhost:1/v1"',
            "models.a: expected no base_url and no api_key_env, for this model is built in",
        ),
        (
            '[models.a]\nmodel = "mock:fail=2"',
            'models.a: model "mock:fail=2": expected fail to be a probability from 0 to 1, but got "2"',
        ),
    ],
)
def test_a_problem_is_told_with_file_key_and_what_was_expected(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(tmp_path, text) == [problem]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, '[models.a]\nmodel = ""\ntimeout = -1\n[models.b]\nmodle = "m"\n')
    assert problems[0] == "models.a.model: expected at least 1 character, but got a text"
    assert [line.partition(": ")[0] for line in problems] == [
        "models.a.model",
        "models.a.timeout",
        "models.b.model",
        "models.b.modle",
    ]


def test_what_is_no_toml_is_told_with_its_place(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, "[models.a]\nmodel = gpt\n")
    assert said.startswith("expected TOML, but got what is none: ")
    assert "line 2" in said


@pytest.mark.parametrize("key", ["api_key", "key", "token", "API_KEY", "password"])
def test_a_key_in_the_file_is_an_error_that_says_where_it_belongs(tmp_path: Path, key: str) -> None:
    (said,) = problems_of(tmp_path, f'[models.a]\nmodel = "m"\n{key} = "{SECRET}"\n')
    assert said.startswith(f"models.a.{key}: a key does not belong in a file: put it into an environment variable")
    assert "api_key_env" in said


@pytest.mark.parametrize("key", [SECRET, "gsk_0123456789abcdef", "0123456789abcdef", "$OLLAMA_KEY", ""])
def test_a_key_in_place_of_the_name_of_its_variable_is_not_shown(tmp_path: Path, key: str) -> None:
    (said,) = problems_of(tmp_path, f'[models.a]\nmodel = "m"\napi_key_env = "{key}"\n')
    assert said.startswith("models.a.api_key_env: expected the NAME of a variable, such as OPENAI_API_KEY, but got")
    assert not key or key not in said


def test_a_key_where_a_number_belongs_is_not_shown_either(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, f'[models.a]\nmodel = "m"\ntimeout = "{SECRET}"\n')
    assert said == "models.a.timeout: expected a valid number, but got a text"


def test_a_name_that_no_preset_has_is_answered_with_those_there_are(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, TWO, "huge")
    assert said == (
        f"--model: expected mock, or one of gpt-5-mini, qwen3, strict, writer of {tmp_path / 'models.toml'}, "
        'but got "huge"'
    )
