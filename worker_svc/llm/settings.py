"""From a model name and the environment to a model."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.errors import ConfigurationError
from worker_svc.llm.openai_model import DEFAULT_BASE_URL, OpenAIModel
from worker_svc.llm.port import Model
from worker_svc.mock import MockModel

_NO_KEY_NEEDED = "no-key"  # local servers ask for none, but the client insists on sending one

_CHOICE = (
    "no model: choose one of two: `--model mock` (built in, offline, placeholder content), or a real model: set "
    "OPENAI_API_KEY and name the model with --model NAME or SIGNOFF_MODEL (OPENAI_BASE_URL for another endpoint)"
)


def model_from_settings(name: str | None, env: Mapping[str, str], *, connections: int = 64) -> Model:
    """The model to ask: `name`, else SIGNOFF_MODEL; "mock" and "mock:…" are built in, others are OpenAI-compatible.

    `connections` bounds the requests in flight; give it the number of slots. Raises ConfigurationError with the next
    step in its text.
    """
    name = (name or env.get("SIGNOFF_MODEL", "")).strip()
    key, base_url = env.get("OPENAI_API_KEY", "").strip(), env.get("OPENAI_BASE_URL", "").strip()
    if name == "mock" or name.startswith("mock:"):
        return MockModel.of(name)
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
    return OpenAIModel(
        name, base_url=base_url or DEFAULT_BASE_URL, api_key=key or _NO_KEY_NEEDED, connections=connections
    )
