"""Makes one model from its name or its preset, and the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signoff.errors import ConfigurationError
from signoff.secrets.redaction import Secrets
from signoff.service.environment import check_proxy_variables
from worker_svc.llm.config.presets import Preset
from worker_svc.llm.local.model import LocalModel, LocalServer, is_local, weights_of
from worker_svc.llm.openai.bounds import IDLE_SECONDS
from worker_svc.llm.openai.client import DEFAULT_BASE_URL
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.openai.question import Sampling
from worker_svc.llm.port import Model, ModelMissing
from worker_svc.mock import MockModel

_NO_KEY_NEEDED = "no-key"  # local servers ask for none, but the client insists on sending one

_CHOICE = (
    "no model: choose one of two: `--model mock` (built in, offline, placeholder content), or a real model: set "
    "OPENAI_API_KEY and name the model with --model NAME or SIGNOFF_MODEL (OPENAI_BASE_URL for another endpoint)"
)


def is_built_in(name: str) -> bool:
    """Tells whether a model of this name needs no endpoint."""
    return name == "mock" or name.startswith("mock:") or is_local(name)


@dataclass(slots=True)
class Maker:
    """Makes the models of one process; local models with the same weights share a server."""

    env: Mapping[str, str]
    connections: int
    servers: dict[Path, LocalServer] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)  #: those of the process; each model adds its own

    def alone(self, name: str) -> Model:
        """Makes a model without a preset: the environment has its endpoint and its settings."""
        sampling = Sampling(temperature=self._temperature(), max_tokens=self._max_tokens())
        if is_built_in(name):
            return self.built_in(name, sampling)
        key, base_url = self._value("OPENAI_API_KEY"), self._value("OPENAI_BASE_URL")
        if not name and not (key or base_url):
            raise ConfigurationError(_CHOICE)
        if not name:
            found = "OPENAI_API_KEY" if key else "OPENAI_BASE_URL"
            raise ConfigurationError(f"{found} is set, but no model is named: add --model NAME or set SIGNOFF_MODEL")
        if not key and not base_url:
            raise ConfigurationError(
                f'model "{name}" needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own; '
                "`--model mock` works offline without either"
            )
        check_proxy_variables(base_url or DEFAULT_BASE_URL, self.env)
        return OpenAIModel(
            name,
            base_url=base_url or DEFAULT_BASE_URL,
            api_key=key or _NO_KEY_NEEDED,
            sampling=sampling,
            connections=self.connections,
            secrets=self.secrets,
        )

    def of_preset(self, preset: Preset) -> Model:
        """Makes the model of a preset. Raises ModelMissing, and other ConfigurationErrors."""
        idle_seconds = preset.timeout or IDLE_SECONDS
        if is_built_in(preset.model):
            if preset.base_url or preset.api_key_env:
                raise ConfigurationError("expected no base_url and no api_key_env, for this model is built in")
            return self.built_in(preset.model, preset.sampling, idle_seconds)
        base_url = preset.base_url or self._value("OPENAI_BASE_URL") or DEFAULT_BASE_URL
        check_proxy_variables(base_url, self.env)
        return OpenAIModel(
            preset.model,
            base_url=base_url,
            api_key=self._key(preset),
            key_name=preset.api_key_env or "OPENAI_API_KEY",
            sampling=preset.sampling,
            connections=self.connections,
            idle_seconds=idle_seconds,
            secrets=self.secrets,
        )

    def built_in(self, name: str, sampling: Sampling | None = None, idle_seconds: float = IDLE_SECONDS) -> Model:
        """Makes the mock, or a local model."""
        if not is_local(name):
            return MockModel.of(name)
        weights = weights_of(name)
        server = self.servers.setdefault(weights, LocalServer(weights, parallel=self.connections))
        return LocalModel(server, sampling=sampling, idle_seconds=idle_seconds, secrets=self.secrets)

    def _key(self, preset: Preset) -> str:
        """Returns the preset's own key, or OPENAI_API_KEY; but that one is not sent to an address in the file."""
        if preset.api_key_env:
            key = self._value(preset.api_key_env)
            if not key:
                raise ModelMissing(f"the variable {preset.api_key_env} that api_key_env names is not set")
            return key
        if preset.base_url:
            return _NO_KEY_NEEDED
        key = self._value("OPENAI_API_KEY")
        if not key and not self._value("OPENAI_BASE_URL"):
            raise ModelMissing("needs OPENAI_API_KEY, or a variable that api_key_env names, or a base_url")
        return key or _NO_KEY_NEEDED

    def _temperature(self) -> float | None:
        stated = self._value("SIGNOFF_TEMPERATURE")
        try:
            number = float(stated or 0)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            raise ConfigurationError(f'SIGNOFF_TEMPERATURE: expected a number from 0, but got "{stated}"')
        return number if stated else None

    def _max_tokens(self) -> int | None:
        stated = self._value("SIGNOFF_MAX_TOKENS")
        if stated and not (stated.isdecimal() and int(stated) > 0):
            raise ConfigurationError(f'SIGNOFF_MAX_TOKENS: expected a whole number from 1, but got "{stated}"')
        return int(stated) if stated else None

    def _value(self, variable: str) -> str:
        return self.env.get(variable, "").strip()
