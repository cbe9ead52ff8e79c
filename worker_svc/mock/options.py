"""The mock's options in its name: `mock`, or `mock:delay=0.2,fail=0.3,reject=0.2,judge_error=0.1,seed=7`."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from signoff.errors import ConfigurationError

_EXAMPLE = "mock:delay=0.2,fail=0.3,reject=0.2,judge_error=0.1,seed=7"


@dataclass(frozen=True, slots=True, kw_only=True)
class MockOptions:
    delay: float = 0.0  #: seconds between two pieces of an answer
    fail: float = 0.0  #: probability that an executor's call fails, as a passing fault
    reject: float = 0.0  #: probability that a candidate is made to be rejected
    judge_error: float = 0.0  #: probability that a judge's call breaks
    seed: int = 0  #: another seed, other outcomes

    @property
    def behaviour(self) -> dict[str, str]:
        """The options that are not the default, as text, without the delay: it changes no answer."""
        stated = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "delay"}
        return {name: f"{value:g}" for name, value in stated.items() if value}


def mock_options(spec: str) -> MockOptions:
    """Reads the options in a model name.

    Raises ConfigurationError with the option, the values that it takes, and the one it got.
    """
    head, _, rest = spec.partition(":")
    if head != "mock":
        raise ConfigurationError(f'expected a mock model such as "{_EXAMPLE}", but got "{spec}"')
    stated: dict[str, float | int] = {}
    for part in filter(None, (part.strip() for part in rest.split(","))):
        name, equals, text = (piece.strip() for piece in part.partition("="))
        if name in stated:
            raise ConfigurationError(f'expected each option of "{spec}" once, but got {name} twice')
        stated[name] = _value(spec, name, text if equals else "")
    return MockOptions(**stated)  # type: ignore[arg-type]  # _value has checked each


def _value(spec: str, name: str, text: str) -> float | int:
    if name == "seed":
        return _integer(spec, text)
    if name == "delay":
        return _number(spec, name, text, "a number of seconds from 0 to 3600", 3600.0)
    if name in {"fail", "reject", "judge_error"}:
        return _number(spec, name, text, "a probability from 0 to 1", 1.0)
    known = ", ".join(field.name for field in fields(MockOptions))
    raise ConfigurationError(f'model "{spec}": expected options among {known} (as in "{_EXAMPLE}"), but got "{name}"')


def _integer(spec: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f'model "{spec}": expected seed to be an integer, but got "{text}"') from None


def _number(spec: str, name: str, text: str, expected: str, largest: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= largest:
        raise ConfigurationError(f'model "{spec}": expected {name} to be {expected}, but got "{text}"')
    return value
