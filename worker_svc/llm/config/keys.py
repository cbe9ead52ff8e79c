"""The secrets that a worker knows: of its models, of the proxies before them, and of signoff's own settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from signoff.secrets.names import is_secret_name, secrets_in_url
from signoff.secrets.redaction import Secrets

_OURS = ("OPENAI_", "SIGNOFF_")
_PROXY = "_PROXY"


def secrets_of(env: Mapping[str, str]) -> Secrets:
    """Returns the secrets in an environment, by the names of its variables; a file of models adds its own."""
    return Secrets(_in_environment(env))


def _in_environment(env: Mapping[str, str]) -> Iterator[str]:
    for name, value in env.items():
        if name.startswith(_OURS) and is_secret_name(name):
            yield value
        if name.startswith(_OURS) or name.upper().endswith(_PROXY):
            yield from secrets_in_url(value)


def secrets_in_body(body: Mapping[str, Any]) -> Iterator[str]:
    """Yields the texts in further parameters of a request that are secret by their names, at any depth."""
    waiting: list[tuple[bool, Any]] = [(False, body)]
    while waiting:
        is_secret, value = waiting.pop()
        if isinstance(value, str) and is_secret:
            yield value
        waiting += _within(is_secret, value)


def _within(is_secret: bool, value: Any) -> Iterable[tuple[bool, Any]]:
    if isinstance(value, Mapping):
        return [(is_secret or is_secret_name(name), entry) for name, entry in value.items()]
    return [(is_secret, entry) for entry in value] if isinstance(value, list) else []
