"""Makes the models of a process from a name, a file of presets, and the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from signoff.errors import ConfigurationError
from signoff.secrets.names import secrets_in_url
from signoff.secrets.redaction import Secrets
from worker_svc.llm.config.keys import secrets_in_body, secrets_of
from worker_svc.llm.config.make_model import Maker, is_built_in
from worker_svc.llm.config.presets import Preset, Presets, Role, presets_from_file
from worker_svc.llm.pool import Member, ModelPool
from worker_svc.llm.port import Model, ModelMissing

log = structlog.get_logger(__name__)


def models_from_settings(
    name: str | None,
    env: Mapping[str, str],
    *,
    role: Role,
    file: Path | None = None,
    connections: int = 64,
    secrets: Secrets | None = None,
) -> Model:
    """Returns the models that a process of this role can ask.

    With a file of presets (`file`, else SIGNOFF_MODELS), these are all of its models; the default is `name`, else the
    file's default for the role. Without one, it is the one model `name`, else SIGNOFF_MODEL, with the settings of
    OPENAI_*, SIGNOFF_TEMPERATURE and SIGNOFF_MAX_TOKENS.

    "mock", "mock:…", "local" and "local:…" are built in, others are OpenAI-compatible. `connections` bounds the
    requests in flight to each; give it the number of slots. `secrets` are those of the process; those of the models
    are added. Raises ConfigurationError with the next step in its text.
    """
    known = secrets_of(env) if secrets is None else secrets
    maker, stated = Maker(env, connections, secrets=known), file or env.get("SIGNOFF_MODELS", "").strip()
    if stated:
        return ModelPool(_Choice(Path(stated), maker, role).members((name or "").strip()))
    name = (name or env.get("SIGNOFF_MODEL", "")).strip()
    return ModelPool([Member(model=maker.alone(name), aliases=(name,))])


def names_a_model(name: str | None, file: Path | None, env: Mapping[str, str]) -> bool:
    """Tells whether a setting names a model; a key alone names none."""
    stated = (env.get(variable, "").strip() for variable in ("SIGNOFF_MODEL", "SIGNOFF_MODELS"))
    return bool((name or "").strip() or file or any(stated))


class _Choice:
    """The models of a file in the order of a role: its default first."""

    def __init__(self, file: Path, maker: Maker, role: Role) -> None:
        self._file, self._maker, self._role = file, maker, role
        self._presets: Presets = presets_from_file(file)
        for preset in self._presets.models.values():
            for secret in _secrets_of(preset, maker.env):
                maker.secrets.add(secret)

    def members(self, name: str) -> list[Member]:
        """Returns the members of the pool. `name`: the default, instead of the file's."""
        if is_built_in(name):
            built_in = Member(model=self._maker.built_in(name), aliases=(name,))
            return [built_in, *self._others("")]
        default = self._chosen(name) if name else self._presets.default_of(self._role)
        return [self._member(default), *self._others(default)]

    def _chosen(self, name: str) -> str:
        """Returns the preset of this name, or the first whose model has it."""
        presets = self._presets.models
        known = {**{preset.model: key for key, preset in reversed(presets.items())}, **{key: key for key in presets}}
        if name not in known:
            listed = ", ".join(sorted(known))
            raise ConfigurationError(f'--model: expected mock, or one of {listed} of {self._file}, but got "{name}"')
        return known[name]

    def _others(self, default: str) -> list[Member]:
        """Returns the other models that can be asked from here: executors, say, need not have the judge's key."""
        members = []
        for key in (key for key in self._presets.models if key != default):
            try:
                members.append(self._member(key))
            except ModelMissing as error:
                log.warning("model_left_out", problem=str(error))
        return members

    def _member(self, key: str) -> Member:
        preset = self._presets.models[key]
        try:
            model = self._maker.of_preset(preset)
        except ConfigurationError as error:
            raise type(error)(f"{self._file}: models.{key}: {error}") from None
        return Member(model=model, preset=key, aliases=(preset.model,))


def _secrets_of(preset: Preset, env: Mapping[str, str]) -> Iterator[str]:
    """Yields the secrets of a preset, even of one that is left out here."""
    yield env.get(preset.api_key_env or "", "")
    yield from secrets_in_url(preset.base_url or "")
    yield from secrets_in_body(preset.extra_body)
