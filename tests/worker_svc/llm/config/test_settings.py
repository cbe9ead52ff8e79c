"""Names and environment make a model; an error states the next step."""

from __future__ import annotations

import pytest

from signoff.errors import ConfigurationError
from worker_svc.llm.config.settings import models_from_settings
from worker_svc.llm.openai.client import DEFAULT_BASE_URL
from worker_svc.llm.port import Model


def model(name: str | None, **env: str) -> Model:
    return models_from_settings(name, env, role="executor")


def test_the_mock_needs_nothing_and_takes_its_options_from_its_name() -> None:
    assert model("mock").names == ("mock",)
    assert model("mock:fail=0.5,seed=3").settings == {"fail": "0.5", "seed": "3"}
    assert model(None, SIGNOFF_MODEL="mock").name == "mock"


def test_the_mock_can_be_asked_for_by_its_name_and_as_it_was_given() -> None:
    assert model("mock:seed=3").names == ("mock", "mock:seed=3")


def test_a_name_given_goes_before_the_environment() -> None:
    assert model("mock", SIGNOFF_MODEL="big", OPENAI_API_KEY="sk").name == "mock"
    assert model("small", SIGNOFF_MODEL="big", OPENAI_API_KEY="sk").name == "small"
    assert model(None, SIGNOFF_MODEL="big", OPENAI_API_KEY="sk").names == ("big",)


def test_a_real_model_is_asked_at_the_base_url_or_at_openai() -> None:
    assert model("big", OPENAI_API_KEY="sk").settings == {"base_url": DEFAULT_BASE_URL}
    assert model("big", OPENAI_BASE_URL="http://localhost:8000/v1").settings == {"base_url": "http://localhost:8000/v1"}


def test_the_environment_says_how_the_one_model_is_to_answer() -> None:
    env = {"OPENAI_API_KEY": "sk", "SIGNOFF_TEMPERATURE": "0.25", "SIGNOFF_MAX_TOKENS": "900"}
    assert model("big", **env).settings == {"base_url": DEFAULT_BASE_URL, "temperature": "0.25", "max_tokens": "900"}


@pytest.mark.parametrize(
    ("variable", "stated", "expected"),
    [
        ("SIGNOFF_TEMPERATURE", "warm", "a number from 0"),
        ("SIGNOFF_TEMPERATURE", "-0.1", "a number from 0"),
        ("SIGNOFF_TEMPERATURE", "nan", "a number from 0"),
        ("SIGNOFF_TEMPERATURE", "inf", "a number from 0"),
        ("SIGNOFF_MAX_TOKENS", "0", "a whole number from 1"),
        ("SIGNOFF_MAX_TOKENS", "1.5", "a whole number from 1"),
        ("SIGNOFF_MAX_TOKENS", "many", "a whole number from 1"),
    ],
)
def test_a_setting_that_is_no_number_is_named(variable: str, stated: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        model("mock", **{variable: stated})
    assert str(caught.value) == f'{variable}: expected {expected}, but got "{stated}"'


def test_nothing_at_all_names_the_two_things_to_choose_from() -> None:
    with pytest.raises(ConfigurationError) as caught:
        model(None, OPENAI_API_KEY=" ", SIGNOFF_MODEL="")
    assert "choose one of two" in str(caught.value)
    for part in ("--model mock", "OPENAI_API_KEY", "--model NAME", "SIGNOFF_MODEL", "OPENAI_BASE_URL"):
        assert part in str(caught.value)


@pytest.mark.parametrize("found", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_an_endpoint_without_a_model_name_asks_for_the_name(found: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{found} is set, but no model is named: add --model NAME"):
        model(None, **{found: "http://x"})


def test_a_name_without_key_and_url_says_what_it_needs() -> None:
    with pytest.raises(ConfigurationError, match='model "big" needs OPENAI_API_KEY, or OPENAI_BASE_URL'):
        model("big")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("mock:fail=2", 'expected fail to be a probability from 0 to 1, but got "2"'),
        ("mock:reject=often", 'expected reject to be a probability from 0 to 1, but got "often"'),
        ("mock:judge_error=nan", "expected judge_error to be a probability"),
        ("mock:delay=-1", "expected delay to be a number of seconds from 0 to 3600"),
        ("mock:delay", 'expected delay to be a number of seconds from 0 to 3600, but got ""'),
        ("mock:seed=1.5", 'expected seed to be an integer, but got "1.5"'),
        ("mock:slow=1", "expected options among delay, fail, reject, judge_error, seed (as in"),
        ("mock:fail=0.1,fail=0.2", "once, but got fail twice"),
    ],
)
def test_a_bad_mock_option_says_what_was_expected_and_what_came(spec: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        model(spec)
    assert says in str(caught.value)
